//! From one state to the next.

use super::{Machine, State, counters::bump, state::Word, trip::WindowCounts};
use crate::{
    FailureKind, Time,
    sync::atomic::Ordering::{AcqRel, Acquire, Relaxed},
};

impl Machine {
    /// Moves on from `from`, unless somebody else has.
    pub(super) fn transition(&self, from: Word, to: State, millis: u64, now: Time) -> bool {
        let next = from.next(to, millis);
        if self.word.compare_exchange(from.raw(), next.raw(), AcqRel, Acquire).is_err() {
            return false;
        }
        self.since.store(now.as_nanos(), Relaxed);
        bump(&self.transitions);
        if to == State::Open {
            bump(&self.trips);
        }
        // Every time, so that no count is ever left so far behind that its epoch looks newer.
        self.counters.begin(next.epoch());
        self.probes.begin(next.epoch());
        true
    }

    /// Open => Open, at least until `millis`: the same epoch, and the same reason.
    pub(super) fn stay_open(&self, from: Word, millis: u64) -> bool {
        let longer = Word::new(State::Open, from.epoch(), millis.max(from.time().as_millis()));
        from.state() == State::Open
            && self.word.compare_exchange(from.raw(), longer.raw(), AcqRel, Acquire).is_ok()
    }

    /// Moves to where `to` says, however often the state moves meanwhile. What is done by hand has no
    /// evidence.
    pub(super) fn update(&self, now: Time, to: impl Fn(Word) -> Option<(State, u64)>) {
        loop {
            let word = self.word();
            let Some((state, millis)) = to(word) else { return };
            self.evidence.store(0, Relaxed);
            if self.transition(word, state, millis, now) {
                return;
            }
        }
    }

    /// Keeps what the window held when it opened the breaker.
    pub(super) fn keep_evidence(&self, counts: WindowCounts) {
        let word = (u64::from(counts.failures) << 32) | u64::from(counts.calls);
        self.evidence.store(word, Relaxed);
    }

    /// What the window held when it opened the breaker; nothing when it was opened by hand.
    pub(super) fn evidence(&self) -> WindowCounts {
        let word = self.evidence.load(Relaxed);
        WindowCounts { failures: (word >> 32) as u32, calls: word as u32, consecutive: 0 }
    }

    pub(super) fn record_failure_kind(&self, kind: FailureKind) {
        self.last_failure.store(kind as u64, Relaxed);
    }

    pub(super) fn last_failure(&self) -> Option<FailureKind> {
        FailureKind::from_number(self.last_failure.load(Relaxed) as u8)
    }
}
