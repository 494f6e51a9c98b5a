//! What a rate limit can be told.

use std::time::Duration;

use crate::{ConfigError, Mode, check_range};

/// A rate that most callers stay below. Nobody else can know the right one: tell it.
pub const DEFAULT_PERMITS: u32 = 100;
/// Rates are mostly told by the second.
pub const DEFAULT_PERIOD: Duration = Duration::from_secs(1);
/// No line: who comes too early is told when to come again, which is what keeps a caller alive.
pub const DEFAULT_MAX_QUEUED: u32 = 0;
/// When there is a line, nobody stands in it for longer than a person would.
pub const DEFAULT_MAX_WAIT: Duration = Duration::from_secs(1);
/// The most permits in a period, or in a burst.
pub const MAX_PERMITS: u32 = 1_000_000;
/// The longest line. Who leaves it moves all behind him.
pub const MAX_QUEUED: u32 = 10_000;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// A permit may not come more often unless its interval is whole: it comes at a whole nanosecond, and so at most a
/// thousandth late.
const SHORTEST_INTERVAL: Duration = Duration::from_micros(1);
/// An empty bucket is full again within this time.
const LONGEST_FILL: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// By which rule permits are given out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// A bucket of `burst` permits that fills steadily (the generic cell rate algorithm). Costs one word.
    #[default]
    Gcra,
    /// At most `permits` in any span as long as the period, each counted at its very moment: exact, and not the
    /// approximation by two buckets. Takes a lock, and 16 bytes for each moment of the last period at which
    /// something was granted. There is no burst but the permits themselves, and no warm-up.
    SlidingWindow,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 2] = [Self::Gcra, Self::SlidingWindow];

    /// The algorithm's word, as it stands in configurations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gcra => "gcra",
            Self::SlidingWindow => "sliding_window",
        }
    }
}

/// A rate that rises after a start, for a dependency that has to fill its caches and pools first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Warmup {
    /// The share of the rate, and of the burst, to begin with; 0.01 to 1.
    pub from: f64,
    /// How long it takes to the full rate, in a straight line; 1 ms to 1 h. A bucket that was full for as long
    /// begins anew.
    pub time: Duration,
}

/// The rules of a rate limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Permits in a period (default 100); 1 to 1,000,000, and at most one in a microsecond, unless they divide the
    /// period into whole nanoseconds.
    pub permits: u32,
    /// The period (default 1 s); 1 ms to 30 days.
    pub period: Duration,
    /// Permits that may be taken at once after a pause (default: as many as in a period); 1 to 1,000,000, and no
    /// more than the rate gives in a year.
    pub burst: Option<u32>,
    /// By which rule (default GCRA).
    pub algorithm: Algorithm,
    /// A rate that rises after a start (default: none).
    pub warmup: Option<Warmup>,
    /// Calls that may wait for their permits, in order of arrival (default 0); 0 to 10,000.
    pub max_queued: u32,
    /// The longest a call may have to wait (default 1 s); 1 ms to 1 h. One that would have to wait longer is refused
    /// at once.
    pub max_wait: Duration,
    /// Whether calls are refused, or only counted (default: refused).
    pub mode: Mode,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            permits: DEFAULT_PERMITS,
            period: DEFAULT_PERIOD,
            burst: None,
            algorithm: Algorithm::Gcra,
            warmup: None,
            max_queued: DEFAULT_MAX_QUEUED,
            max_wait: DEFAULT_MAX_WAIT,
            mode: Mode::Enforce,
        }
    }
}

impl Config {
    /// Permits that may be taken at once.
    pub fn burst(&self) -> u32 {
        match self.algorithm {
            Algorithm::SlidingWindow => self.permits,
            Algorithm::Gcra => self.burst.unwrap_or(self.permits),
        }
    }

    /// The time in which one permit comes, in nanoseconds, rounded up: never faster than the rate.
    pub(super) fn interval(&self) -> u64 {
        crate::time::nanos(self.period).div_ceil(u64::from(self.permits.max(1)))
    }

    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        let milli = Duration::from_millis(1);
        check_range("rate.permits", self.permits, 1..=MAX_PERMITS)?;
        check_range("rate.period", self.period, milli..=30 * DAY)?;
        if self.period.as_nanos() % u128::from(self.permits) != 0 {
            let most = self.period.as_nanos() / SHORTEST_INTERVAL.as_nanos();
            check_range("rate.permits", u128::from(self.permits), 1..=most)?;
        }
        check_range("rate.burst", self.burst(), 1..=MAX_PERMITS)?;
        let year = crate::time::nanos(LONGEST_FILL) / self.interval();
        check_range("rate.burst", u64::from(self.burst()), 1..=year.max(1))?;
        if let Some(warmup) = self.warmup {
            check_range("rate.warmup.from", warmup.from, 0.01..=1.0)?;
            check_range("rate.warmup.time", warmup.time, milli..=DAY / 24)?;
            if self.algorithm != Algorithm::Gcra {
                return Err(ConfigError::new("rate.warmup", warmup, "none with a sliding window"));
            }
        }
        check_range("rate.max_queued", self.max_queued, 0..=MAX_QUEUED)?;
        check_range("rate.max_wait", self.max_wait, milli..=DAY / 24)?;
        self.mode.check("rate.mode.enforce_percent")
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_what_is_documented() {
        let config = Config::default();
        assert_eq!(config.check(), Ok(()));
        assert_eq!((config.permits, config.period, config.burst()), (100, Duration::from_secs(1), 100));
        assert_eq!((config.max_queued, config.max_wait), (0, Duration::from_secs(1)));
    }

    #[test]
    fn what_cannot_work_names_its_field() {
        let with = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        assert_eq!(with(|config| config.permits = 0), "rate.permits is 0: allowed is 1 to 1000000");
        assert_eq!(
            with(|config| config.period = Duration::ZERO),
            "rate.period is 0ns: allowed is 1ms to 2592000s"
        );
        assert!(with(|config| config.period = Duration::MAX).starts_with("rate.period is "));
        let fast = |config: &mut Config| (config.permits, config.period) = (1001, Duration::from_millis(1));
        assert_eq!(with(fast), "rate.permits is 1001: allowed is 1 to 1000");
        assert_eq!(with(|config| config.burst = Some(0)), "rate.burst is 0: allowed is 1 to 1000000");
        let years = |config: &mut Config| (config.period, config.burst) = (DAY * 30, Some(MAX_PERMITS));
        assert!(with(years).starts_with("rate.burst is 1000000: allowed is 1 to "));
        let cold = |config: &mut Config| config.warmup = Some(Warmup { from: f64::NAN, time: DAY / 24 });
        assert_eq!(with(cold), "rate.warmup.from is NaN: allowed is 0.01 to 1.0");
        let window = |config: &mut Config| {
            config.algorithm = Algorithm::SlidingWindow;
            config.warmup = Some(Warmup { from: 0.5, time: DAY / 24 });
        };
        assert!(with(window).ends_with("allowed is none with a sliding window"));
        assert!(with(|config| config.max_queued = u32::MAX).starts_with("rate.max_queued"));
        assert!(with(|config| config.max_wait = Duration::MAX).starts_with("rate.max_wait"));
        assert!(with(|config| config.mode = Mode::EnforcePercent(101)).starts_with("rate.mode"));
    }
}
