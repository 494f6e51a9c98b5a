//! The timer of one call, which most calls need not have.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use pin_project_lite::pin_project;
use portcullis_core::Time;
use tokio::time::{Instant, Sleep};

use super::word::Timing;
use crate::clock;

pin_project! {
    /// Armed when the call is first pending.
    pub(super) struct Timer {
        // Of two, so that one comparison tells whether there is anything to drop.
        #[pin]
        sleep: Option<Sleep>,
        // The origin, where it need not be known how long the call takes.
        began: Time,
    }
}

impl Timer {
    #[inline(always)]
    pub(super) const fn new(began: Time) -> Self {
        Self { sleep: None, began }
    }

    /// Whether the time was over when it was last looked at.
    pub(super) fn is_over(self: Pin<&Self>) -> bool {
        self.project_ref().sleep.as_pin_ref().is_some_and(|sleep| sleep.is_elapsed())
    }

    /// Ready when the time of a call that is timed so is over.
    #[inline]
    pub(super) fn poll(mut self: Pin<&mut Self>, timing: Timing, cx: &mut Context<'_>) -> Poll<()> {
        if self.sleep.is_none() {
            let sleep = if self.began == Time::ORIGIN {
                tokio::time::sleep(timing.limit())
            } else {
                // The time counts from there on.
                tokio::time::sleep_until(self.as_ref().end(timing))
            };
            self.as_mut().project().sleep.set(Some(sleep));
        }
        match self.project().sleep.as_pin_mut() {
            Some(sleep) => sleep.poll(cx),
            None => Poll::Pending,
        }
    }

    /// When the time is over, of a call that is timed so.
    pub(super) fn end(self: Pin<&Self>, timing: Timing) -> Instant {
        if let Some(sleep) = self.project_ref().sleep.as_pin_ref() {
            return sleep.deadline();
        }
        let known = self.began != Time::ORIGIN;
        let took = if known { clock::now().since(self.began) } else { Duration::ZERO };
        Instant::now() + timing.limit().saturating_sub(took)
    }

    /// How long the call has taken.
    pub(super) fn took(self: Pin<&Self>, timing: Timing) -> Duration {
        (Instant::now() + timing.limit()).saturating_duration_since(self.end(timing))
    }
}
