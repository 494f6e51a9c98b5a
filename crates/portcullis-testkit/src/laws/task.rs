use std::{
    any::Any,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::{
    task::JoinHandle,
    time::{Instant, Sleep},
};

/// Longer than any layer may take for a call that could be answered at once: retries, backoff and
/// rate limits included. Virtual time is free.
pub(super) const PATIENCE: Duration = Duration::from_secs(3600);

/// Polls within one instant after which a future is made to wait. Virtual time stands still while
/// anything runs, so a future that wakes itself would otherwise wait for ever.
const BUSY: u32 = 64;
const REST: Duration = Duration::from_millis(10);

/// Time that passes only when nothing else can run.
const INSTANT: Duration = Duration::from_millis(1);

pin_project! {
    /// Counts the polls of a future, and slows it down when it wakes itself without end.
    struct Watched<F> {
        #[pin]
        future: F,
        #[pin]
        rest: Option<Sleep>,
        instant: Instant,
        polls_now: u32,
        polls: Arc<AtomicUsize>,
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if let Some(rest) = this.rest.as_mut().as_pin_mut() {
            ready!(rest.poll(cx));
            this.rest.set(None);
        }
        let now = Instant::now();
        if std::mem::replace(this.instant, now) != now {
            *this.polls_now = 0;
        }
        *this.polls_now += 1;
        this.polls.fetch_add(1, Ordering::Relaxed);
        let answer = this.future.poll(cx);
        if answer.is_pending() && *this.polls_now >= BUSY {
            *this.polls_now = 0;
            this.rest.set(Some(tokio::time::sleep(REST)));
            // Registers the waker with the timer; the wake-ups until then are swallowed above.
            if let Some(rest) = this.rest.as_pin_mut() {
                let _ = rest.poll(cx);
            }
        }
        answer
    }
}

/// A future on a task of its own, so that only its own wakers poll it. Stopped when dropped.
pub(super) struct Task<T> {
    handle: JoinHandle<T>,
    polls: Arc<AtomicUsize>,
}

impl<T: Send + 'static> Task<T> {
    pub(super) fn spawn(future: impl Future<Output = T> + Send + 'static) -> Self {
        let polls = Arc::new(AtomicUsize::new(0));
        let watched =
            Watched { future, rest: None, instant: Instant::now(), polls_now: 0, polls: Arc::clone(&polls) };
        Self { handle: tokio::spawn(watched), polls }
    }

    pub(super) fn polls(&self) -> usize {
        self.polls.load(Ordering::Relaxed)
    }

    pub(super) fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    /// What the future answers; an error if it does not within `limit`, or panics.
    pub(super) async fn within(&mut self, limit: Duration) -> Result<T, String> {
        match tokio::time::timeout(limit, &mut self.handle).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if error.is_panic() => Err(panicked(&*error.into_panic())),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("nothing came within {limit:?} of virtual time")),
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

/// Says what a panic said.
pub(super) fn panicked(payload: &(dyn Any + Send)) -> String {
    let message = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("with something that is not a text");
    format!("panicked: {message}")
}

/// Lets everything that can run do so, until all there is to do is wait.
pub(super) async fn settle() {
    tokio::time::sleep(INSTANT).await;
}
