//! When a failure opens the breaker.
//!
//! Successes are only counted; each failure is remembered by how many successes came before it. Its
//! place among all calls follows, and with it both rules in constant time: `k` failures are consecutive
//! when the last and the k-th last have the same number of successes before them, and a ratio is met
//! when the failure that would make it is still within the window. This is exact for any history, and
//! successes need not know of each other.
//!
//! Only a failure can trip: a success never raises a ratio, and the call on which the minimum number of
//! calls is reached is judged like any other.

use super::{Config, state::Epoch};

/// The rules, as they are asked.
pub(crate) struct Rules {
    consecutive: Option<u64>,
    ratio: Option<f64>,
    window: u64,
    minimum_calls: u64,
}

impl Rules {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            consecutive: config.consecutive_failures.map(u64::from),
            ratio: config.failure_ratio,
            window: u64::from(config.window),
            minimum_calls: u64::from(config.minimum_calls),
        }
    }

    /// How many failures must be remembered to judge both rules, and to say how many are in the window.
    fn memory(&self) -> u64 {
        self.window.max(self.consecutive.unwrap_or(1))
    }
}

/// The least number of failures among `calls` whose share, as everybody divides it, is at least `ratio`:
/// 3 of 30 for 0.1, and 2 of 3 for two thirds, though neither is exact in binary.
fn threshold(ratio: f64, calls: u64) -> u64 {
    let meets = |failures: u64| failures as f64 / calls as f64 >= ratio;
    // Within one of the answer, for the rounding of the product.
    let guess = (ratio * calls as f64).ceil() as u64;
    (guess.saturating_sub(1)..guess).find(|&less| meets(less)).unwrap_or(guess + u64::from(!meets(guess)))
}

/// What the window held when it was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WindowCounts {
    pub(crate) failures: u32,
    pub(crate) calls: u32,
    pub(crate) consecutive: u32,
}

/// The failures of one epoch.
pub(crate) struct FailureLog {
    epoch: Epoch,
    /// Successes before each of the last failures; the failure with index `i` stands at `i % len`.
    before: Box<[u64]>,
    /// Failures of this epoch.
    count: u64,
}

impl FailureLog {
    pub(crate) fn new(rules: &Rules) -> Self {
        // The rules keep it at a million or less.
        let memory = usize::try_from(rules.memory()).unwrap_or(1);
        Self { epoch: Epoch::FIRST, before: vec![0; memory].into_boxed_slice(), count: 0 }
    }

    /// Adds a failure of `epoch`, which the caller knows to be the current one, with this many successes
    /// before it. Returns what the window then holds if a rule is met.
    pub(crate) fn push(&mut self, rules: &Rules, epoch: Epoch, successes: u64) -> Option<WindowCounts> {
        if epoch != self.epoch {
            self.epoch = epoch;
            self.count = 0;
        }
        let slot = self.slot(self.count);
        self.before[slot] = successes;
        self.count += 1;
        self.is_met(rules, successes).then(|| self.counts(rules, epoch, successes))
    }

    /// What the window holds after this many successes of `epoch`.
    pub(crate) fn counts(&self, rules: &Rules, epoch: Epoch, successes: u64) -> WindowCounts {
        let failures = if epoch == self.epoch { self.count } else { 0 };
        let total = failures + successes;
        let calls = total.min(rules.window);
        let in_window = self.last_while(failures, |i| self.position(i) + calls >= total);
        let in_a_row = self.last_while(failures, |i| self.before[self.slot(i)] == successes);
        WindowCounts { failures: in_window as u32, calls: calls as u32, consecutive: in_a_row as u32 }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.count = 0;
    }

    /// How many of the last failures `holds` is true of; once it is true, it stays true.
    fn last_while(&self, failures: u64, holds: impl Fn(u64) -> bool) -> u64 {
        let mut first = failures - failures.min(self.before.len() as u64);
        let mut end = failures;
        while first < end {
            let middle = first + (end - first) / 2;
            if holds(middle) { end = middle } else { first = middle + 1 }
        }
        failures - first
    }

    fn is_met(&self, rules: &Rules, successes: u64) -> bool {
        let consecutive = rules
            .consecutive
            .is_some_and(|k| self.count >= k && self.before[self.slot(self.count - k)] == successes);
        consecutive || rules.ratio.is_some_and(|ratio| self.ratio_met(rules, ratio, successes))
    }

    fn ratio_met(&self, rules: &Rules, ratio: f64, successes: u64) -> bool {
        let total = self.count + successes;
        let calls = total.min(rules.window);
        let needed = threshold(ratio, calls);
        total >= rules.minimum_calls
            && self.count >= needed
            && self.position(self.count - needed) + calls >= total
    }

    /// How many calls ended before the failure with this index.
    fn position(&self, index: u64) -> u64 {
        self.before[self.slot(index)] + index
    }

    fn slot(&self, index: u64) -> usize {
        (index % self.before.len() as u64) as usize
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    fn ratio_rules(ratio: f64, window: u32, minimum_calls: u32) -> Rules {
        let config = Config {
            consecutive_failures: None,
            failure_ratio: Some(ratio),
            window,
            minimum_calls,
            ..Config::default()
        };
        Rules::new(&config)
    }

    #[test]
    fn a_tenth_of_thirty_is_three() {
        assert_eq!(threshold(0.1, 30), 3);
    }

    /// Shares whose product with the number of calls is rounded up, down, or not at all.
    #[test]
    fn the_threshold_is_the_least_share_that_meets_the_ratio() {
        for calls in 1..=200u64 {
            for share in (1..=calls).map(|failures| failures as f64 / calls as f64) {
                for ratio in [share.to_bits() - 1, share.to_bits(), share.to_bits() + 1].map(f64::from_bits) {
                    let least = (1..=calls).find(|&failures| failures as f64 / calls as f64 >= ratio);
                    let beyond_all = ratio > 1.0;
                    assert!(beyond_all || least == Some(threshold(ratio, calls)), "{ratio} of {calls}");
                }
            }
        }
    }

    #[test]
    fn failures_leave_the_window_one_by_one() {
        let rules = ratio_rules(0.5, 10, 1);
        let mut log = FailureLog::new(&rules);
        // 4 failures, then 6 successes, then failures: the 1st new one pushes the 1st old one out.
        for before in [90, 90, 90, 90] {
            assert_eq!(log.push(&rules, Epoch::FIRST, before), None);
        }
        assert_eq!(log.push(&rules, Epoch::FIRST, 96), None);
        assert_eq!(log.counts(&rules, Epoch::FIRST, 96).failures, 4);
    }

    #[test]
    fn another_epoch_starts_empty() {
        let rules = ratio_rules(1.0, 2, 2);
        let mut log = FailureLog::new(&rules);
        let second = Epoch::FIRST.next();
        assert_eq!(log.push(&rules, Epoch::FIRST, 0), None);
        assert_eq!(log.push(&rules, second, 0), None, "the first failure of the new epoch");
        assert!(log.push(&rules, second, 0).is_some());
    }
}
