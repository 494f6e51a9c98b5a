//! A deadline that goes on while the body is read.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use portcullis_core::{Rejection, TimeoutScope, Verdict};
use tokio::time::{Instant, Sleep};

use super::policy::Shared;
use crate::{Ticket, shard::Pinned};

/// Ends a response's body when its time is over; its timer is armed when the body is first not ready.
pub struct BodyDeadline {
    shared: Pinned<Shared>,
    /// What ends first, but for a pause.
    end: End,
    /// When the next frame of the body was first asked for; known once there may be a pause.
    asked: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

/// The end of a time.
#[derive(Clone, Copy)]
struct End {
    /// `None` is never.
    at: Option<Instant>,
    limit: Duration,
    scope: TimeoutScope,
}

impl BodyDeadline {
    /// What is timed of the body of a response, whose call ends at `call` with its body, if that is so.
    pub(super) fn of_response(shared: Pinned<Shared>, call: impl FnOnce() -> Instant) -> Self {
        let settings = &shared.settings;
        let whole = settings.whole_response.then(call);
        let mut end = End { at: whole, limit: settings.limit, scope: settings.scope };
        if let Some(limit) = settings.body {
            let at = Instant::now() + limit;
            if whole.is_none_or(|whole| at < whole) {
                end = End { at: Some(at), limit, scope: TimeoutScope::Body };
            }
        }
        Self { shared, end, asked: None, timer: None }
    }

    /// For a call that has so much time left, until this deadline.
    pub(super) fn until(shared: Pinned<Shared>, deadline: Instant, left: Duration) -> Self {
        let end = End { at: Some(deadline), limit: left, scope: shared.settings.scope };
        Self { shared, end, asked: None, timer: None }
    }

    /// Whether the time is over.
    pub(crate) fn is_over(&self) -> bool {
        self.end.at.is_some_and(|at| Instant::now() >= at)
    }

    /// Whether it goes on while the response's body is read.
    pub(crate) fn is_whole(&self) -> bool {
        self.shared.settings.whole_response
    }

    /// Ready when the time is over.
    pub(crate) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.end.at else { return Poll::Pending };
        self.poll_until(at, cx)
    }

    fn poll_until(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        timer.as_mut().poll(cx)
    }

    /// The rejection of a call whose time is over; `sent` when the inner service had been called.
    pub(crate) fn rejection(&self, sent: bool) -> Rejection {
        self.shared.reject_after(self.end.limit, self.end.scope, sent)
    }

    /// When the pause before the next frame has become too long.
    fn idle_end(&mut self) -> Option<End> {
        let limit = self.shared.settings.body_idle?;
        let asked = *self.asked.get_or_insert_with(Instant::now);
        Some(End { at: Some(asked + limit), limit, scope: TimeoutScope::Idle })
    }
}

impl Ticket for BodyDeadline {
    fn settle(&mut self, _: Verdict) {}

    fn poll_revoked(&mut self, cx: &mut Context<'_>) -> Poll<Rejection> {
        let ends = self.idle_end().into_iter().chain([self.end]);
        let Some(first) = ends.filter(|end| end.at.is_some()).min_by_key(|end| end.at) else {
            return Poll::Pending;
        };
        if let Some(at) = first.at {
            ready!(self.poll_until(at, cx));
        }
        Poll::Ready(self.shared.reject_after(first.limit, first.scope, true))
    }

    fn frame(&mut self, _: usize) -> Option<Rejection> {
        // A pause begins when the next frame is asked for: how slowly they are read is no matter of the body.
        self.asked = None;
        None
    }
}

impl fmt::Debug for BodyDeadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyDeadline").field("timeout", &self.shared.name).finish_non_exhaustive()
    }
}
