//! What an endpoint's calls came to, in one word.

use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// From the highest bit: 12 of the generation, 12 of the run, 20 each of successes and failures.
const COUNT_BITS: u32 = 20;
const RUN_BITS: u32 = 12;
const MOST: u64 = (1 << COUNT_BITS) - 1;
const MOST_RUN: u64 = (1 << RUN_BITS) - 1;

/// Successes and failures of an interval, and failures in a row. Results of calls of an earlier generation
/// are not counted: they were sent before the endpoint was ejected, or returned.
///
/// One word, so that a result, the end of an interval and an ejection see all of it or nothing. Nothing else
/// is published by it, so every access is relaxed.
#[derive(Debug, Default)]
pub(super) struct Counts(AtomicU64);

/// The results of an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) successes: u32,
    pub(super) failures: u32,
}

impl Interval {
    pub(super) fn calls(self) -> u32 {
        self.successes + self.failures
    }

    /// The share of successes; of no calls 1.
    pub(super) fn success_rate(self) -> f64 {
        if self.calls() == 0 { 1.0 } else { f64::from(self.successes) / f64::from(self.calls()) }
    }

    /// The share of failures; of no calls 0.
    pub(super) fn failure_share(self) -> f64 {
        if self.calls() == 0 { 0.0 } else { f64::from(self.failures) / f64::from(self.calls()) }
    }
}

#[derive(Clone, Copy)]
struct Word {
    generation: u64,
    run: u64,
    successes: u64,
    failures: u64,
}

impl Word {
    fn of(word: u64) -> Self {
        Self {
            generation: word >> (2 * COUNT_BITS + RUN_BITS),
            run: word >> (2 * COUNT_BITS) & MOST_RUN,
            successes: word >> COUNT_BITS & MOST,
            failures: word & MOST,
        }
    }

    fn packed(self) -> u64 {
        let Self { generation, run, successes, failures } = self;
        ((generation << RUN_BITS | run) << COUNT_BITS | successes) << COUNT_BITS | failures
    }

    fn interval(self) -> Interval {
        Interval { successes: self.successes as u32, failures: self.failures as u32 }
    }

    /// Makes room for one more: what matters is the share.
    fn with_room(self) -> Self {
        if self.successes.max(self.failures) < MOST {
            return self;
        }
        Self { successes: self.successes / 2, failures: self.failures / 2, ..self }
    }
}

impl Counts {
    pub(super) fn generation(&self) -> u16 {
        Word::of(self.0.load(Relaxed)).generation as u16
    }

    pub(super) fn interval(&self) -> Interval {
        Word::of(self.0.load(Relaxed)).interval()
    }

    pub(super) fn run(&self) -> u32 {
        Word::of(self.0.load(Relaxed)).run as u32
    }

    /// Counts a success of this generation, which ends a run.
    #[inline]
    pub(super) fn success(&self, generation: u16) {
        self.update(|word| {
            let word = word.with_room();
            let counted = Word { run: 0, successes: word.successes + 1, ..word };
            (word.generation == u64::from(generation)).then_some(counted)
        });
    }

    /// Counts a failure of this generation; whether it was the last of so many in a row. A new run begins then,
    /// so of all who count only one is told so. 0 is never reached.
    pub(super) fn failure(&self, generation: u16, limit: u32) -> bool {
        let limit = u64::from(limit);
        let before = self.update(|word| {
            let word = word.with_room();
            let run = (word.run + 1).min(MOST_RUN);
            let run = if run == limit { 0 } else { run };
            let counted = Word { run, failures: word.failures + 1, ..word };
            (word.generation == u64::from(generation)).then_some(counted)
        });
        before.is_some_and(|before| (before.run + 1).min(MOST_RUN) == limit)
    }

    /// The results of the interval, which ends here. A run goes on.
    pub(super) fn take(&self) -> Interval {
        let before = self.update(|word| Some(Word { successes: 0, failures: 0, ..word }));
        before.map_or(Interval::default(), Word::interval)
    }

    /// Begins the next generation with nothing; what there was.
    pub(super) fn renew(&self) -> Interval {
        let before = self.update(|word| {
            // The highest bits: one too many falls off.
            Some(Word { generation: word.generation + 1, run: 0, successes: 0, failures: 0 })
        });
        before.map_or(Interval::default(), Word::interval)
    }

    /// What was there before, if it was changed.
    #[inline]
    fn update(&self, change: impl Fn(Word) -> Option<Word>) -> Option<Word> {
        let changed = self.0.fetch_update(Relaxed, Relaxed, |word| change(Word::of(word)).map(Word::packed));
        changed.ok().map(Word::of)
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_success_ends_a_run_and_the_limit_starts_anew() {
        let counts = Counts::default();
        assert!(!counts.failure(0, 2));
        counts.success(0);
        assert!(!counts.failure(0, 2));
        assert!(counts.failure(0, 2));
        assert!(!counts.failure(0, 2));
        assert_eq!((counts.run(), counts.interval()), (1, Interval { successes: 1, failures: 4 }));
    }

    #[test]
    fn an_interval_ends_but_a_run_goes_on() {
        let counts = Counts::default();
        counts.failure(0, 3);
        counts.failure(0, 3);
        assert_eq!(counts.take(), Interval { successes: 0, failures: 2 });
        assert_eq!(counts.take(), Interval::default());
        assert!(counts.failure(0, 3));
    }

    #[test]
    fn an_earlier_generation_changes_nothing() {
        let counts = Counts::default();
        counts.failure(0, 2);
        assert_eq!(counts.renew(), Interval { successes: 0, failures: 1 });
        assert!(!counts.failure(0, 1), "late");
        counts.success(0);
        assert_eq!((counts.generation(), counts.run(), counts.interval()), (1, 0, Interval::default()));
    }

    #[test]
    fn generations_go_round_and_counts_are_halved() {
        let counts = Counts::default();
        for _ in 0..4096 {
            counts.renew();
        }
        assert_eq!(counts.generation(), 0);
        for _ in 0..MOST + 1 {
            counts.success(0);
        }
        counts.failure(0, 0);
        let halved = u32::try_from(MOST / 2 + 1).unwrap();
        assert_eq!(counts.interval(), Interval { successes: halved, failures: 1 });
    }

    #[test]
    fn a_run_without_a_limit_stays_in_its_bits() {
        let counts = Counts::default();
        for _ in 0..10_000 {
            assert!(!counts.failure(0, 0));
        }
        assert_eq!((counts.generation(), counts.run()), (0, MOST_RUN as u32));
    }
}
