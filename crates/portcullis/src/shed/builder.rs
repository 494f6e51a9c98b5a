//! Building a load shedding.

use std::time::Duration;

use portcullis_core::{
    ConfigError, Mode, Name, Priority,
    shed::{Config, Preset, Pressure, PressureSource, QueueDelay},
};

use super::LoadShed;
use crate::Registry;

/// Builds a [`LoadShed`]. Every setting has a default; see [`Config`].
///
/// ```
/// use portcullis::LoadShed;
/// use std::time::Duration;
///
/// let shed = LoadShed::builder("api")
///     .max_in_flight(500)
///     .queue_delay(Duration::from_millis(20), Duration::from_millis(100))
///     .pressure_of(0.9, || Some(0.0))
///     .build()?;
/// # let _ = shed;
/// let error = LoadShed::builder("api").max_in_flight(0).build().unwrap_err();
/// assert_eq!(error.field(), "load_shed.max_in_flight");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct LoadShedBuilder {
    name: Name,
    config: Config,
    seed: Option<u64>,
    registry: Registry,
}

impl LoadShedBuilder {
    pub(super) fn new(name: Name) -> Self {
        Self { name, config: Config::default(), seed: None, registry: Registry::global().clone() }
    }

    /// Takes all settings from a [`Config`].
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Takes all settings from a [`Preset`].
    pub fn preset(self, preset: Preset) -> Self {
        self.config(preset.config())
    }

    /// Calls in flight (default: any number); 1 to 1,000,000. A call counts until its response's body ends.
    /// Each class finds [its share](Self::shares) of it: with requests that say nothing, four fifths.
    pub fn max_in_flight(mut self, calls: u32) -> Self {
        self.config.max_in_flight = Some(calls);
        self
    }

    /// The share of [`max_in_flight`](Self::max_in_flight) that calls of each class may find taken, the lowest
    /// class first (default 0.5, 0.65, 0.8, 0.9 and 1); 0.01 to 1, and no class less than the one below it.
    pub fn shares(mut self, shares: [f64; Priority::COUNT]) -> Self {
        self.config.shares = shares;
        self
    }

    /// How long calls may wait before anything is done for them (default 20 ms): the shortest wait of each
    /// interval (default 100 ms) tells. 1 ms to 1 min; 10 ms to 1 min, and at least the target.
    pub fn queue_delay(mut self, target: Duration, interval: Duration) -> Self {
        self.config.queue_delay = Some(QueueDelay { target, interval });
        self
    }

    /// Does not look at how long calls wait.
    pub fn no_queue_delay(mut self) -> Self {
        self.config.queue_delay = None;
        self
    }

    /// How much of its processors this process may use (default: not looked at); 0.01 to 1. Linux and Android.
    pub fn pressure(self, limit: f64) -> Self {
        self.pressed(Pressure::of_cpu(limit))
    }

    /// In how much of the time something may wait for a processor, 0.01 to 1; see
    /// [`PressureSource::CpuStalls`]. Linux.
    pub fn pressure_of_stalls(self, limit: f64) -> Self {
        self.pressed(Pressure { source: PressureSource::CpuStalls, ..Pressure::of_cpu(limit) })
    }

    /// How high what a function says may be, 0.01 to 1. It is asked every 500 ms, and smoothed; it says a share
    /// from 0 to 1, or nothing when it does not know. It may block.
    pub fn pressure_of(self, limit: f64, measure: impl Fn() -> Option<f64> + Send + Sync + 'static) -> Self {
        self.pressed(Pressure::of(limit, measure))
    }

    /// For how long after the pressure was too high no more calls are let in than then (default 1 s); 0 to
    /// 1 min. Comes after the pressure.
    pub fn cooling(mut self, time: Duration) -> Self {
        if let Some(pressure) = &mut self.config.pressure {
            pressure.cooling = time;
        }
        self
    }

    fn pressed(mut self, pressure: Pressure) -> Self {
        self.config.pressure = Some(pressure);
        self
    }

    /// The share of the calls that is refused in any case, the lowest levels first (default 0); 0 to
    /// [`max_cut`](Self::max_cut).
    pub fn cut(mut self, share: f64) -> Self {
        self.config.cut = share;
        self
    }

    /// The largest share of the calls that is refused because of waits or pressure (default 0.98); 0.05 to
    /// 0.999.
    pub fn max_cut(mut self, share: f64) -> Self {
        self.config.max_cut = share;
        self
    }

    /// When refused calls are told to come again (default 2 s): a time between half of this and this, by lot;
    /// 1 ms to 1 h.
    pub fn retry_after(mut self, time: Duration) -> Self {
        self.config.retry_after = Some(time);
        self
    }

    /// Does not tell refused calls when to come again.
    pub fn no_retry_after(mut self) -> Self {
        self.config.retry_after = None;
        self
    }

    /// Whether calls are refused, or only counted (default: refused).
    pub fn mode(mut self, mode: Mode) -> Self {
        self.config.mode = mode;
        self
    }

    /// Draws who is refused from a generator with this seed, so that a run can be repeated.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Joins this registry instead of the global one.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = registry.clone();
        self
    }

    /// Builds the load shedding.
    ///
    /// # Errors
    ///
    /// The first setting outside its range, or a pressure that cannot be measured on this system.
    pub fn build(self) -> Result<LoadShed, ConfigError> {
        LoadShed::from_config(self.name, self.config, self.seed, &self.registry)
    }
}
