//! What a bulkhead can be told.

use std::time::Duration;

use super::Codel;
use crate::{ConfigError, Mode, Priority, check_range};

/// The most permits a bulkhead can have.
pub const MAX_PERMITS: u32 = 1_000_000;
/// More calls than this at a time to one dependency is rarely meant.
pub const DEFAULT_MAX_IN_FLIGHT: u32 = 100;
/// No queue: a call that cannot run now is refused now, which is what keeps a caller alive.
pub const DEFAULT_MAX_QUEUED: u32 = 0;
/// When a queue is asked for, its calls wait no longer than a person would.
pub const DEFAULT_MAX_WAIT: Duration = Duration::from_secs(1);

/// Who in the line is next.
///
/// Nobody behind the next is served before, even if there were room for him: a heavy call is not starved by
/// light ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Order {
    /// Who has waited longest.
    #[default]
    Fifo,
    /// Who came last. In an overload the first in line has waited so long that its caller may have given up;
    /// the last has not. The first may wait for as long as newer calls come: for
    /// [`max_wait`](Config::max_wait).
    Lifo,
    /// The highest [`Priority`], and of those who have it, who has waited longest. Lower ones may wait for as
    /// long as higher ones come.
    Priority,
}

impl Order {
    /// Every order.
    pub const ALL: [Self; 3] = [Self::Fifo, Self::Lifo, Self::Priority];

    /// The order's word, as it stands in configurations and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::Lifo => "lifo",
            Self::Priority => "priority",
        }
    }
}

/// The rules of a bulkhead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Permits, and so calls of weight 1 that may run at a time (default 100); 1 to 1,000,000.
    pub max_in_flight: u32,
    /// Calls that may wait for a permit (default 0); 0 to 1,000,000. With 0 a call is refused at once.
    pub max_queued: u32,
    /// How long a call may wait (default 1 s); 1 ms to 1 h. Who waits already keeps what it was.
    pub max_wait: Duration,
    /// Who in the line is next (default [`Order::Fifo`]).
    pub order: Order,
    /// Drops calls that waited too long, when all do (default: none is).
    pub codel: Option<Codel>,
    /// Permits that are kept for calls of a class and the higher ones, by the class's number (default none);
    /// together less than `max_in_flight`, and none for the lowest, because those would be kept from nobody.
    /// In the line they help those who are next: with permits kept, serve by [`Order::Priority`].
    pub reserved: [u32; Priority::COUNT],
    /// Whether calls are refused, or only counted (default: refused). In
    /// [shadow](Mode::Shadow) none waits either.
    pub mode: Mode,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_in_flight: DEFAULT_MAX_IN_FLIGHT,
            max_queued: DEFAULT_MAX_QUEUED,
            max_wait: DEFAULT_MAX_WAIT,
            order: Order::Fifo,
            codel: None,
            reserved: [0; Priority::COUNT],
            mode: Mode::Enforce,
        }
    }
}

impl Config {
    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_range("bulkhead.max_in_flight", self.max_in_flight, 1..=MAX_PERMITS)?;
        check_range("bulkhead.max_queued", self.max_queued, 0..=MAX_PERMITS)?;
        check_range(
            "bulkhead.max_wait",
            self.max_wait,
            Duration::from_millis(1)..=Duration::from_secs(3600),
        )?;
        self.codel.map_or(Ok(()), |codel| codel.check())?;
        check_range("bulkhead.reserved.lowest", self.reserved[0], 0..=0)?;
        let reserved = self.reserved.iter().fold(0, |sum: u32, kept| sum.saturating_add(*kept));
        check_range("bulkhead.reserved", reserved, 0..=self.max_in_flight - 1)?;
        self.mode.check("bulkhead.mode.enforce_percent")
    }

    /// Permits that calls of this class leave to higher ones.
    pub(super) fn floor(&self, priority: Priority) -> u32 {
        self.reserved[priority as usize + 1..].iter().sum()
    }
}

#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod tests {
    use super::*;

    fn refused(config: &Config) -> String {
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn every_field_has_its_range() {
        assert_eq!(Config::default().check(), Ok(()));
        let million = Config { max_in_flight: MAX_PERMITS + 1, ..Config::default() };
        assert_eq!(refused(&million), "bulkhead.max_in_flight is 1000001: allowed is 1 to 1000000");
        let codel =
            |target, interval| Config { codel: Some(Codel { target, interval }), ..Config::default() };
        let (short, long) = (Duration::from_micros(1), Duration::from_millis(5));
        assert!(refused(&codel(short, long)).starts_with("bulkhead.codel.target is 1µs"));
        assert!(refused(&codel(2 * long, long)).starts_with("bulkhead.codel.interval is 5ms"));
        let mode = Config { mode: Mode::EnforcePercent(101), ..Config::default() };
        assert!(refused(&mode).starts_with("bulkhead.mode.enforce_percent is 101"));
    }

    #[test]
    fn something_is_left_for_every_class() {
        let reserved = |reserved| Config { max_in_flight: 10, reserved, ..Config::default() };
        assert_eq!(reserved([0, 1, 2, 3, 3]).check(), Ok(()));
        assert_eq!(refused(&reserved([0, 1, 2, 3, 4])), "bulkhead.reserved is 10: allowed is 0 to 9");
        assert_eq!(
            refused(&reserved([0, u32::MAX, 1, 0, 0])),
            "bulkhead.reserved is 4294967295: allowed is 0 to 9"
        );
        assert_eq!(refused(&reserved([1, 0, 0, 0, 0])), "bulkhead.reserved.lowest is 1: allowed is 0 to 0");
        let floors = Priority::ALL.map(|class| reserved([0, 1, 2, 3, 3]).floor(class));
        assert_eq!(floors, [9, 8, 6, 3, 0]);
    }
}
