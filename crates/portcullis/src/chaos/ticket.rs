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

/// What the body of a response meets.
pub struct ChaosTicket {
    shared: Pinned<Shared>,
    cut_after: Option<u64>,
    bandwidth: Option<u64>,
    /// When the first frame was asked for.
    began: Option<Instant>,
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
            began: None,
            passed: 0,
            timer: None,
        })
    }
}

impl Ticket for ChaosTicket {
    fn settle(&mut self, _: Verdict) {}

    /// The next frame comes when those before it have gone through.
    fn poll_paced(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(bandwidth) = self.bandwidth else { return Poll::Ready(()) };
        let began = *self.began.get_or_insert_with(Instant::now);
        let took = Duration::try_from_secs_f64(self.passed as f64 / bandwidth.max(1) as f64);
        let Some(due) = took.ok().and_then(|took| began.checked_add(took)) else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        if timer.deadline() != due {
            timer.as_mut().reset(due);
        }
        timer.as_mut().poll(cx)
    }

    fn frame(&mut self, bytes: usize) -> Option<Rejection> {
        self.passed = self.passed.saturating_add(bytes as u64);
        let cut = self.cut_after.is_some_and(|after| self.passed > after);
        cut.then(|| self.shared.failure(FailureKind::Network))
    }
}

impl fmt::Debug for ChaosTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChaosTicket").field("passed", &self.passed).finish_non_exhaustive()
    }
}
