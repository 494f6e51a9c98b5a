//! The share of retries among calls.

use std::fmt;

use crate::{
    ConfigError, Padded, Time, check_range,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
        lock,
    },
};

/// One retry for five calls: a dead dependency sees a fifth more load, not three times as much.
pub const DEFAULT_RATIO: f64 = 0.2;
/// Enough that a service with little traffic can retry at all.
pub const DEFAULT_MIN_PER_SECOND: u32 = 10;

/// The rules of a retry budget.
#[derive(Clone, Debug, PartialEq)]
pub struct BudgetConfig {
    /// Retries each call pays for (default 0.2); 0 to 1.
    pub ratio: f64,
    /// Retries a second that are allowed whatever the number of calls (default 10); 0 to 1,000,000. Also how many
    /// retries can be saved up, with a least of 2.
    pub min_per_second: u32,
}

impl Default for BudgetConfig {
    fn default() -> Self {
        Self { ratio: DEFAULT_RATIO, min_per_second: DEFAULT_MIN_PER_SECOND }
    }
}

impl BudgetConfig {
    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_range("budget.ratio", self.ratio, 0.0..=1.0)?;
        check_range("budget.min_per_second", self.min_per_second, 0..=1_000_000)
    }
}

/// A token is a retry; tokens are kept in billionths, so that neither a share of a call nor a nanosecond
/// of the floor is rounded away.
const TOKEN: u64 = 1_000_000_000;
/// Room for a whole retry and a share of the next; with less, shares would be lost at the brim.
const LEAST_SAVED: u32 = 2;

/// A bucket of retries that calls and time fill.
///
/// Over any stretch of `t` seconds it grants at most `ratio * calls + min_per_second * t` retries, and
/// what had been saved, which is at most `max(min_per_second, 2)`. A call adds one to a counter of its
/// own shard; only a retry reads them.
///
/// The idea of deposits and withdrawals is Finagle's `RetryBudget`.
pub struct Budget {
    calls: Box<[Padded<AtomicU64>]>,
    bucket: Mutex<Bucket>,
    per_call: u64,
    config: BudgetConfig,
}

struct Bucket {
    tokens: u64,
    /// Calls that have been turned into tokens.
    seen: u64,
    at: Option<Time>,
}

impl Budget {
    /// A budget with as many retries saved up as it can hold from its floor.
    ///
    /// # Errors
    ///
    /// The first field of `config` outside its range.
    pub fn new(config: BudgetConfig, shards: usize) -> Result<Self, ConfigError> {
        config.check()?;
        let shards = shards.clamp(1, 1024).next_power_of_two();
        let tokens = u64::from(config.min_per_second) * TOKEN;
        Ok(Self {
            calls: (0..shards).map(|_| Padded::default()).collect(),
            bucket: Mutex::new(Bucket { tokens, seen: 0, at: None }),
            per_call: (config.ratio * TOKEN as f64).round() as u64,
            config,
        })
    }

    /// Counts a call (not a retry).
    #[inline]
    pub fn deposit(&self, shard: usize) {
        // A power of two of shards: the mask never leaves the slice.
        self.calls[shard & (self.calls.len() - 1)].fetch_add(1, Relaxed);
    }

    /// Takes one retry out, if there is one.
    pub fn withdraw(&self, now: Time) -> bool {
        let mut bucket = lock(&self.bucket);
        self.fill(&mut bucket, now);
        match bucket.tokens.checked_sub(TOKEN) {
            Some(rest) => {
                bucket.tokens = rest;
                true
            }
            None => false,
        }
    }

    /// Whole retries that could be taken out now.
    pub fn available(&self, now: Time) -> u64 {
        let mut bucket = lock(&self.bucket);
        self.fill(&mut bucket, now);
        bucket.tokens / TOKEN
    }

    /// Calls that were counted.
    pub fn calls(&self) -> u64 {
        self.calls.iter().fold(0, |sum, shard| sum.wrapping_add(shard.load(Relaxed)))
    }

    /// The rules.
    pub fn config(&self) -> &BudgetConfig {
        &self.config
    }

    fn fill(&self, bucket: &mut Bucket, now: Time) {
        let calls = self.calls();
        let from_calls = calls.wrapping_sub(bucket.seen).saturating_mul(self.per_call);
        let elapsed = now.as_nanos().saturating_sub(bucket.at.unwrap_or(now).as_nanos());
        // Tokens per second times nanoseconds are billionths of tokens.
        let from_time = elapsed.saturating_mul(u64::from(self.config.min_per_second));
        let most = u64::from(self.config.min_per_second.max(LEAST_SAVED)) * TOKEN;
        bucket.tokens = bucket.tokens.saturating_add(from_calls).saturating_add(from_time).min(most);
        bucket.seen = calls;
        bucket.at = Some(bucket.at.map_or(now, |at| at.max(now)));
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("calls", &self.calls()).field("config", &self.config).finish()
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// T22: a budget of 51 to 99 % granted 100 %.
    #[test]
    fn t22_grants_the_ratio_that_was_asked_for() {
        for percent in [1, 20, 51, 75, 90, 99, 100] {
            let config = BudgetConfig { ratio: f64::from(percent) / 100.0, min_per_second: 0 };
            let budget = Budget::new(config, 2).unwrap();
            let granted = (0..10_000usize).filter(|&call| {
                budget.deposit(call);
                budget.withdraw(Time::ORIGIN)
            });
            assert_eq!(granted.count(), percent as usize * 100, "{percent} %");
        }
    }

    #[test]
    fn the_floor_fills_with_time_and_no_higher() {
        let budget = Budget::new(BudgetConfig::default(), 1).unwrap();
        let take_all = |ms| (0..100).filter(|_| budget.withdraw(Time::from_millis(ms))).count();
        assert_eq!(take_all(0), 10);
        assert_eq!(take_all(100), 1);
        assert_eq!(take_all(3_600_000), 10);
        assert_eq!(take_all(0), 0, "a clock that jumps back gives nothing");
    }

    #[derive(Clone, Debug)]
    enum Step {
        Call,
        Retry,
        Wait(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![Just(Step::Call), Just(Step::Retry), (0u64..500_000_000).prop_map(Step::Wait)]
    }

    proptest! {
        /// Over every window of every history: retries <= ratio * calls + floor * (seconds + 1).
        #[test]
        fn bound_holds_over_any_window(
            ratio in 0u32..=100, floor in 0u32..20, steps in prop::collection::vec(step(), 1..200),
        ) {
            let config = BudgetConfig { ratio: f64::from(ratio) / 100.0, min_per_second: floor };
            let budget = Budget::new(config, 1).unwrap();
            let mut now = 0;
            let mut history = Vec::new(); // (time, calls, granted) after each step
            history.push((0u64, 0u64, 0u64));
            for step in steps {
                let &(_, mut calls, mut granted) = history.last().unwrap();
                match step {
                    Step::Call => { budget.deposit(0); calls += 1 }
                    Step::Retry => granted += u64::from(budget.withdraw(Time::from_nanos(now))),
                    Step::Wait(nanos) => now += nanos,
                }
                history.push((now, calls, granted));
            }
            for (i, from) in history.iter().enumerate() {
                for to in &history[i..] {
                    let seconds = (to.0 - from.0) as f64 / 1e9;
                    let calls = (to.1 - from.1) as f64;
                    let bound = calls * f64::from(ratio) / 100.0
                        + f64::from(floor) * seconds + f64::from(floor.max(2));
                    prop_assert!((to.2 - from.2) as f64 <= bound + 1e-6, "{from:?} to {to:?}");
                }
            }
        }
    }
}
