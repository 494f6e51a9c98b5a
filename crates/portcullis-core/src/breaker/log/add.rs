//! How a failure, or a slow success, is added to what a breaker remembers.

use super::Log;
use crate::{FailureKind, Time, breaker::trip::Mark};

/// A count by kind of the log's own comes round at this.
const ROUND: u64 = 1 << u16::BITS;

impl Log {
    /// Returns how many calls there are with it.
    pub(in crate::breaker) fn add(&mut self, mark: Mark, successes: u64) -> u64 {
        // A failure comes after all others; a slow success has been counted among them.
        let position = (successes + self.count).saturating_sub(u64::from(mark.failure.is_none()));
        if let Some(kind) = mark.failure {
            self.mark_failure(position, kind);
        }
        if let (true, Some(slow)) = (mark.slow, self.rare.as_mut().and_then(|rare| rare.slow.as_mut())) {
            slow.mark(position, 0);
        }
        successes + self.count
    }

    #[inline]
    pub(in crate::breaker) fn mark_failure(&mut self, position: u64, kind: FailureKind) {
        self.run = self.run_with(position);
        self.failures.mark(position, kind as u8);
        self.counted(kind);
    }

    /// Failures in a row, with one at this place.
    #[inline(always)]
    pub(in crate::breaker) fn run_with(&self, position: u64) -> u32 {
        let follows = self.count > 0 && position == self.failures.newest() + 1;
        if follows { self.run.saturating_add(1) } else { 1 }
    }

    /// Counts a failure that has been marked.
    #[inline(always)]
    pub(in crate::breaker) fn counted(&mut self, kind: FailureKind) {
        self.count += 1;
        self.last_failure = Some(kind);
        let count = &mut self.by_kind[kind.index()];
        *count = count.wrapping_add(1);
        if *count == 0 {
            self.came_round(kind);
        }
    }

    #[cold]
    #[inline(never)]
    fn came_round(&mut self, kind: FailureKind) {
        self.rare.get_or_insert_default().by_kind[kind.index()] += ROUND;
    }

    /// Adds a failure, if that needs no second thought: the short way. Otherwise nothing is added.
    ///
    /// `seen` is a number of successes with the tag of the epoch.
    #[inline(always)]
    pub(in crate::breaker) fn add_ahead(&mut self, kind: FailureKind, seen: u64) -> bool {
        // With another tag it is far from the newest one.
        let position = seen.wrapping_add(self.untagged).wrapping_add(self.count);
        let run = if position.wrapping_sub(self.failures.newest()) == 1 {
            let run = self.run.wrapping_add(1);
            if run >= self.row {
                return false;
            }
            run
        } else {
            1
        };
        if !self.failures.mark_ahead(position, kind as u8) {
            return false;
        }
        self.run = run;
        self.counted(kind);
        true
    }

    /// Adds a failure after so many successes, if there are [few enough](Self::allow) in both windows for it
    /// to meet no rule for certain. Otherwise nothing is added.
    pub(in crate::breaker) fn add_timed(&mut self, kind: FailureKind, successes: u64, now: Time) -> bool {
        let position = successes + self.count;
        let run = self.run_with(position);
        let Some(recent) = self.rare.as_mut().and_then(|rare| rare.recent.as_deref_mut()) else {
            return false;
        };
        if run >= self.row || !recent.allows(now) || !self.failures.mark_ahead(position, kind as u8) {
            return false;
        }
        recent.failure(now, kind as u8, false);
        self.run = run;
        self.counted(kind);
        true
    }

    /// Says how many failures there may be in the windows before one meets a rule.
    pub(in crate::breaker) fn allow(&mut self, last: u32, recent: u32) {
        self.failures.allow(last);
        if let Some(window) = self.last_seconds_mut() {
            window.allow(recent.into());
        }
    }

    pub(in crate::breaker) fn add_recent(&mut self, mark: Mark, now: Time) {
        let Some(recent) = self.last_seconds_mut() else { return };
        match mark.failure {
            Some(kind) => recent.failure(now, kind as u8, mark.slow),
            None => {
                recent.advance(now);
                recent.slow_success(now);
            }
        }
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;
    use crate::breaker::{Config, Settings};

    /// Counts by kind are narrow, so that a breaker is small; what does not fit is kept elsewhere.
    #[test]
    fn more_failures_of_a_kind_than_fit_in_its_count_are_counted() {
        let mut log = Log::new(&Settings::new(Config::default()).unwrap());
        let kinds = [FailureKind::Timeout, FailureKind::Other, FailureKind::Other];
        (0..ROUND).for_each(|_| kinds.iter().for_each(|&kind| log.counted(kind)));
        assert_eq!(log.by_kind()[FailureKind::Timeout.index()], ROUND);
        assert_eq!(log.by_kind()[FailureKind::Other.index()], 2 * ROUND);
        assert_eq!((log.total(), log.count), (3 * ROUND, 3 * ROUND));
        log.clear();
        assert_eq!((log.total(), log.count), (3 * ROUND, 0), "of all epochs");
    }

    /// Beside 136 bytes of the breaker, and what its marks take.
    #[test]
    fn a_log_is_small() {
        assert!(size_of::<Log>() <= 144, "{} bytes", size_of::<Log>());
    }
}
