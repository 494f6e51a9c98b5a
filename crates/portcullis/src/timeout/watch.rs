//! What a call has of its timeout, and the timer, which most calls need not have.

use std::{
    mem::ManuallyDrop,
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Poll},
    time::Duration,
};

use portcullis_core::{Rejection, Time};
use tokio::time::Instant;

use super::{policy::Held, word::Timing};
use crate::{alarm::Timer, clock};

/// Goes with the answer. Who was never pending [lets it go](Self::let_go), which costs next to nothing; else it is dropped
/// by code that stands apart, so that the futures around the one that has it remain small enough to be inlined.
pub(super) struct Watch {
    timing: Timing,
    /// From when on the time counts: the origin until the call is pending.
    began: Time,
    // Neither is dropped but by what is below.
    timeout: ManuallyDrop<Option<Held>>,
    timer: ManuallyDrop<Timer>,
}

impl Watch {
    #[inline(always)]
    pub(super) const fn new(timeout: Held, timing: Timing) -> Self {
        let timer = ManuallyDrop::new(Timer::None);
        Self { timing, began: Time::ORIGIN, timeout: ManuallyDrop::new(Some(timeout)), timer }
    }

    /// How the call is timed.
    #[inline(always)]
    pub(super) const fn timing(&self) -> Timing {
        self.timing
    }

    /// Of a call that was not pending.
    #[inline(always)]
    pub(super) fn let_go(&mut self) {
        *self.timeout = None;
    }

    /// Ready when the time is over. It counts from the first time that this is asked.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.timing.is_off() {
            return Poll::Pending;
        }
        let Some(timeout) = &*self.timeout else { return Poll::Pending }; // was ready
        if self.began == Time::ORIGIN {
            self.began = clock::now();
            self.timing = timeout.timing(self.timing, self.began).pending();
        }
        self.timer.poll(timeout.local(), self.began + self.timing.limit(), cx)
    }

    /// Whether the time of a call that waits for its turn is over.
    pub(super) fn is_over(&self) -> bool {
        let is_known = self.began != Time::ORIGIN && !self.timing.is_off();
        is_known && self.began + self.timing.limit() <= clock::now()
    }

    /// When the time is over.
    pub(super) fn end(&self) -> Instant {
        let began = if self.began == Time::ORIGIN { clock::now() } else { self.began };
        clock::instant(began + self.timing.limit())
    }

    /// Counts how long was waited for the answer, if that is wanted.
    pub(super) fn answered(&self) {
        if let Some(timeout) = &*self.timeout {
            if self.timing.is_adaptive() {
                let waited =
                    if self.began == Time::ORIGIN { Duration::ZERO } else { clock::now().since(self.began) };
                timeout.took(timeout.shard(), waited);
            }
        }
    }

    /// What becomes of a call whose time is over; nothing if it goes on, which is not timed any more then.
    pub(super) fn late(&mut self, sent: bool) -> Option<Rejection> {
        let timeout = self.timeout.as_ref()?;
        let (limit, scope) = (self.timing.limit(), self.timing.scope());
        if self.timing.is_sparing() && !timeout.enforces(limit, scope, sent) {
            // How long it takes in the end is known then.
            self.timing = self.timing.off();
            return None;
        }
        if self.timing.is_adaptive() {
            timeout.took(timeout.shard(), limit);
        }
        Some(timeout.reject(limit, scope, sent))
    }

    /// What it has, without the timer.
    pub(super) fn end_timer(&mut self) -> Option<Held> {
        self.unset();
        self.timeout.take()
    }

    fn unset(&mut self) {
        if let Some(timeout) = &*self.timeout {
            self.timer.end(timeout.local());
        }
    }
}

/// By an ABI that does not unwind: with the cleanup after a panic, a future is too large to be inlined in those of the
/// layers above. Of what is dropped here, only a waker could panic.
#[cold]
#[inline(never)]
extern "C" fn drop_apart(watch: &mut Watch) {
    // Nobody is there to whom it could be told.
    let _panicked = catch_unwind(AssertUnwindSafe(|| drop(watch.end_timer())));
}

impl Drop for Watch {
    #[inline(always)]
    fn drop(&mut self) {
        if self.timeout.is_some() {
            drop_apart(self);
        }
    }
}
