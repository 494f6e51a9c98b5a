//! A deadline that goes on while the body is read.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use portcullis_core::{Rejection, Verdict};
use tokio::time::{Instant, Sleep};

use super::policy::Shared;
use crate::{Ticket, shard::Pinned};

/// Ends a response's body when the timeout is over; its timer is armed when the body is first not ready.
pub struct BodyDeadline {
    shared: Pinned<Shared>,
    deadline: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl BodyDeadline {
    pub(super) fn new(shared: Pinned<Shared>, deadline: Instant) -> Self {
        Self { shared, deadline, timer: None }
    }
}

impl Ticket for BodyDeadline {
    fn settle(&mut self, _: Verdict) {}

    fn poll_revoked(&mut self, cx: &mut Context<'_>) -> Poll<Rejection> {
        let deadline = self.deadline;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(self.shared.reject(true))
    }
}

impl fmt::Debug for BodyDeadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyDeadline").field("timeout", &self.shared.name).finish_non_exhaustive()
    }
}
