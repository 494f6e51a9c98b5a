//! How long calls take of late: a moving average that follows peaks at once.

use std::time::Duration;

use crate::{
    Time,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// As Finagle has it: after this time without calls a bad one weighs a third.
pub const DEFAULT_DECAY: Duration = Duration::from_secs(10);
/// Ten of its clock's ticks.
pub const SHORTEST_DECAY: Duration = Duration::from_millis(10);
/// As long as its clock can tell apart.
pub const LONGEST_DECAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Microseconds in the upper half, of which 0 is unknown; in the lower half when that was, in milliseconds,
/// which go round after 49 days. One word, so that both are of one call.
#[derive(Debug, Default)]
pub(super) struct Ewma(AtomicU64);

#[derive(Clone, Copy)]
struct Word {
    micros: u32,
    at: u32,
}

impl Word {
    fn of(word: u64) -> Self {
        Self { micros: (word >> 32) as u32, at: word as u32 }
    }

    fn packed(self) -> u64 {
        u64::from(self.micros) << 32 | u64::from(self.at)
    }

    /// What is left of its weight at this time.
    fn left(self, now: u32, decay: Duration) -> f64 {
        let passed = now.wrapping_sub(self.at);
        // Two threads' clocks may be read in another order than they come here: then no time has passed.
        if passed == 0 || passed > u32::MAX / 2 {
            return 1.0;
        }
        (-f64::from(passed) / 1000.0 / decay.as_secs_f64()).exp()
    }
}

impl Ewma {
    /// Counts a call that took this long. A longer one than what is known replaces it.
    pub(super) fn observe(&self, took: Duration, now: Time, decay: Duration) {
        let took = u32::try_from(took.as_micros()).unwrap_or(u32::MAX).max(1);
        let now = now.as_millis() as u32;
        let changed = |word: u64| {
            let known = Word::of(word);
            if known.micros <= took {
                return Some(Word { micros: took, at: now }.packed());
            }
            let left = known.left(now, decay);
            let micros = f64::from(known.micros) * left + f64::from(took) * (1.0 - left);
            // In the same tick nothing has been forgotten.
            (left < 1.0).then(|| Word { micros: (micros as u32).max(1), at: now }.packed())
        };
        let _ = self.0.fetch_update(Relaxed, Relaxed, changed);
    }

    /// Counts a call that took longer than this: it can raise what is known, and never lower it.
    pub(super) fn at_least(&self, took: Duration, now: Time, decay: Duration) {
        let longer = took.as_secs_f64() * 1e6 > self.micros(now, decay).unwrap_or(0.0);
        if longer {
            self.observe(took, now, decay);
        }
    }

    /// How long a call takes, in microseconds; without calls less and less, so that who was slow is tried again.
    /// `None`, when none was seen.
    pub(super) fn micros(&self, now: Time, decay: Duration) -> Option<f64> {
        let known = Word::of(self.0.load(Relaxed));
        let left = || known.left(now.as_millis() as u32, decay);
        (known.micros > 0).then(|| f64::from(known.micros) * left())
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    const DECAY: Duration = Duration::from_secs(10);

    #[test]
    fn follows_a_peak_at_once_and_forgets_it_slowly() {
        let ewma = Ewma::default();
        let at = Time::from_millis;
        assert_eq!(ewma.micros(at(0), DECAY), None);
        ewma.observe(Duration::from_millis(10), at(0), DECAY);
        ewma.observe(Duration::from_millis(100), at(0), DECAY);
        assert_eq!(ewma.micros(at(0), DECAY), Some(100_000.0));
        ewma.observe(Duration::from_millis(10), at(0), DECAY);
        assert_eq!(ewma.micros(at(0), DECAY), Some(100_000.0), "in the same tick");
        ewma.observe(Duration::from_millis(10), at(10_000), DECAY);
        let after = ewma.micros(at(10_000), DECAY).unwrap();
        assert!((after - (100_000.0 / std::f64::consts::E + 10_000.0 * 0.632)).abs() < 10.0, "{after}");
        assert!(ewma.micros(at(60_000), DECAY).unwrap() < 500.0, "tried again");
    }

    #[test]
    fn a_call_that_was_given_up_lowers_nothing() {
        let ewma = Ewma::default();
        let at = Time::from_millis;
        ewma.observe(Duration::from_millis(200), at(0), DECAY);
        ewma.at_least(Duration::from_millis(20), at(1000), DECAY);
        assert!(ewma.micros(at(1000), DECAY).unwrap() > 180_000.0);
        ewma.at_least(Duration::from_millis(300), at(1000), DECAY);
        assert_eq!(ewma.micros(at(1000), DECAY), Some(300_000.0));
    }

    #[test]
    fn survives_any_time() {
        let ewma = Ewma::default();
        ewma.observe(Duration::MAX, Time::from_nanos(u64::MAX), DECAY);
        ewma.observe(Duration::ZERO, Time::ORIGIN, DECAY);
        assert!(ewma.micros(Time::from_millis(5), DECAY).is_some_and(f64::is_finite));
    }
}
