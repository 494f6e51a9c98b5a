//! Faults of a response's body.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use portcullis_core::{FailureKind, Rejection, Verdict, chaos::Plan};
use tokio::time::{Instant, Sleep};

use super::policy::Shared;
use crate::{Ticket, shard::Pinned};

/// Timers of tokio go off at the end of a millisecond.
const TICK: Duration = Duration::from_millis(2);
/// Longer than anybody waits, and short enough to be added to any time.
const FOR_EVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// So many seconds after a time.
fn later(time: Instant, seconds: f64) -> Instant {
    let took = Duration::try_from_secs_f64(seconds).map_or(FOR_EVER, |took| took.min(FOR_EVER));
    time.checked_add(took).unwrap_or(time)
}

/// What the body of a response meets.
pub struct ChaosTicket {
    shared: Pinned<Shared>,
    cut_after: Option<u64>,
    bandwidth: Option<u64>,
    /// When the last frame has gone through.
    due: Option<Instant>,
    passed: u64,
    timer: Option<Pin<Box<Sleep>>>,
}

impl ChaosTicket {
    /// `None` where the body meets nothing.
    pub(super) fn new(shared: &Pinned<Shared>, plan: &Plan) -> Option<Self> {
        let Plan { cut_after, bandwidth, .. } = *plan;
        (cut_after.is_some() || bandwidth.is_some()).then(|| Self {
            shared: shared.clone(),
            cut_after,
            bandwidth,
            due: None,
            passed: 0,
            timer: None,
        })
    }
}

impl Ticket for ChaosTicket {
    fn settle(&mut self, _: Verdict) {}

    #[inline(always)]
    fn heeds(&self) -> bool {
        false
    }

    /// A frame is seen when it has gone through, to its last byte.
    fn poll_paced(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(due) = self.due else { return Poll::Ready(()) };
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        if timer.deadline() != due {
            timer.as_mut().reset(due);
        }
        timer.as_mut().poll(cx)
    }

    fn frame(&mut self, bytes: usize) -> Option<Rejection> {
        self.passed = self.passed.saturating_add(bytes as u64);
        if let Some(bandwidth) = self.bandwidth {
            let now = Instant::now();
            // What came late by no more than a timer's tick has come in time, or every tick would add up.
            let free = self.due.filter(|due| now.saturating_duration_since(*due) <= TICK).unwrap_or(now);
            self.due = Some(later(free, bytes as f64 / bandwidth.max(1) as f64));
        }
        let cut = self.cut_after.is_some_and(|after| self.passed > after);
        cut.then(|| self.shared.failure(FailureKind::Network))
    }
}

impl fmt::Debug for ChaosTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChaosTicket").field("passed", &self.passed).finish_non_exhaustive()
    }
}
