//! Building a bulkhead.

use std::time::Duration;

use portcullis_core::{
    ConfigError, Mode, Name, Priority,
    bulkhead::{Codel, Config, Order, Preset},
};

use super::Bulkhead;
use crate::Registry;

/// Builds a [`Bulkhead`]. Every setting has a default; see [`Config`].
///
/// ```
/// use portcullis::Bulkhead;
/// use std::time::Duration;
///
/// let bulkhead = Bulkhead::builder("database")
///     .max_in_flight(20)
///     .queue(50, Duration::from_millis(200))
///     .build()?;
/// # let _ = bulkhead;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct BulkheadBuilder {
    name: Name,
    config: Config,
    seed: Option<u64>,
    registry: Registry,
}

impl BulkheadBuilder {
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

    /// Permits, and so calls of weight 1 that may run at a time (default 100); 1 to 1,000,000.
    pub fn max_in_flight(mut self, calls: u32) -> Self {
        self.config.max_in_flight = calls;
        self
    }

    /// Lets this many calls wait (default 0) for at most this time (default 1 s); 0 to 1,000,000 and 1 ms to
    /// 1 h.
    pub fn queue(mut self, max_queued: u32, max_wait: Duration) -> Self {
        self.config.max_queued = max_queued;
        self.config.max_wait = max_wait;
        self
    }

    /// Who in the queue is next (default [`Order::Fifo`], by order of arrival).
    pub fn order(mut self, order: Order) -> Self {
        self.config.order = order;
        self
    }

    /// Drops calls that have waited for too long when their turn comes, if of late all have (default: off). The
    /// target is 100 µs to 1 min (default 5 ms), the interval the target to 1 min (default 100 ms); see
    /// [`Codel`].
    ///
    /// ```
    /// use portcullis::{Bulkhead, bulkhead::Codel};
    /// use std::time::Duration;
    ///
    /// let bulkhead = Bulkhead::builder("search")
    ///     .queue(1000, Duration::from_secs(1))
    ///     .codel(Codel { target: Duration::from_millis(20), ..Codel::default() })
    ///     .build()?;
    /// # let _ = bulkhead;
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    pub fn codel(mut self, codel: Codel) -> Self {
        self.config.codel = Some(codel);
        self
    }

    /// Keeps so many permits for calls of this class and the higher ones (default 0); for all classes together
    /// less than [`max_in_flight`](Self::max_in_flight). Classes come from the
    /// [layer](super::BulkheadLayer::prioritize).
    pub fn reserve(mut self, priority: Priority, permits: u32) -> Self {
        self.config.reserved[priority as usize] = permits;
        self
    }

    /// Whether calls are refused, or only counted (default: refused).
    pub fn mode(mut self, mode: Mode) -> Self {
        self.config.mode = mode;
        self
    }

    /// Draws which refusals are enforced, where only a percentage is, from a generator with this seed, so that
    /// a run can be repeated.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Joins this registry instead of the global one.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = registry.clone();
        self
    }

    /// Builds the bulkhead, empty.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<Bulkhead, ConfigError> {
        Bulkhead::from_config(self.name, self.config, self.seed, &self.registry)
    }
}
