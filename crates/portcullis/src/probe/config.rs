//! The rules of a probe.

use std::time::Duration;

use portcullis_core::{
    ConfigError, check_range,
    health::{DEFAULT_DOWN_AFTER, DEFAULT_UP_AFTER, Thresholds},
};

/// Often enough to know of an outage before most users do, rarely enough to cost nothing.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
/// While it is down, the end of an outage is worth finding soon.
pub const DEFAULT_INTERVAL_WHEN_DOWN: Duration = Duration::from_secs(1);
/// Enough that a fleet that was started together does not ask together for long.
pub const DEFAULT_JITTER: f64 = 0.1;
/// A probe asks for little; what takes longer is not well.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);

const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The rules of a probe.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The time between two probes (default 5 s); 1 ms to 24 h.
    pub interval: Duration,
    /// The time between two probes after a bad result (default 1 s); 1 ms to 24 h.
    pub interval_when_down: Duration,
    /// How much of each interval is left to chance, downwards (default 0.1); 0 to 1.
    pub jitter: f64,
    /// A probe without a result after this time has failed (default 1 s); 1 ms to 24 h.
    pub timeout: Duration,
    /// Failures in a row until down (default 3); 1 to 1000.
    pub down_after: u32,
    /// Successes in a row until up again (default 2); 1 to 1000.
    pub up_after: u32,
    /// Whether the service cannot work without this dependency (default false).
    pub critical: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            interval: DEFAULT_INTERVAL,
            interval_when_down: DEFAULT_INTERVAL_WHEN_DOWN,
            jitter: DEFAULT_JITTER,
            timeout: DEFAULT_TIMEOUT,
            down_after: DEFAULT_DOWN_AFTER,
            up_after: DEFAULT_UP_AFTER,
            critical: false,
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
        check_range("probe.interval", self.interval, SHORTEST..=LONGEST)?;
        check_range("probe.interval_when_down", self.interval_when_down, SHORTEST..=LONGEST)?;
        check_range("probe.jitter", self.jitter, 0.0..=1.0)?;
        check_range("probe.timeout", self.timeout, SHORTEST..=LONGEST)?;
        self.thresholds().check()
    }

    /// How many results in a row change the judgement.
    pub(super) fn thresholds(&self) -> Thresholds {
        Thresholds { down_after: self.down_after, up_after: self.up_after }
    }

    /// How long until the next probe, where `chance` is any number from 0 to 1.
    pub(super) fn next_in(&self, calm: bool, chance: f64) -> Duration {
        let interval = if calm { self.interval } else { self.interval_when_down };
        interval.mul_f64((1.0 - self.jitter * chance).clamp(0.0, 1.0))
    }
}
