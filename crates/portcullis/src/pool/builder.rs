//! Building a pool of threads.

use std::time::Duration;

use portcullis_core::{
    ConfigError, Mode, Name,
    pool::{Config, Preset},
};

use super::ThreadPool;
use crate::Registry;

/// Builds a [`ThreadPool`]. Every setting has a default; see [`Config`].
///
/// ```
/// use portcullis::ThreadPool;
/// use std::time::Duration;
///
/// let pool = ThreadPool::builder("pdf")
///     .threads(4)
///     .max_queued(16)
///     .max_wait(Duration::from_millis(500))
///     .build()?;
/// # let _ = pool;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ThreadPoolBuilder {
    name: Name,
    config: Config,
    seed: Option<u64>,
    registry: Registry,
}

impl ThreadPoolBuilder {
    pub(super) fn new(name: Name) -> Self {
        Self { name, config: Config::default(), seed: None, registry: Registry::global().clone() }
    }

    /// Takes all settings from a [`Config`].
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Takes all settings from a [`Preset`], to be followed by those that differ.
    pub fn preset(self, preset: Preset) -> Self {
        self.config(preset.config())
    }

    /// Threads there may be, and so calls that run at a time (default 10); 1 to 10,000. They are started when
    /// they are needed, and named as the pool.
    pub fn threads(mut self, threads: u32) -> Self {
        self.config.threads = threads;
        self
    }

    /// Lets this many calls wait for a thread (default 0); 0 to 1,000,000.
    pub fn max_queued(mut self, calls: u32) -> Self {
        self.config.max_queued = calls;
        self
    }

    /// How long a call may wait for a thread (default 1 s); 1 ms to 1 h.
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.config.max_wait = max_wait;
        self
    }

    /// Whether the call that came last is next (default `false`: the one that has waited longest).
    pub fn newest_first(mut self, newest_first: bool) -> Self {
        self.config.newest_first = newest_first;
        self
    }

    /// How long a thread without work is kept (default 10 s); 0 to 24 h.
    pub fn keep_alive(mut self, keep_alive: Duration) -> Self {
        self.config.keep_alive = keep_alive;
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

    /// Builds the pool. No thread is started yet.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<ThreadPool, ConfigError> {
        ThreadPool::from_config(self.name, self.config, self.seed, &self.registry)
    }
}
