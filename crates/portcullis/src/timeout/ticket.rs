//! A deadline that goes on while the body is read.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use portcullis_core::{Rejection, Verdict};
use tokio::time::{Instant, Sleep};

use super::policy::Shared;
use crate::{Ticket, shard::Pinned};

/// Ends a response's body when the timeout is over; its timer is armed when the body is first not ready.
pub struct BodyDeadline {
    shared: Pinned<Shared>,
    limit: Duration,
    deadline: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl BodyDeadline {
    pub(super) fn new(shared: Pinned<Shared>, deadline: Instant) -> Self {
        let limit = shared.settings.limit;
        Self { shared, limit, deadline, timer: None }
    }

    /// For a call of which so much time is left.
    #[cfg(feature = "http")]
    pub(super) fn within(shared: Pinned<Shared>, left: Duration) -> Self {
        Self { shared, limit: left, deadline: Instant::now() + left, timer: None }
    }

    /// Whether the time is over.
    #[cfg(feature = "http")]
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Whether it goes on while the response's body is read.
    pub(crate) fn is_whole(&self) -> bool {
        self.shared.settings.whole_response
    }

    /// Ready when the time is over.
    pub(crate) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        timer.as_mut().poll(cx)
    }

    /// The rejection of a call whose time is over; `sent` when the inner service had been called.
    pub(crate) fn rejection(&self, sent: bool) -> Rejection {
        self.shared.reject_after(self.limit, sent)
    }
}

impl Ticket for BodyDeadline {
    fn settle(&mut self, _: Verdict) {}

    fn poll_revoked(&mut self, cx: &mut Context<'_>) -> Poll<Rejection> {
        ready!(self.poll_over(cx));
        Poll::Ready(self.rejection(true))
    }
}

impl fmt::Debug for BodyDeadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyDeadline").field("timeout", &self.shared.name).finish_non_exhaustive()
    }
}
