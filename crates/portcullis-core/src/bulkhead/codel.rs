//! CoDel: whether calls wait too long, all of them, and which of them are not worth serving any more.
//!
//! A queue that absorbs a burst is good; one that stands is only delay. What tells them apart is the
//! *shortest* wait in a while: in a burst somebody waits hardly at all. So in each interval the shortest
//! wait is kept; when it is above the target, calls that have waited for more than twice the target are
//! dropped in the next one, until waits are short again. (As in folly's `Codel`, which serves RPC rather
//! than packets.)

use std::time::Duration;

use crate::{ConfigError, Time, check_range};

/// A wait that nobody minds.
pub const DEFAULT_TARGET: Duration = Duration::from_millis(5);
/// Longer than a burst, and short enough to react within a second.
pub const DEFAULT_INTERVAL: Duration = Duration::from_millis(100);

/// The rules of CoDel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codel {
    /// The shortest wait of an interval that is still fine (default 5 ms); 100 µs to 1 min. In an overload
    /// calls that waited more than twice that are dropped.
    pub target: Duration,
    /// For how long the shortest wait is looked for (default 100 ms); the target to 1 min.
    pub interval: Duration,
}

impl Default for Codel {
    fn default() -> Self {
        Self { target: DEFAULT_TARGET, interval: DEFAULT_INTERVAL }
    }
}

impl Codel {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let longest = Duration::from_secs(60);
        check_range("bulkhead.codel.target", self.target, Duration::from_micros(100)..=longest)?;
        check_range("bulkhead.codel.interval", self.interval, self.target..=longest)
    }
}

/// What was seen of the waits.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// When the interval began; `None` before the first wait.
    began: Option<Time>,
    /// When a wait was last seen.
    seen: Time,
    shortest: Duration,
    overloaded: bool,
}

impl Watch {
    /// Whether a call whose turn comes `now`, after it has `waited`, is to be dropped.
    pub(super) fn drops(&mut self, rules: &Codel, waited: Duration, now: Time) -> bool {
        let goes_on = self.began.filter(|began| now.since(*began) <= rules.interval);
        // While nobody waited, waits were short.
        let idle = now.since(self.seen) > rules.interval && waited <= rules.interval;
        self.seen = now;
        if goes_on.is_none() {
            self.overloaded = self.began.is_some() && !idle && self.shortest > rules.target;
            (self.began, self.shortest) = (Some(now), waited);
            return false; // one per interval is served, and tells how long they wait
        }
        self.shortest = self.shortest.min(waited);
        self.overloaded && waited > rules.target.saturating_mul(2)
    }
}

#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod tests {
    use super::*;

    const RULES: Codel = Codel { target: DEFAULT_TARGET, interval: DEFAULT_INTERVAL };

    /// Waits of this length, one a millisecond; the times at which they are dropped.
    fn dropped(watch: &mut Watch, from: u64, to: u64, waited: u64) -> Vec<u64> {
        let drops = |at: &u64| watch.drops(&RULES, Duration::from_millis(waited), Time::from_millis(*at));
        (from..to).filter(drops).collect()
    }

    #[test]
    fn drops_after_an_interval_in_which_all_waited_too_long() {
        let mut watch = Watch::default();
        assert_eq!(dropped(&mut watch, 1000, 1101, 11), []);
        // The first of an interval is served.
        let expected: Vec<_> = (1102..1202).collect();
        assert_eq!(dropped(&mut watch, 1101, 1202, 11), expected);
        assert_eq!(dropped(&mut watch, 1203, 1210, 10), [], "no more than twice the target");
    }

    #[test]
    fn one_short_wait_in_an_interval_is_enough() {
        let mut watch = Watch::default();
        assert_eq!(dropped(&mut watch, 1000, 1050, 50), []);
        assert_eq!(dropped(&mut watch, 1050, 1051, 5), []);
        assert_eq!(dropped(&mut watch, 1051, 1202, 50), []);
        assert_ne!(dropped(&mut watch, 1202, 1210, 50), [], "none in the second interval was short");
    }

    #[test]
    fn an_overload_is_over_after_a_pause() {
        let mut watch = Watch::default();
        dropped(&mut watch, 1000, 1150, 50);
        assert_eq!(dropped(&mut watch, 5000, 5100, 50), []);
    }
}
