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

use super::{policy::Held, word::Timing};
use crate::Ticket;

/// Ends a response's body when its time is over; its timer is armed when the body is first not ready.
pub struct BodyDeadline {
    shared: Held,
    timing: Timing,
    /// What ends first, but for a pause.
    end: End,
    /// How long the body may pause.
    idle: Option<Duration>,
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
    pub(super) fn of_response(shared: Held, timing: Timing, call: Instant) -> Self {
        let at = timing.is_whole().then_some(call);
        let end = End { at, limit: timing.limit(), scope: timing.scope() };
        Self { shared, timing, end, idle: None, asked: None, timer: None }.with_body()
    }

    /// For a call that has so much time left, until this deadline; with its body, until [`of_body`](Self::of_body).
    pub(super) fn until(shared: Held, timing: Timing, deadline: Instant, left: Duration) -> Self {
        let at = (!timing.is_off()).then_some(deadline);
        let end = End { at, limit: left, scope: timing.scope() };
        Self { shared, timing, end, idle: None, asked: None, timer: None }
    }

    /// What is timed of the body, when the response is there.
    pub(crate) fn of_body(mut self) -> Option<Self> {
        if !self.timing.times_body() {
            return None;
        }
        if !self.timing.is_whole() {
            self.end.at = None;
        }
        Some(self.with_body())
    }

    /// With the times of the body, which begin now.
    fn with_body(mut self) -> Self {
        let words = self.shared.words();
        self.idle = words.body_idle();
        if let Some(limit) = words.body() {
            let at = Instant::now() + limit;
            if self.end.at.is_none_or(|whole| at < whole) {
                self.end = End { at: Some(at), limit, scope: TimeoutScope::Body };
            }
        }
        self
    }

    /// Whether the time is over.
    pub(crate) fn is_over(&self) -> bool {
        self.end.at.is_some_and(|at| Instant::now() >= at)
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
        self.shared.reject(self.end.limit, self.end.scope, sent)
    }

    /// Whether a call whose time is over is ended. If it is not, that is counted, and its time never ends.
    pub(crate) fn enforces(&mut self, sent: bool) -> bool {
        !self.timing.is_off() && self.enforces_end(self.end, sent)
    }

    fn enforces_end(&mut self, end: End, sent: bool) -> bool {
        if !self.timing.is_sparing() || self.shared.enforces(end.limit, end.scope, sent) {
            return true;
        }
        self.timing = self.timing.off();
        self.end.at = None;
        self.idle = None;
        false
    }

    /// When the pause before the next frame has become too long.
    fn idle_end(&mut self) -> Option<End> {
        let limit = self.idle?;
        let asked = *self.asked.get_or_insert_with(Instant::now);
        Some(End { at: Some(asked + limit), limit, scope: TimeoutScope::Idle })
    }
}

impl Ticket for BodyDeadline {
    fn settle(&mut self, _: Verdict) {}

    #[inline(always)]
    fn heeds(&self) -> bool {
        false
    }

    fn poll_revoked(&mut self, cx: &mut Context<'_>) -> Poll<Rejection> {
        let ends = self.idle_end().into_iter().chain([self.end]);
        let Some(first) = ends.filter(|end| end.at.is_some()).min_by_key(|end| end.at) else {
            return Poll::Pending;
        };
        if let Some(at) = first.at {
            ready!(self.poll_until(at, cx));
        }
        if !self.enforces_end(first, true) {
            return Poll::Pending;
        }
        Poll::Ready(self.shared.reject(first.limit, first.scope, true))
    }

    fn frame(&mut self, _: usize) -> Option<Rejection> {
        // A pause begins when the next frame is asked for: how slowly they are read is no matter of the body.
        self.asked = None;
        None
    }
}

impl fmt::Debug for BodyDeadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyDeadline").field("timeout", &self.shared.name()).finish_non_exhaustive()
    }
}
