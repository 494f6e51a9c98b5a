//! Retries that calls and time pay for.
//!
//! The idea of deposits and withdrawals is Finagle's `RetryBudget`; there they expire after ten seconds, here
//! the bucket has a brim, which needs no memory of the past.
//!
//! A bucket that is filled and emptied would need a lock, or both in one word. This one keeps instead, on one scale
//! that only goes up, where it was emptied to; what it holds is how far what was earned lies ahead of that. Taking a
//! token is one exchange, as in the virtual scheduling of the GCRA. The scale goes round: only differences count.

use super::scale::Scale;
use crate::{
    Time,
    sync::{
        Mutex,
        atomic::{
            AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed},
        },
        lock,
    },
};

/// A token is a retry; tokens are kept in billionths, so that neither a share of a call nor a nanosecond
/// of the floor is rounded away.
pub(super) const TOKEN: u64 = 1_000_000_000;
/// Room for a whole retry and a share of the next; with less, shares would be lost at the brim.
const LEAST_SAVED: u32 = 2;

/// A bucket that is filled when it is asked, by the calls and the time since.
#[derive(Default)]
pub(super) struct Share {
    /// How far the bucket was emptied.
    spent: AtomicU64,
    scale: Scale,
    /// For who changes the scale; whether it was ever in use.
    used: Mutex<bool>,
}

/// What the bucket is filled by, and up to which brim.
#[derive(Clone, Copy, Default)]
pub(super) struct Rules {
    pub(super) per_call: u64,
    pub(super) per_second: u64,
    /// What it holds at most.
    pub(super) most: u64,
}

impl Rules {
    fn of(ratio: f64, per_second: u32) -> Self {
        Self {
            per_call: (ratio * TOKEN as f64).round() as u64,
            per_second: per_second.into(),
            most: u64::from(per_second.max(LEAST_SAVED)) * TOKEN,
        }
    }
}

/// What a bucket holds.
struct Level {
    /// How far it was emptied, when that was looked at.
    spent: u64,
    /// What was earned by then.
    earned: u64,
    tokens: u64,
}

impl Share {
    /// Comes into use with these rules: full when it is new, else with what was left. Nothing is paid for what
    /// happened in between.
    pub(super) fn open(&self, ratio: f64, per_second: u32, calls: impl Fn() -> u64, now: Option<Time>) {
        let mut used = lock(&self.used);
        let mut start = self.scale.start();
        if !*used {
            start.earned = self.spent.load(Relaxed).wrapping_add(u64::from(per_second) * TOKEN);
            *used = true;
        }
        start.calls = calls();
        start.at = start.at.max(now);
        self.scale.set(start, Rules::of(ratio, per_second));
    }

    /// Goes on with other rules, or out of use; until now it is filled by the old ones.
    pub(super) fn change(&self, to: Option<(f64, u32)>, calls: impl Fn() -> u64, now: Time) {
        let used = lock(&self.used);
        let to = to.map(|(ratio, per_second)| Rules::of(ratio, per_second));
        self.start_anew(&calls, now, to);
        drop(used);
    }

    /// Takes a retry out, if there is one.
    #[inline]
    pub(super) fn withdraw(&self, calls: impl Fn() -> u64, now: Time) -> bool {
        loop {
            let Level { spent, earned, tokens } = self.level(&calls, now);
            let Some(rest) = tokens.checked_sub(TOKEN) else { return false };
            let next = earned.wrapping_sub(rest);
            if self.spent.compare_exchange(spent, next, AcqRel, Relaxed).is_ok() {
                return true;
            }
        }
    }

    pub(super) fn available(&self, calls: impl Fn() -> u64, now: Time) -> u64 {
        self.level(&calls, now).tokens / TOKEN
    }

    /// Tokens that could be taken now.
    pub(super) fn tokens(&self, calls: impl Fn() -> u64, now: Time) -> u64 {
        self.level(&calls, now).tokens
    }

    /// What a nanosecond earns.
    pub(super) fn per_second(&self) -> u64 {
        self.scale.rules().per_second
    }

    /// Holds so many tokens, up to its brim.
    pub(super) fn refill(&self, tokens: u64, calls: impl Fn() -> u64, now: Time) {
        let earned = self.level(&calls, now).earned;
        let tokens = tokens.min(self.scale.rules().most);
        self.spent.store(earned.wrapping_sub(tokens), Relaxed);
    }

    #[inline]
    fn level(&self, calls: &impl Fn() -> u64, now: Time) -> Level {
        loop {
            // First, so that who took the last token saw no more than is seen after this.
            let spent = self.spent.load(Acquire);
            if let Some((earned, most)) = self.scale.earned(calls, now) {
                // As signed: for whose clock is late, nothing may be earned yet of what was spent.
                let tokens = u64::try_from(earned.wrapping_sub(spent) as i64).unwrap_or(0).min(most);
                return Level { spent, earned, tokens };
            }
            self.start_again(calls, now);
        }
    }

    /// Has the scale start where it is now.
    #[cold]
    #[inline(never)]
    fn start_again(&self, calls: &impl Fn() -> u64, now: Time) {
        let used = lock(&self.used);
        // Unless another has done so meanwhile: those who read would disturb each other else.
        if self.scale.earned(calls, now).is_none() {
            self.start_anew(calls, now, None);
        }
        drop(used);
    }

    /// Has the scale start where it is now, with other rules if there are any. Under the lock.
    #[cold]
    #[inline(never)]
    fn start_anew(&self, calls: &impl Fn() -> u64, now: Time, to: Option<Rules>) {
        let rules = self.scale.rules();
        let start = self.scale.start_at(calls(), now);
        // What flowed over the brim must not stay between the two: their distance must not go round.
        let least = start.earned.wrapping_sub(rules.most);
        let over =
            |spent: u64| (start.earned.wrapping_sub(spent) as i64 > rules.most as i64).then_some(least);
        let _ = self.spent.fetch_update(AcqRel, Acquire, over);
        self.scale.set(start, to.unwrap_or(rules));
    }
}
