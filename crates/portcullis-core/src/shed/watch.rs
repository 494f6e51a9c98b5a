//! CoDel: whether all calls wait too long, or some.
//!
//! A queue that absorbs a burst is good; one that stands is only delay. What tells them apart is the
//! *shortest* wait in a while: in a burst somebody waits hardly at all. (As in folly's `Codel`.)

use std::time::Duration;

use crate::Time;

/// What was seen of the waits in an interval.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// When the interval began; `None` before the first sample.
    began: Option<Time>,
    shortest: Option<Duration>,
}

/// An interval that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    /// The shortest wait, if any was seen.
    pub(super) shortest: Option<Duration>,
    /// How long it was: longer than it should be, where nobody came to look.
    pub(super) lasted: Duration,
}

impl Watch {
    /// Takes a sample, if there is one. Ready with an interval when `now` is after its end: the sample is then
    /// of the next one, so that a single long stall is never all that an interval has seen.
    pub(super) fn see(&mut self, waited: Option<Duration>, now: Time, length: Duration) -> Option<Interval> {
        let over = self.end(now, length);
        self.shortest = match (self.shortest, waited) {
            (Some(shortest), Some(waited)) => Some(shortest.min(waited)),
            (shortest, waited) => shortest.or(waited),
        };
        over
    }

    /// The one whose wait is the next sample has waited for so long, and still does: no sample yet, but if there
    /// is no other in the interval, none was shorter.
    pub(super) fn see_waiting(&mut self, since: Duration, now: Time, length: Duration) -> Option<Interval> {
        let over = self.end(now, length)?;
        Some(Interval { shortest: over.shortest.or(Some(since)), ..over })
    }

    fn end(&mut self, now: Time, length: Duration) -> Option<Interval> {
        let over = match self.began {
            Some(began) if now.since(began) < length => None,
            Some(began) => Some(Interval { shortest: self.shortest.take(), lasted: now.since(began) }),
            None => None,
        };
        if over.is_some() || self.began.is_none() {
            self.began = Some(now);
        }
        over
    }
}

#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_millis(100);

    /// What the intervals were in which these waits were seen, one every ten milliseconds; all in milliseconds.
    fn seen(waits: &[u64]) -> Vec<u64> {
        let mut watch = Watch::default();
        let see = |(at, waited): (usize, &u64)| {
            let now = Time::from_millis(1000 + 10 * at as u64);
            let over = watch.see(Some(Duration::from_millis(*waited)), now, LENGTH)?;
            over.shortest.map(|shortest| shortest.as_millis() as u64)
        };
        waits.iter().enumerate().filter_map(see).collect()
    }

    #[test]
    fn one_short_wait_in_an_interval_is_enough() {
        let mut waits = vec![50; 31];
        assert_eq!(seen(&waits), [50, 50, 50]);
        waits[15] = 3;
        assert_eq!(seen(&waits), [50, 3, 50]);
    }

    #[test]
    fn a_stall_alone_is_never_a_whole_interval() {
        let mut watch = Watch::default();
        let short = Duration::from_millis(1);
        let start = Time::from_millis(1000);
        assert_eq!(watch.see(Some(short), start, LENGTH), None);
        // The machine slept for an hour.
        let hour = Duration::from_secs(3600);
        let first = watch.see(Some(hour), start + hour, LENGTH);
        assert_eq!(first, Some(Interval { shortest: Some(short), lasted: hour }));
        assert_eq!(watch.see(Some(short), start + hour + short, LENGTH), None);
        let next = watch.see(Some(short), start + hour + 2 * LENGTH, LENGTH);
        assert_eq!(next, Some(Interval { shortest: Some(short), lasted: 2 * LENGTH }));
    }

    #[test]
    fn who_still_waits_is_no_sample_but_tells() {
        let mut watch = Watch::default();
        let [short, long] = [1, 70].map(Duration::from_millis);
        let at = Time::from_millis;
        assert_eq!(watch.see(Some(short), at(0), LENGTH), None);
        assert_eq!(watch.see_waiting(long, at(80), LENGTH), None);
        let first = watch.see_waiting(2 * long, at(150), LENGTH).unwrap();
        assert_eq!(first.shortest, Some(short), "in this interval somebody waited hardly at all");
        let second = watch.see_waiting(4 * long, at(290), LENGTH).unwrap();
        assert_eq!(second.shortest, Some(4 * long));
    }

    #[test]
    fn an_interval_goes_by_without_samples_too() {
        let mut watch = Watch::default();
        assert_eq!(watch.see(None, Time::from_millis(0), LENGTH), None);
        assert_eq!(
            watch.see(None, Time::from_millis(100), LENGTH),
            Some(Interval { shortest: None, lasted: LENGTH })
        );
    }
}
