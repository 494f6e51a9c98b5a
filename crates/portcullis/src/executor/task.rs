//! A call that runs as a task.

use std::{
    future::Future,
    panic::resume_unwind,
    pin::Pin,
    sync::atomic::Ordering::Relaxed,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::Rejection;
use tokio::{runtime::Handle, task::JoinHandle};

use super::policy::Shared;
use crate::{carried::Carried, shard::Pinned};

/// Ready with what a task came to, or with the rejection if its runtime has ended. A panic of the task goes on here.
/// Dropping it aborts the task.
pub(super) struct Task<T> {
    handle: JoinHandle<T>,
    shared: Pinned<Shared>,
    ended: bool,
}

impl<T: Send + 'static> Task<T> {
    /// Begins it now, whether or not this is polled.
    pub(super) fn spawn(
        runtime: &Handle,
        shared: Pinned<Shared>,
        call: impl Future<Output = T> + Send + 'static,
    ) -> Self {
        let running = Running::new(shared.clone());
        let handle = runtime.spawn(Run { call, around: Around(Carried::current()), running });
        Self { handle, shared, ended: false }
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, Rejection>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.ended {
            return Poll::Pending; // polled after it was ready
        }
        let result = ready!(Pin::new(&mut self.handle).poll(cx));
        self.ended = true;
        match result {
            Ok(value) => {
                self.shared.counts.finished.fetch_add(1, Relaxed);
                Poll::Ready(Ok(value))
            }
            Err(error) => match error.try_into_panic() {
                Ok(panic) => {
                    self.shared.panicked(&*panic);
                    resume_unwind(panic)
                }
                Err(_) => Poll::Ready(Err(self.shared.stopped())),
            },
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        if !self.ended {
            self.handle.abort();
            self.shared.counts.cancelled.fetch_add(1, Relaxed);
        }
    }
}

pin_project! {
    /// What runs on the runtime. The call is dropped first.
    struct Run<F> {
        #[pin]
        call: F,
        around: Around,
        running: Running,
    }

    impl<F> PinnedDrop for Run<F> {
        // The call is dropped inside, too: what is around it is left when that is dropped.
        fn drop(this: Pin<&mut Self>) {
            this.around.0.enter();
        }
    }
}

/// What is around a call, until it is dropped.
struct Around(Carried);

impl Drop for Around {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl<F: Future> Future for Run<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.around.0.scope(|| this.call.poll(cx))
    }
}

/// A task that is there.
struct Running(Pinned<Shared>);

impl Running {
    fn new(shared: Pinned<Shared>) -> Self {
        shared.counts.running.fetch_add(1, Relaxed);
        Self(shared)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.counts.running.fetch_sub(1, Relaxed);
    }
}
