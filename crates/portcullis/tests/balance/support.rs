//! Endpoints that do what they are told.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicU64, Ordering::SeqCst},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use portcullis::{Balance, BoxError, Endpoints, Outliers, Registry, balance::OutliersBuilder};
use tower::{Service, ServiceExt};

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Outliers in a registry of their own, of which one in two may be ejected.
pub(crate) fn outliers() -> OutliersBuilder {
    Outliers::builder("fleet").registry(&Registry::new()).max_ejected_share(0.5).seed(1)
}

/// What a call does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Ok,
    Fail,
    Refused,
    Disconnected,
    Hang,
    Panic,
}

/// Whether an instance gets ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    Ready,
    Never,
    Fails,
}

/// An endpoint: its service, and what tells it what to do. The answer is its number.
#[derive(Debug)]
pub(crate) struct Host {
    shared: Arc<Shared>,
    ready: bool,
}

#[derive(Debug)]
struct Shared {
    number: usize,
    act: Mutex<Act>,
    readiness: Mutex<Readiness>,
    delay: Mutex<Duration>,
    wakers: Mutex<Vec<Waker>>,
    calls: AtomicU64,
    in_flight: AtomicU32,
    ready_polls: AtomicU64,
    instances: AtomicU32,
}

impl Host {
    pub(crate) fn new(number: usize) -> Self {
        let shared = Shared {
            number,
            act: Mutex::new(Act::Ok),
            readiness: Mutex::new(Readiness::Ready),
            delay: Mutex::default(),
            wakers: Mutex::default(),
            calls: AtomicU64::new(0),
            in_flight: AtomicU32::new(0),
            ready_polls: AtomicU64::new(0),
            instances: AtomicU32::new(1),
        };
        Self { shared: Arc::new(shared), ready: false }
    }

    pub(crate) fn act(&self, act: Act) {
        *self.shared.act.lock().unwrap() = act;
    }

    pub(crate) fn delay(&self, delay: Duration) {
        *self.shared.delay.lock().unwrap() = delay;
    }

    pub(crate) fn readiness(&self, readiness: Readiness) {
        *self.shared.readiness.lock().unwrap() = readiness;
        let wakers = std::mem::take(&mut *self.shared.wakers.lock().unwrap());
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn calls(&self) -> u64 {
        self.shared.calls.load(SeqCst)
    }

    pub(crate) fn ready_polls(&self) -> u64 {
        self.shared.ready_polls.load(SeqCst)
    }

    /// Instances there are, with this one.
    pub(crate) fn instances(&self) -> u32 {
        self.shared.instances.load(SeqCst)
    }
}

impl Clone for Host {
    fn clone(&self) -> Self {
        self.shared.instances.fetch_add(1, SeqCst);
        Self { shared: self.shared.clone(), ready: false }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.shared.instances.fetch_sub(1, SeqCst);
    }
}

impl<Req: Send + 'static> Service<Req> for Host {
    type Response = usize;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<usize, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.shared.ready_polls.fetch_add(1, SeqCst);
        match *self.shared.readiness.lock().unwrap() {
            Readiness::Ready => {
                self.ready = true;
                Poll::Ready(Ok(()))
            }
            Readiness::Never => {
                self.shared.wakers.lock().unwrap().push(cx.waker().clone());
                Poll::Pending
            }
            Readiness::Fails => Poll::Ready(Err("not ready".into())),
        }
    }

    fn call(&mut self, _: Req) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without having been polled ready");
        self.shared.calls.fetch_add(1, SeqCst);
        self.shared.in_flight.fetch_add(1, SeqCst);
        let (act, delay) = (*self.shared.act.lock().unwrap(), *self.shared.delay.lock().unwrap());
        let number = self.shared.number;
        Box::pin(async move {
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            match act {
                Act::Ok => Ok(number),
                Act::Fail => Err("broken".into()),
                Act::Refused => Err(refusal()),
                Act::Disconnected => Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into()),
                Act::Hang => std::future::pending().await,
                Act::Panic => panic!("told to"),
            }
        })
    }
}

/// What a policy below would say.
fn refusal() -> BoxError {
    let bulkhead = portcullis::Bulkhead::builder("below").registry(&Registry::new()).max_in_flight(1).build();
    let bulkhead = bulkhead.unwrap();
    let _held = bulkhead.try_admit().unwrap();
    Box::new(bulkhead.try_admit().unwrap_err())
}

/// Endpoints with the names "0", "1" and so on.
pub(crate) fn fleet(outliers: &Outliers, count: usize) -> (Vec<Host>, Endpoints<Host>) {
    let endpoints = Endpoints::new(outliers.clone());
    let hosts: Vec<_> = (0..count).map(Host::new).collect();
    hosts.iter().enumerate().for_each(|(at, host)| endpoints.insert(at.to_string(), host.clone()));
    (hosts, endpoints)
}

/// Calls, one after the other; the numbers of those who answered.
pub(crate) async fn calls(balance: &mut Balance<Host>, count: usize) -> Vec<Option<usize>> {
    let mut answers = Vec::new();
    for _ in 0..count {
        let answer = ServiceExt::<()>::ready(balance).await.unwrap().call(()).await;
        answers.push(answer.ok());
    }
    answers
}

/// Calls until an endpoint is ejected.
pub(crate) async fn until_ejected(balance: &mut Balance<Host>, name: &str) {
    for _ in 0..1000 {
        calls(balance, 1).await;
        if is_ejected(balance.endpoints().outliers(), name) {
            return;
        }
    }
    panic!("{name} is not ejected");
}

pub(crate) fn is_ejected(outliers: &Outliers, name: &str) -> bool {
    let endpoints = outliers.endpoints();
    endpoints.iter().any(|endpoint| &*endpoint.name == name && endpoint.ejected_for.is_some())
}
