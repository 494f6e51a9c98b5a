//! The answer of a call on a thread.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use portcullis_core::{Reason, Rejection};
use tokio::sync::oneshot::Receiver;

use super::{
    job::{Outcome, Panicked},
    policy::Shared,
    threads::Threads,
};
use crate::shard::Pinned;

/// Ready with what a call on a thread came to, or with the rejection if that is a panic. Dropping it stops the
/// call.
pub(super) struct Answer<T> {
    receiver: Receiver<Outcome<T>>,
    shared: Pinned<Shared>,
    /// They begin no work any more once they are dropped, and the call may not have been begun.
    _threads: Arc<Threads>,
    answered: bool,
}

impl<T> Answer<T> {
    pub(super) fn new(receiver: Receiver<Outcome<T>>, shared: Pinned<Shared>, threads: Arc<Threads>) -> Self {
        Self { receiver, shared, _threads: threads, answered: false }
    }
}

impl<T> Future for Answer<T> {
    type Output = Result<T, Rejection>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.answered {
            return Poll::Pending; // polled after it was ready
        }
        let outcome = ready!(Pin::new(&mut self.receiver).poll(cx));
        self.answered = true;
        Poll::Ready(match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(Panicked)) => Err(Rejection::new(self.shared.name().clone(), Reason::Panicked)),
            // The system had no thread for it.
            Err(_) => Err(self.shared.refused(self.shared.full())),
        })
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        if !self.answered {
            self.shared.cancelled();
        }
    }
}
