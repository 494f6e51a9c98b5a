//! A dependency of which each attempt does what it is told, and all of them are written down.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};

use portcullis::{
    BoxError, Failure, FailureKind, FromRejection, Hedge, HedgeLayer, Registry, Rejection,
    hedge::HedgeBuilder,
};
use tokio::time::Instant;
use tower::{Layer, Service};

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A hedge in a registry of its own, after 20 ms.
pub(crate) fn hedge() -> HedgeBuilder {
    Hedge::builder("hedge").fixed_delay(ms(20)).registry(&Registry::new())
}

/// What one attempt does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Ok(u64),
    Fail(u64, &'static str),
    Panic(u64),
    Hang,
}

/// Whether an instance gets ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    Ready,
    Never,
    Fails,
    Panics,
}

/// What happened, as "2 sent @20".
#[derive(Clone, Debug)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>, Instant);

impl Log {
    pub(crate) fn new() -> Self {
        Self(Arc::default(), Instant::now())
    }

    pub(crate) fn note(&self, what: impl std::fmt::Display) {
        let line = format!("{what} @{}", self.1.elapsed().as_millis());
        self.0.lock().unwrap().push(line);
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Strict about readiness: it belongs to one instance and one call.
pub(crate) struct Dependency {
    act: Arc<dyn Fn(u32) -> Act + Send + Sync>,
    attempts: Arc<AtomicU32>,
    pub(crate) log: Log,
    ready: bool,
    /// Of this instance, and of its clones.
    pub(crate) readiness: [Readiness; 2],
}

impl Dependency {
    pub(crate) fn new(act: impl Fn(u32) -> Act + Send + Sync + 'static) -> Self {
        let readiness = [Readiness::Ready; 2];
        Self { act: Arc::new(act), attempts: Arc::default(), log: Log::new(), ready: false, readiness }
    }

    /// Each attempt does the next of these, and those after them hang.
    pub(crate) fn of(acts: impl IntoIterator<Item = Act>) -> Self {
        let acts: Vec<_> = acts.into_iter().collect();
        Self::new(move |attempt| acts.get(attempt as usize - 1).cloned().unwrap_or(Act::Hang))
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.attempts.load(SeqCst)
    }

    /// One call under a hedge for idempotent calls, with how it went in the log.
    pub(crate) async fn call(&self, hedge: &Hedge) -> Result<u32, Sad> {
        let layer = HedgeLayer::new(hedge.clone()).typed().idempotent();
        let mut first = self.clone();
        first.readiness = self.readiness;
        let mut service = layer.layer(first);
        std::future::poll_fn(|cx| service.poll_ready(cx)).await?;
        let answer = service.call(7);
        let answer = answer.await;
        match &answer {
            Ok(attempt) => self.log.note(format_args!("answer of {attempt}")),
            Err(error) => self.log.note(format_args!("error {:?}", error.0)),
        }
        answer
    }
}

impl Clone for Dependency {
    fn clone(&self) -> Self {
        Self {
            act: self.act.clone(),
            attempts: self.attempts.clone(),
            log: self.log.clone(),
            ready: false,
            readiness: [self.readiness[1]; 2],
        }
    }
}

/// The error: what it says tells how it is judged.
#[derive(Debug)]
pub(crate) struct Sad(pub(crate) &'static str, pub(crate) Option<Rejection>);

impl FromRejection for Sad {
    fn from_rejection(rejection: Rejection) -> Self {
        Self("refused", Some(rejection))
    }

    fn as_rejection(&self) -> Option<&Rejection> {
        self.1.as_ref()
    }
}

impl From<Sad> for BoxError {
    fn from(sad: Sad) -> Self {
        sad.0.into()
    }
}

pub(crate) fn failure() -> Failure {
    Failure::new(FailureKind::Unavailable)
}

impl Service<u32> for Dependency {
    type Response = u32;
    type Error = Sad;
    type Future = Pin<Box<dyn Future<Output = Result<u32, Sad>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Sad>> {
        match self.readiness[0] {
            Readiness::Ready => {
                self.ready = true;
                Poll::Ready(Ok(()))
            }
            Readiness::Never => Poll::Pending,
            Readiness::Fails => Poll::Ready(Err(Sad("unready", None))),
            Readiness::Panics => panic!("readiness panics"),
        }
    }

    fn call(&mut self, _: u32) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without being ready");
        let attempt = self.attempts.fetch_add(1, SeqCst) + 1;
        self.log.note(format_args!("{attempt} sent"));
        let act = (self.act)(attempt);
        let running = Running { attempt, log: self.log.clone(), ended: false };
        Box::pin(run(act, running))
    }
}

async fn run(act: Act, mut running: Running) -> Result<u32, Sad> {
    let result = match act {
        Act::Hang => std::future::pending().await,
        Act::Ok(after) => {
            tokio::time::sleep(ms(after)).await;
            Ok(running.attempt)
        }
        Act::Fail(after, why) => {
            tokio::time::sleep(ms(after)).await;
            Err(Sad(why, None))
        }
        Act::Panic(after) => {
            tokio::time::sleep(ms(after)).await;
            running.ended = true;
            panic!("attempt {} panics", running.attempt)
        }
    };
    running.ended = true;
    result
}

/// Says when it is dropped before it has ended.
struct Running {
    attempt: u32,
    log: Log,
    ended: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            self.log.note(format_args!("{} dropped", self.attempt));
        }
    }
}
