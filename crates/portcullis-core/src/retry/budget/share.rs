//! Retries that calls and time pay for.
//!
//! The idea of deposits and withdrawals is Finagle's `RetryBudget`; there they expire after ten seconds, here
//! the bucket has a brim, which needs no memory of the past.

use crate::{
    Time,
    sync::{Mutex, MutexGuard, lock},
};

/// A token is a retry; tokens are kept in billionths, so that neither a share of a call nor a nanosecond
/// of the floor is rounded away.
pub(super) const TOKEN: u64 = 1_000_000_000;
/// Room for a whole retry and a share of the next; with less, shares would be lost at the brim.
const LEAST_SAVED: u32 = 2;

/// A bucket that is filled when it is asked, by the calls and the time since.
#[derive(Default)]
pub(super) struct Share(Mutex<Bucket>);

#[derive(Default)]
struct Bucket {
    tokens: u64,
    /// What it holds at most.
    most: u64,
    per_call: u64,
    per_second: u64,
    /// Calls that have been turned into tokens.
    seen: u64,
    /// Until when time has been counted; `None` before it was asked for the first time.
    at: Option<Time>,
    /// Whether it was ever in use.
    used: bool,
}

impl Share {
    /// Comes into use with these rules: full when it is new, else with what was left. Nothing is paid for what
    /// happened in between.
    pub(super) fn open(&self, ratio: f64, per_second: u32, calls: impl Fn() -> u64, now: Option<Time>) {
        let mut bucket = lock(&self.0);
        bucket.set(ratio, per_second);
        if !bucket.used {
            bucket.tokens = u64::from(per_second) * TOKEN;
            bucket.used = true;
        }
        bucket.seen = calls();
        bucket.at = bucket.at.max(now);
    }

    /// Goes on with other rules, or out of use; until now it is filled by the old ones.
    pub(super) fn change(&self, to: Option<(f64, u32)>, calls: impl Fn() -> u64, now: Time) {
        let mut bucket = self.filled(calls, now);
        if let Some((ratio, per_second)) = to {
            bucket.set(ratio, per_second);
        }
    }

    /// Takes a retry out, if there is one.
    pub(super) fn withdraw(&self, calls: impl Fn() -> u64, now: Time) -> bool {
        let mut bucket = self.filled(calls, now);
        let rest = bucket.tokens.checked_sub(TOKEN);
        bucket.tokens = rest.unwrap_or(bucket.tokens);
        rest.is_some()
    }

    pub(super) fn available(&self, calls: impl Fn() -> u64, now: Time) -> u64 {
        self.filled(calls, now).tokens / TOKEN
    }

    fn filled(&self, calls: impl Fn() -> u64, now: Time) -> MutexGuard<'_, Bucket> {
        let mut bucket = lock(&self.0);
        // Counted under the lock, so that none is before what the last one saw.
        bucket.fill(calls(), now);
        bucket
    }
}

impl Bucket {
    fn set(&mut self, ratio: f64, per_second: u32) {
        self.most = u64::from(per_second.max(LEAST_SAVED)) * TOKEN;
        self.per_call = (ratio * TOKEN as f64).round() as u64;
        self.per_second = per_second.into();
    }

    fn fill(&mut self, calls: u64, now: Time) {
        let from_calls = calls.wrapping_sub(self.seen).saturating_mul(self.per_call);
        // A clock may have run for long before there was a budget.
        let elapsed = now.as_nanos().saturating_sub(self.at.unwrap_or(now).as_nanos());
        // Tokens per second times nanoseconds are billionths of tokens.
        let from_time = elapsed.saturating_mul(self.per_second);
        self.tokens = self.tokens.saturating_add(from_calls).saturating_add(from_time).min(self.most);
        self.seen = calls;
        self.at = self.at.max(Some(now));
    }
}
