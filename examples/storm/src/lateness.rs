//! When the machine itself was away.
//!
//! Upstreams, gateways and clients share one process on a machine that may have other things to do.
//! While it does them nobody is answered, whatever stands around the clients, and every wait looks
//! longer than it was. So a timer is watched all the time, and where it fires late is a gap: what the
//! waits are judged without, and the report tells.
//!
//! ```text
//! let lateness = Lateness::watch(start, end, &mut tasks);
//! let lost = lateness.gaps().within(&(arrived..answered));
//! ```

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// How often it looks.
const EVERY: Duration = Duration::from_millis(5);
/// What is late by no more is on time: timers have whole milliseconds, and somebody must wake up.
const ROUGHNESS: Duration = Duration::from_millis(2);

/// The gaps so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lateness(Arc<Mutex<Gaps>>);

impl Lateness {
    /// Adds a watching task to `tasks`; it goes on until `end`.
    pub(crate) fn watch(start: Instant, end: Duration, tasks: &mut JoinSet<()>) -> Self {
        let lateness = Self::default();
        tasks.spawn(lateness.clone().look(start, end));
        lateness
    }

    /// All gaps so far.
    pub(crate) fn gaps(&self) -> Gaps {
        self.lock().clone()
    }

    async fn look(self, start: Instant, end: Duration) {
        while start.elapsed() < end {
            let due = Instant::now() + EVERY;
            sleep_until(due).await;
            let gap = (due + ROUGHNESS).duration_since(start)..start.elapsed();
            if !gap.is_empty() {
                self.lock().0.push(gap);
            }
        }
    }

    /// A list cannot be left half-written, so a poisoned lock is as good as a sound one.
    fn lock(&self) -> MutexGuard<'_, Gaps> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Times since the start of the storm in which nothing ran, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gaps(Vec<Range<Duration>>);

impl Gaps {
    /// How much of a time was lost.
    pub(crate) fn within(&self, time: &Range<Duration>) -> Duration {
        let first = self.0.partition_point(|gap| gap.end <= time.start);
        let gaps = self.0.iter().skip(first).take_while(|gap| gap.start < time.end);
        gaps.map(|gap| gap.end.min(time.end) - gap.start.max(time.start)).sum()
    }

    /// The most that was lost of any time of that length.
    pub(crate) fn worst(&self, length: Duration) -> Duration {
        let lost = self.0.iter().map(|gap| self.within(&(gap.start..gap.start + length)));
        lost.max().unwrap_or_default()
    }
}

#[cfg(test)]
impl From<Vec<Range<Duration>>> for Gaps {
    fn from(gaps: Vec<Range<Duration>>) -> Self {
        Self(gaps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(range: Range<u64>) -> Range<Duration> {
        Duration::from_millis(range.start)..Duration::from_millis(range.end)
    }

    #[test]
    fn only_what_overlaps_is_lost() {
        let gaps = Gaps::from(vec![ms(0..10), ms(20..50), ms(60..70)]);
        for (time, lost) in [(10..20, 0), (0..10, 10), (5..25, 10), (30..40, 10), (0..100, 50), (65..100, 5)]
        {
            assert_eq!(gaps.within(&ms(time.clone())), Duration::from_millis(lost), "{time:?}");
        }
        assert_eq!(Gaps::default().within(&ms(0..100)), Duration::ZERO);
    }

    #[test]
    fn the_worst_time_is_where_the_gaps_are_dense() {
        let gaps = Gaps::from(vec![ms(0..10), ms(500..530), ms(560..590), ms(900..950)]);
        for (length, lost) in [(10, 10), (50, 50), (100, 60), (1000, 120)] {
            assert_eq!(gaps.worst(Duration::from_millis(length)), Duration::from_millis(lost), "{length}");
        }
        assert_eq!(Gaps::default().worst(Duration::from_secs(1)), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_blocked_runtime_is_a_gap_and_a_quiet_one_is_none() {
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        let lateness = Lateness::watch(start, Duration::from_secs(60), &mut tasks);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(lateness.gaps().within(&ms(0..1000)), Duration::ZERO);

        tokio::time::advance(Duration::from_millis(305)).await;
        tokio::task::yield_now().await;
        let lost = lateness.gaps().within(&ms(1000..2000));
        assert!((295..=305).contains(&lost.as_millis()), "{lost:?}");
        assert_eq!(lateness.gaps().within(&ms(0..1000)), Duration::ZERO);
    }
}
