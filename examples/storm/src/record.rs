//! What came of every request, counted where it belongs.
//!
//! A request is counted in the bucket and the phase in which it *should have started*, whenever it
//! ended: pain that starts in a fault is the fault's, also when it ends after it.
//!
//! ```text
//! let recorder = Recorder::new(schedule)?;
//! recorder.note(Sample { arrived, took, outcome: Outcome::Good });
//! assert_eq!(recorder.book().buckets[0].good, 1);
//! ```

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::{CreationError, Histogram};

use crate::gateway::{DEADLINE, TOLERANCE};
use crate::schedule::{Schedule, bucket_of};

/// Longest latency that is told apart, in microseconds.
const LONGEST: u64 = 60_000_000;

/// How a request ended, as its client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Answered with what was asked for.
    Good,
    /// Answered with something else.
    Bad,
    /// Not answered before the client gave up.
    Lost,
}

/// One request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// When it should have started, since the start of the storm.
    pub(crate) arrived: Duration,
    /// From then to its answer, or to the client's giving up.
    pub(crate) took: Duration,
    /// How it ended.
    pub(crate) outcome: Outcome,
}

/// Counts of requests by outcome.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Answered well.
    pub(crate) good: u64,
    /// Answered badly.
    pub(crate) bad: u64,
    /// Not answered.
    pub(crate) lost: u64,
}

impl Counts {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Good => self.good += 1,
            Outcome::Bad => self.bad += 1,
            Outcome::Lost => self.lost += 1,
        }
    }

    /// All of them.
    pub(crate) const fn all(&self) -> u64 {
        self.good + self.bad + self.lost
    }
}

/// Counts and latencies of one phase, or of one second.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// How the requests ended.
    pub(crate) counts: Counts,
    latency: Histogram<u64>,
    longest: Duration,
}

impl Page {
    fn new() -> Result<Self, CreationError> {
        let latency = Histogram::new_with_bounds(1, LONGEST, 3)?;
        Ok(Self { counts: Counts::default(), latency, longest: Duration::ZERO })
    }

    fn add(&mut self, sample: &Sample) {
        self.counts.add(sample.outcome);
        self.latency.saturating_record(u64::try_from(sample.took.as_micros()).unwrap_or(LONGEST));
        self.longest = self.longest.max(sample.took);
    }

    /// The latency that a share of the requests stayed below.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        Duration::from_micros(self.latency.value_at_quantile(share))
    }

    /// The longest wait, exactly.
    pub(crate) const fn longest(&self) -> Duration {
        self.longest
    }
}

/// Everything recorded of one side.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    /// Counts per bucket of arrival.
    pub(crate) buckets: Vec<Counts>,
    /// One page per phase of the schedule.
    pub(crate) phases: Vec<Page>,
    /// Every wait that was longer than is promised, from arrival to answer: to be looked at once it is known
    /// when the machine was away.
    pub(crate) overlong: Vec<Range<Duration>>,
    /// What ended since the last look.
    recent: Page,
}

impl Book {
    /// Longest wait of any phase.
    pub(crate) fn longest(&self) -> Duration {
        self.phases.iter().map(Page::longest).max().unwrap_or_default()
    }
}

/// Collects samples from all clients of one side.
#[derive(Debug)]
pub(crate) struct Recorder {
    schedule: Schedule,
    book: Mutex<Book>,
}

impl Recorder {
    /// An empty book for that schedule.
    pub(crate) fn new(schedule: Schedule) -> Result<Self, CreationError> {
        let phases = schedule.phases().iter().map(|_| Page::new()).collect::<Result<_, _>>()?;
        let buckets = vec![Counts::default(); bucket_of(schedule.end())];
        let book = Mutex::new(Book { buckets, phases, overlong: Vec::new(), recent: Page::new()? });
        Ok(Self { schedule, book })
    }

    /// Counts one request. What arrives after the schedule is only seen live.
    pub(crate) fn note(&self, sample: Sample) {
        let mut book = self.lock();
        if let Some(bucket) = book.buckets.get_mut(bucket_of(sample.arrived)) {
            bucket.add(sample.outcome);
        }
        if let Some(page) =
            self.schedule.place_at(sample.arrived).and_then(|place| book.phases.get_mut(place))
        {
            page.add(&sample);
            if sample.took > DEADLINE + TOLERANCE {
                book.overlong.push(sample.arrived..sample.arrived + sample.took);
            }
        }
        book.recent.add(&sample);
    }

    /// What ended since this was last asked.
    pub(crate) fn take_recent(&self) -> Result<Page, CreationError> {
        Ok(std::mem::replace(&mut self.lock().recent, Page::new()?))
    }

    /// Everything so far.
    pub(crate) fn book(&self) -> Book {
        self.lock().clone()
    }

    /// Counting cannot leave a book half-written, so a poisoned lock is as good as a sound one.
    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_counts_where_it_arrived() {
        let recorder = Recorder::new(Schedule::over(Duration::from_secs(50))).unwrap();
        let arrived = Duration::from_millis(1950);
        recorder.note(Sample { arrived, took: Duration::from_secs(1), outcome: Outcome::Lost });
        recorder.note(Sample { arrived, took: Duration::from_millis(3), outcome: Outcome::Good });

        let book = recorder.book();
        assert_eq!((book.buckets[19].lost, book.buckets[19].good), (1, 1));
        assert_eq!((book.phases[0].counts.all(), book.phases[1].counts.all()), (2, 0));
        assert_eq!(book.longest(), Duration::from_secs(1));
        assert_eq!(book.overlong, [arrived..arrived + Duration::from_secs(1)]);
    }

    #[test]
    fn what_comes_late_is_seen_live_only() {
        let recorder = Recorder::new(Schedule::over(Duration::from_secs(50))).unwrap();
        let late = Sample { arrived: Duration::from_secs(99), took: Duration::ZERO, outcome: Outcome::Bad };
        recorder.note(late);
        assert_eq!(recorder.take_recent().unwrap().counts.bad, 1);
        assert_eq!(recorder.take_recent().unwrap().counts.bad, 0);
        assert!(recorder.book().phases.iter().all(|page| page.counts.all() == 0));
    }
}
