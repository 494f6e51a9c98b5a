//! The scale on which a share counts what was earned.

use super::share::Rules;
use crate::{
    Time,
    sync::atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
        fence,
    },
};

/// No time, for it takes five centuries.
const NEVER: u64 = u64::MAX;
/// More is not earned without a new start: what is spent must stay comparable with it. Four of the fullest buckets,
/// a thousandfold.
const LONGEST: u64 = 1 << 62;

/// Where the scale starts, and what it grows by. Read without a lock: who reads looks at the version before and
/// after, and reads again when it has changed (a sequence lock, of atomics alone).
pub(super) struct Scale {
    /// Odd while it is changed.
    version: AtomicU64,
    earned: AtomicU64,
    calls: AtomicU64,
    at: AtomicU64,
    per_call: AtomicU64,
    per_second: AtomicU64,
    most: AtomicU64,
}

/// From where it is counted on.
#[derive(Clone, Copy)]
pub(super) struct Start {
    /// What was earned until then.
    pub(super) earned: u64,
    /// Calls that have been turned into tokens.
    pub(super) calls: u64,
    /// Until when time has been counted; `None` before it was asked for the first time.
    pub(super) at: Option<Time>,
}

impl Default for Scale {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            version: zero(),
            earned: zero(),
            calls: zero(),
            at: AtomicU64::new(NEVER),
            per_call: zero(),
            per_second: zero(),
            most: zero(),
        }
    }
}

impl Scale {
    /// What is earned by now, and the brim; `None` when it is to start anew, or is just changed.
    #[inline]
    pub(super) fn earned(&self, calls: &impl Fn() -> u64, now: Time) -> Option<(u64, u64)> {
        let version = self.version.load(Acquire);
        let at = self.at.load(Relaxed);
        // A clock may have run for long before there was a budget.
        if version % 2 == 1 || at == NEVER {
            return None;
        }
        let since = calls().wrapping_sub(self.calls.load(Relaxed));
        let from_calls = since.checked_mul(self.per_call.load(Relaxed))?;
        // Tokens per second times nanoseconds are billionths of tokens.
        let elapsed = now.as_nanos().saturating_sub(at);
        let from_time = elapsed.checked_mul(self.per_second.load(Relaxed))?;
        let more = from_calls.checked_add(from_time).filter(|&more| more < LONGEST)?;
        let (earned, most) = (self.earned.load(Relaxed), self.most.load(Relaxed));
        // Whatever was read so far is of this version, the calls too: no call may pay by rules that came before it.
        fence(Acquire);
        (self.version.load(Relaxed) == version).then_some((earned.wrapping_add(more), most))
    }

    /// Where it started. Under the lock of who changes it, as all below.
    pub(super) fn start(&self) -> Start {
        let at = self.at.load(Relaxed);
        Start {
            earned: self.earned.load(Relaxed),
            calls: self.calls.load(Relaxed),
            at: (at != NEVER).then(|| Time::from_nanos(at)),
        }
    }

    pub(super) fn rules(&self) -> Rules {
        Rules {
            per_call: self.per_call.load(Relaxed),
            per_second: self.per_second.load(Relaxed),
            most: self.most.load(Relaxed),
        }
    }

    /// A start at this moment.
    pub(super) fn start_at(&self, calls: u64, now: Time) -> Start {
        let (start, rules) = (self.start(), self.rules());
        let from_calls = calls.wrapping_sub(start.calls).saturating_mul(rules.per_call);
        let elapsed = now.as_nanos().saturating_sub(start.at.unwrap_or(now).as_nanos());
        let from_time = elapsed.saturating_mul(rules.per_second);
        let more = from_calls.saturating_add(from_time).min(LONGEST);
        Start { earned: start.earned.wrapping_add(more), calls, at: start.at.max(Some(now)) }
    }

    pub(super) fn set(&self, start: Start, rules: Rules) {
        let version = self.version.load(Relaxed);
        self.version.store(version.wrapping_add(1), Relaxed);
        fence(Release);
        self.earned.store(start.earned, Relaxed);
        self.calls.store(start.calls, Relaxed);
        // The last time there is would be none.
        self.at.store(start.at.map_or(NEVER, |at| at.as_nanos().min(NEVER - 1)), Relaxed);
        self.per_call.store(rules.per_call, Relaxed);
        self.per_second.store(rules.per_second, Relaxed);
        self.most.store(rules.most, Relaxed);
        self.version.store(version.wrapping_add(2), Release);
    }
}
