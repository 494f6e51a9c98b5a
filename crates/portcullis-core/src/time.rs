//! Time as an argument.

use std::time::Duration;

const NANOS_PER_MILLI: u64 = 1_000_000;

/// A point in time: nanoseconds since an origin that the caller chooses and keeps.
///
/// Arithmetic saturates, so that no configuration and no jump of a clock can overflow it.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::Time;
/// use std::time::Duration;
///
/// let start = Time::from_millis(10);
/// let later = start + Duration::from_millis(5);
/// assert_eq!(later.since(start), Duration::from_millis(5));
/// assert_eq!(start.since(later), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The origin.
    pub const ORIGIN: Self = Self(0);

    /// The point this many nanoseconds after the origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The point this many milliseconds after the origin.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(NANOS_PER_MILLI))
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the origin, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.0 / NANOS_PER_MILLI
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl std::ops::Add<Duration> for Time {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(nanos(rhs)))
    }
}

/// A duration in nanoseconds, saturating at about 584 years.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saturates_at_both_ends() {
        let end = Time::from_nanos(u64::MAX) + Duration::MAX;
        assert_eq!(end, Time::from_nanos(u64::MAX));
        assert_eq!(Time::ORIGIN.since(end), Duration::ZERO);
        assert_eq!(Time::from_millis(u64::MAX).as_nanos(), u64::MAX);
    }
}
