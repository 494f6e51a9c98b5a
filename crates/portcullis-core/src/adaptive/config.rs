//! What an adaptive limit can be told.

use std::{collections::BTreeSet, time::Duration};

use super::Algorithm;
use crate::{ConfigError, FailureKind, Mode, check_range};

/// The highest limit there can be.
pub const MAX_LIMIT: u32 = 1_000_000;
/// One call at a time is the least that still finds out that things are better.
pub const DEFAULT_MIN: u32 = 1;
/// Beyond this, other things than the dependency break first.
pub const DEFAULT_MAX: u32 = 1000;
/// Enough to begin with, and little enough not to do harm before anything is known.
pub const DEFAULT_INITIAL: u32 = 20;
/// Short enough to find the limit within seconds; what is slower than this makes its own windows longer.
pub const DEFAULT_WINDOW: Duration = Duration::from_millis(100);
/// With fewer calls a mean says nothing.
pub const DEFAULT_MIN_SAMPLES: u32 = 10;
/// Some calls always time out; more than these is no chance.
pub const DEFAULT_TOLERATED: f64 = 0.02;
/// What TCP's halving is to packets, a tenth is to calls: they come back one by one.
pub const DEFAULT_BACKOFF: f64 = 0.9;
/// A look at the latency without a queue costs about half of two windows: of 30 s, half a percent.
pub const DEFAULT_PROBE_EVERY: Duration = Duration::from_secs(30);

const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The rules of an adaptive limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How the limit is found (default: [Vegas](super::Vegas)).
    pub algorithm: Algorithm,
    /// The limit is never lower (default 1); 1 to `max`.
    pub min: u32,
    /// The limit is never higher (default 1000); `min` to 1,000,000.
    pub max: u32,
    /// The limit at first (default 20); `min` to `max`.
    pub initial: u32,
    /// A call that took longer met congestion, whatever has been usual (default: none); 1 ms to 24 h. It is what
    /// keeps a latency that creeps up for hours from becoming usual, and the only latency that
    /// [AIMD](super::Aimd) knows: set it to what your callers can bear.
    pub ceiling: Option<Duration>,
    /// A decision is made at most this often (default 100 ms); 1 ms to 1 min.
    pub window: Duration,
    /// A decision needs so many calls (default 10); 5 to 10,000. With fewer, the window goes on.
    pub min_samples: u32,
    /// The share of a window's calls that may meet congestion without any consequence (default 0.02); 0 to 0.5.
    pub tolerated: f64,
    /// What the limit is multiplied by after a window in which more calls met congestion (default 0.9); 0.1 to 0.99.
    pub backoff: f64,
    /// How often the limit is halved for a moment, to see how long calls take when none waits for another (default
    /// 30 s); 1 s to 24 h. Not by [AIMD](super::Aimd), and not where the calls in flight are few anyway.
    pub probe_every: Duration,
    /// Failures of these kinds are congestion (default: timeout, connection, unavailable, rate limited, resource
    /// exhausted, slow). The others say nothing about how much the dependency can bear.
    pub congestion: BTreeSet<FailureKind>,
    /// Whether calls are refused, or only counted (default: refused).
    pub mode: Mode,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::default(),
            min: DEFAULT_MIN,
            max: DEFAULT_MAX,
            initial: DEFAULT_INITIAL,
            ceiling: None,
            window: DEFAULT_WINDOW,
            min_samples: DEFAULT_MIN_SAMPLES,
            tolerated: DEFAULT_TOLERATED,
            backoff: DEFAULT_BACKOFF,
            probe_every: DEFAULT_PROBE_EVERY,
            congestion: default_congestion(),
            mode: Mode::Enforce,
        }
    }
}

fn default_congestion() -> BTreeSet<FailureKind> {
    BTreeSet::from([
        FailureKind::Timeout,
        FailureKind::Connection,
        FailureKind::Unavailable,
        FailureKind::RateLimited,
        FailureKind::ResourceExhausted,
        FailureKind::Slow,
    ])
}

impl Config {
    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        let ms = Duration::from_millis;
        check_range("adaptive_limit.max", self.max, 1..=MAX_LIMIT)?;
        check_range("adaptive_limit.min", self.min, 1..=self.max)?;
        check_range("adaptive_limit.initial", self.initial, self.min..=self.max)?;
        self.ceiling
            .map_or(Ok(()), |ceiling| check_range("adaptive_limit.ceiling", ceiling, ms(1)..=LONGEST))?;
        check_range("adaptive_limit.window", self.window, ms(1)..=ms(60_000))?;
        check_range("adaptive_limit.min_samples", self.min_samples, 5..=10_000)?;
        check_range("adaptive_limit.tolerated", self.tolerated, 0.0..=0.5)?;
        check_range("adaptive_limit.backoff", self.backoff, 0.1..=0.99)?;
        check_range("adaptive_limit.probe_every", self.probe_every, ms(1000)..=LONGEST)?;
        self.mode.check("adaptive_limit.mode.enforce_percent")?;
        self.algorithm.check()
    }
}

#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod tests {
    use super::*;
    use crate::adaptive::{Aimd, Correlation, Gradient, Vegas};

    type Case = (fn(&mut Config), &'static str);

    fn refused(change: fn(&mut Config)) -> String {
        let mut config = Config::default();
        change(&mut config);
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn every_field_has_its_range() {
        assert_eq!(Config::default().check(), Ok(()));
        let cases: [Case; 12] = [
            (|c| c.max = 0, "adaptive_limit.max is 0: allowed is 1 to 1000000"),
            (|c| c.min = 0, "adaptive_limit.min is 0: allowed is 1 to 1000"),
            (|c| c.min = 1001, "adaptive_limit.min is 1001: allowed is 1 to 1000"),
            (|c| c.initial = 0, "adaptive_limit.initial is 0: allowed is 1 to 1000"),
            (|c| c.ceiling = Some(Duration::ZERO), "adaptive_limit.ceiling is 0ns: allowed is 1ms to 86400s"),
            (|c| c.window = Duration::ZERO, "adaptive_limit.window is 0ns: allowed is 1ms to 60s"),
            (|c| c.min_samples = 1, "adaptive_limit.min_samples is 1: allowed is 5 to 10000"),
            (|c| c.tolerated = f64::NAN, "adaptive_limit.tolerated is NaN: allowed is 0.0 to 0.5"),
            (|c| c.backoff = 1.0, "adaptive_limit.backoff is 1.0: allowed is 0.1 to 0.99"),
            (
                |c| c.probe_every = Duration::ZERO,
                "adaptive_limit.probe_every is 0ns: allowed is 1s to 86400s",
            ),
            (
                |c| c.mode = Mode::EnforcePercent(101),
                "adaptive_limit.mode.enforce_percent is 101: allowed is 0 to 100",
            ),
            (
                |c| c.algorithm = Algorithm::Aimd(Aimd { increase: 0 }),
                "adaptive_limit.algorithm.increase is 0: allowed is 1 to 1000",
            ),
        ];
        for (change, expected) in cases {
            assert_eq!(refused(change), expected);
        }
    }

    #[test]
    fn every_parameter_has_its_range() {
        let refused = |algorithm| {
            let config = Config { algorithm, ..Config::default() };
            config.check().unwrap_err().field().to_owned()
        };
        let field = |name: &str| format!("adaptive_limit.algorithm.{name}");
        let (vegas, gradient, correlation) = (Vegas::default(), Gradient::default(), Correlation::default());
        assert_eq!(refused(Algorithm::Vegas(Vegas { alpha: 0.0, ..vegas })), field("alpha"));
        assert_eq!(refused(Algorithm::Vegas(Vegas { beta: 1.0, ..vegas })), field("beta"));
        assert_eq!(refused(Algorithm::Vegas(Vegas { smoothing: 0.0, ..vegas })), field("smoothing"));
        let gradients = [
            (Gradient { tolerance: 0.5, ..gradient }, "tolerance"),
            (Gradient { queue: 0, ..gradient }, "queue"),
            (Gradient { smoothing: 2.0, ..gradient }, "smoothing"),
            (Gradient { long_window: 1, ..gradient }, "long_window"),
        ];
        for (gradient, name) in gradients {
            assert_eq!(refused(Algorithm::Gradient(gradient)), field(name));
        }
        assert_eq!(refused(Algorithm::Correlation(Correlation { alpha: 7.0, ..correlation })), field("beta"));
        let none = Correlation { windows: 0, ..correlation };
        assert_eq!(refused(Algorithm::Correlation(none)), field("windows"));
    }
}
