//! What outlier ejection can be told.

use std::{collections::BTreeSet, time::Duration};

use crate::{ConfigError, FailureKind, Mode, check_range};

/// Envoy's and gRPC's: long enough to see enough calls, short enough to matter.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(10);
/// Envoy's and gRPC's: as long as a process takes to start again.
pub const DEFAULT_BASE_EJECTION: Duration = Duration::from_secs(30);
/// Envoy's and gRPC's.
pub const DEFAULT_MAX_EJECTION: Duration = Duration::from_secs(300);
/// Envoy's and gRPC's: the others must be able to take over what one had.
pub const DEFAULT_MAX_EJECTED_SHARE: f64 = 0.1;
/// Envoy's: more than a few bad calls by chance.
pub const DEFAULT_CONSECUTIVE: u32 = 5;
/// Envoy's: with fewer left, those would fall next.
pub const DEFAULT_PANIC_THRESHOLD: f64 = 0.5;
/// What the heaviest endpoint may weigh.
pub const MAX_WEIGHT: u32 = 1_000_000;

/// The longest interval, ejection and slow start.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// As many as fit into the part of a word that counts them.
const MOST_CONSECUTIVE: u32 = 1000;
const MOST_REQUESTS: u32 = 1_000_000;
const MOST_ENDPOINTS: u32 = 100_000;

/// The rules of a fleet.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How often endpoints are compared with each other (default 10 s); 10 ms to 24 h. Also the time for which
    /// an endpoint must not be ejected to make its next ejection one step shorter.
    pub interval: Duration,
    /// How long the first ejection takes (default 30 s); each further one takes that much longer. 1 ms to 24 h.
    pub base_ejection: Duration,
    /// The longest ejection (default 300 s), unless `base_ejection` is longer; 1 ms to 24 h.
    pub max_ejection: Duration,
    /// How much longer than that an ejection takes at most, by lot, so that endpoints that fell together do not
    /// return together (default 0 s); 0 to 24 h.
    pub ejection_jitter: Duration,
    /// The share of endpoints that may be ejected at a time (default 0.1), but at least one of two or more; 0,
    /// which is never any, to 1.
    pub max_ejected_share: f64,
    /// Failures in a row that eject an endpoint at once (default 5); 1 to 1000. `None` is off.
    pub consecutive: Option<u32>,
    /// Counts failures that the dependency did not answer (no connection, a broken one, no answer in time)
    /// apart from those that it answered (default: together). Rules then apply to both apart.
    pub split_local: bool,
    /// With `split_local`, failures in a row without an answer that eject an endpoint at once (default 5); 1 to
    /// 1000. `None` is off.
    pub consecutive_local: Option<u32>,
    /// Compares success rates (default: on).
    pub success_rate: Option<SuccessRate>,
    /// Ejects where nearly everything failed (default: on).
    pub failure_share: Option<FailureShare>,
    /// When a smaller share of the endpoints than this can be used, all are (default 0.5); 0, which is only when
    /// none can, to 1.
    pub panic_threshold: f64,
    /// Gives an endpoint that is new or returned its share of the calls little by little (default: at once).
    pub slow_start: Option<SlowStart>,
    /// Failures of these kinds say nothing about the endpoint (default: rate limited and validation, which are
    /// about the call).
    pub ignored: BTreeSet<FailureKind>,
    /// Whether endpoints are ejected, or it is only told (default: they are).
    pub mode: Mode,
}

/// Ejects endpoints whose success rate is below the mean of all by some standard deviations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SuccessRate {
    /// By how many (default 1.9); 0.1 to 10.
    pub deviations: f64,
    /// Below the mean by at least this much (default 0.05); 0 to 1. Where all are near 1, deviations are so small
    /// that a few failures by chance are many of them.
    pub min_difference: f64,
    /// Endpoints with fewer calls in the interval are left out (default 100); 1 to 1,000,000.
    pub min_requests: u32,
    /// With fewer endpoints that have enough calls nothing is compared (default 5); 1 to 100,000.
    pub min_endpoints: u32,
}

/// Ejects endpoints of whose calls too large a share failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FailureShare {
    /// The share (default 0.85); 0.01 to 1.
    pub threshold: f64,
    /// Endpoints with fewer calls in the interval are left out (default 50); 1 to 1,000,000.
    pub min_requests: u32,
    /// With fewer endpoints that have enough calls nobody is ejected (default 5); 1 to 100,000.
    pub min_endpoints: u32,
}

/// An endpoint's weight grows from a small share to all of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlowStart {
    /// How long that takes (default 30 s); 1 s to 24 h.
    pub window: Duration,
    /// The share to begin with (default 0.1); 0.01 to 1.
    pub min_weight: f64,
    /// How steeply it begins (default 1, in a line); more is steeper. 0.1 to 10.
    pub aggression: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            interval: DEFAULT_INTERVAL,
            base_ejection: DEFAULT_BASE_EJECTION,
            max_ejection: DEFAULT_MAX_EJECTION,
            ejection_jitter: Duration::ZERO,
            max_ejected_share: DEFAULT_MAX_EJECTED_SHARE,
            consecutive: Some(DEFAULT_CONSECUTIVE),
            split_local: false,
            consecutive_local: Some(DEFAULT_CONSECUTIVE),
            success_rate: Some(SuccessRate::default()),
            failure_share: Some(FailureShare::default()),
            panic_threshold: DEFAULT_PANIC_THRESHOLD,
            slow_start: None,
            ignored: BTreeSet::from([FailureKind::RateLimited, FailureKind::Validation]),
            mode: Mode::Enforce,
        }
    }
}

impl Default for SuccessRate {
    fn default() -> Self {
        Self { deviations: 1.9, min_difference: 0.05, min_requests: 100, min_endpoints: 5 }
    }
}

impl Default for FailureShare {
    fn default() -> Self {
        Self { threshold: 0.85, min_requests: 50, min_endpoints: 5 }
    }
}

impl Default for SlowStart {
    fn default() -> Self {
        Self { window: Duration::from_secs(30), min_weight: 0.1, aggression: 1.0 }
    }
}

impl Config {
    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        let millis = Duration::from_millis;
        check_range("outlier.interval", self.interval, millis(10)..=LONGEST)?;
        check_range("outlier.base_ejection", self.base_ejection, millis(1)..=LONGEST)?;
        check_range("outlier.max_ejection", self.max_ejection, millis(1)..=LONGEST)?;
        check_range("outlier.ejection_jitter", self.ejection_jitter, Duration::ZERO..=LONGEST)?;
        check_range("outlier.max_ejected_share", self.max_ejected_share, 0.0..=1.0)?;
        check_in("outlier.consecutive", self.consecutive)?;
        check_in("outlier.consecutive_local", self.consecutive_local)?;
        self.success_rate.as_ref().map_or(Ok(()), SuccessRate::check)?;
        self.failure_share.as_ref().map_or(Ok(()), FailureShare::check)?;
        check_range("outlier.panic_threshold", self.panic_threshold, 0.0..=1.0)?;
        self.slow_start.as_ref().map_or(Ok(()), SlowStart::check)?;
        self.mode.check("outlier.mode.enforce_percent")
    }

    /// How many endpoints of so many may be ejected.
    pub(super) fn allowed(&self, endpoints: usize) -> usize {
        if self.max_ejected_share <= 0.0 || endpoints < 2 {
            return 0;
        }
        // A little more, because 0.29 × 100 is a little less than 29.
        let share = (self.max_ejected_share * endpoints as f64 + 1e-9) as usize;
        share.max(1)
    }

    /// How long the ejection of this number, counted from 1, takes.
    pub(super) fn ejection(&self, times: u32, lot: f64) -> Duration {
        let longest = self.max_ejection.max(self.base_ejection);
        let time = self.base_ejection.saturating_mul(times).min(longest);
        time.saturating_add(self.ejection_jitter.mul_f64(lot.clamp(0.0, 1.0)))
    }
}

fn check_in(field: &'static str, failures: Option<u32>) -> Result<(), ConfigError> {
    failures.map_or(Ok(()), |failures| check_range(field, failures, 1..=MOST_CONSECUTIVE))
}

impl SuccessRate {
    fn check(&self) -> Result<(), ConfigError> {
        check_range("outlier.success_rate.deviations", self.deviations, 0.1..=10.0)?;
        check_range("outlier.success_rate.min_difference", self.min_difference, 0.0..=1.0)?;
        check_range("outlier.success_rate.min_requests", self.min_requests, 1..=MOST_REQUESTS)?;
        check_range("outlier.success_rate.min_endpoints", self.min_endpoints, 1..=MOST_ENDPOINTS)
    }
}

impl FailureShare {
    fn check(&self) -> Result<(), ConfigError> {
        check_range("outlier.failure_share.threshold", self.threshold, 0.01..=1.0)?;
        check_range("outlier.failure_share.min_requests", self.min_requests, 1..=MOST_REQUESTS)?;
        check_range("outlier.failure_share.min_endpoints", self.min_endpoints, 1..=MOST_ENDPOINTS)
    }
}

impl SlowStart {
    fn check(&self) -> Result<(), ConfigError> {
        check_range("outlier.slow_start.window", self.window, Duration::from_secs(1)..=LONGEST)?;
        check_range("outlier.slow_start.min_weight", self.min_weight, 0.01..=1.0)?;
        check_range("outlier.slow_start.aggression", self.aggression, 0.1..=10.0)
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_what_is_documented() {
        let config = Config::default();
        assert_eq!(config.check(), Ok(()));
        assert_eq!(config.interval, Duration::from_secs(10));
        assert_eq!(
            (config.base_ejection, config.max_ejection),
            (Duration::from_secs(30), Duration::from_secs(300))
        );
        assert_eq!(
            (config.consecutive, config.max_ejected_share, config.panic_threshold),
            (Some(5), 0.1, 0.5)
        );
    }

    #[test]
    fn what_cannot_work_names_its_field() {
        let with = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        assert_eq!(with(|c| c.consecutive = Some(0)), "outlier.consecutive is 0: allowed is 1 to 1000");
        assert_eq!(
            with(|c| c.consecutive_local = Some(1001)),
            "outlier.consecutive_local is 1001: allowed is 1 to 1000"
        );
        assert_eq!(
            with(|c| c.max_ejected_share = 1.5),
            "outlier.max_ejected_share is 1.5: allowed is 0.0 to 1.0"
        );
        assert!(with(|c| c.panic_threshold = f64::NAN).starts_with("outlier.panic_threshold is NaN"));
        assert!(with(|c| c.interval = Duration::ZERO).starts_with("outlier.interval is 0ns"));
        assert!(with(|c| c.base_ejection = Duration::MAX).starts_with("outlier.base_ejection"));
        assert!(with(|c| c.max_ejection = Duration::ZERO).starts_with("outlier.max_ejection"));
        assert!(with(|c| c.ejection_jitter = Duration::MAX).starts_with("outlier.ejection_jitter"));
        let rate = |deviations| SuccessRate { deviations, ..SuccessRate::default() };
        let mut config = Config { success_rate: Some(rate(0.0)), ..Config::default() };
        assert!(
            config.check().unwrap_err().to_string().starts_with("outlier.success_rate.deviations is 0.0")
        );
        config = Config { mode: Mode::EnforcePercent(101), ..Config::default() };
        assert!(config.check().unwrap_err().to_string().starts_with("outlier.mode.enforce_percent"));
    }

    #[test]
    fn the_share_leaves_one_of_two_and_none_of_one() {
        let allowed =
            |share, endpoints| Config { max_ejected_share: share, ..Config::default() }.allowed(endpoints);
        assert_eq!([0, 1, 2, 10, 19, 20].map(|n| allowed(0.1, n)), [0, 0, 1, 1, 1, 2]);
        assert_eq!([1, 2, 3].map(|n| allowed(1.0, n)), [0, 2, 3]);
        assert_eq!((allowed(0.29, 100), allowed(0.0, 100)), (29, 0));
    }

    #[test]
    fn ejections_grow_in_steps_to_the_longest() {
        let config = Config { ejection_jitter: Duration::from_secs(4), ..Config::default() };
        let secs = |times, lot| config.ejection(times, lot).as_secs();
        assert_eq!([1, 2, 9, 10, 11, u32::MAX].map(|times| secs(times, 0.0)), [30, 60, 270, 300, 300, 300]);
        assert_eq!((secs(1, 0.5), secs(20, 1.0)), (32, 304));
        let short = Config { max_ejection: Duration::from_secs(1), ..Config::default() };
        assert_eq!(short.ejection(3, 0.0), Duration::from_secs(30), "the first is never cut");
    }
}
