//! The wait for a call's next attempt.

use std::{
    mem::ManuallyDrop,
    task::{Context, Poll},
    time::Duration,
};

use portcullis_core::Time;

use super::policy::Shared;
use crate::{
    alarm::{Lines, Timer},
    clock,
};

/// Until when a call waits, and by what.
pub(super) struct Wait {
    over: Time,
    /// Where the timer is: a call may go on by another thread.
    line: u32,
    /// Not dropped but by [`end`](Self::end): nearly all calls that have one here end before its time.
    timer: ManuallyDrop<Timer>,
}

impl Wait {
    pub(super) const NONE: Self = Self { over: Time::ORIGIN, line: 0, timer: ManuallyDrop::new(Timer::None) };

    /// Waits for so long from now on, in place of what was waited for.
    pub(super) fn begin(&mut self, shared: &Shared, wait: Duration) {
        self.end(shared);
        self.over = clock::now() + wait;
        self.line = Lines::here();
    }

    /// Ready when the time has come.
    #[inline(never)]
    pub(super) fn poll(&mut self, shared: &Shared, cx: &mut Context<'_>) -> Poll<()> {
        self.timer.poll(shared.lines.of(self.line), self.over, cx)
    }

    /// Nothing is waited for any more.
    pub(super) fn end(&mut self, shared: &Shared) {
        self.timer.end(shared.lines.of(self.line));
    }

    /// Whether there is nothing to be ended.
    #[inline(always)]
    pub(super) fn is_none(&self) -> bool {
        self.timer.is_none()
    }
}
