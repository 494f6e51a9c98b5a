//! The rules of one breaker, or of many, which can be changed while calls flow.

use std::{
    fmt,
    sync::{
        Arc,
        // Not loom's: they are written by hand, and each read stands for itself.
        atomic::{
            AtomicBool, AtomicU32, AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    time::Duration,
};

use super::{Config, Env, Mode, config::MODE_FIELD, env::happens};
use crate::{
    ConfigError,
    sync::{Mutex, lock},
    time::nanos,
};

/// For a time: not set.
const OFF: u64 = u64::MAX;
/// For a share: not set.
const NO_SHARE: u64 = u64::MAX;

/// The live settings of a breaker. Several breakers may share one, and then change together.
///
/// ```
/// use portcullis_core::{Time, breaker::{Config, Machine, Settings}};
/// use std::sync::Arc;
///
/// let settings = Arc::new(Settings::new(Config::default())?);
/// let machine = Machine::with_settings(settings.clone(), 1);
/// settings.replace(Config { window: 500, ..Config::default() })?;
/// machine.refresh(&|| Time::from_millis(7));
/// assert_eq!(machine.config().window, 500);
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
pub struct Settings {
    config: Mutex<Arc<Config>>,
    version: AtomicU64,
    /// What is asked without the lock: each by itself, so that none is ever half of another.
    lease: AtomicU64,
    max_half_open: AtomicU64,
    ramp: AtomicU64,
    hung_after: AtomicU64,
    slow_after: AtomicU64,
    permits: AtomicU32,
    successes: AtomicU32,
    probe_ratio: AtomicU64,
    probe_chance: AtomicU64,
    /// The share of refusals that are enforced.
    enforced: AtomicU64,
    only_retries: AtomicBool,
    refuses_all: AtomicBool,
}

impl Settings {
    /// Settings from a configuration.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let settings = Self {
            config: Mutex::new(Arc::new(Config::default())),
            version: AtomicU64::new(0),
            lease: AtomicU64::new(OFF),
            max_half_open: AtomicU64::new(OFF),
            ramp: AtomicU64::new(OFF),
            hung_after: AtomicU64::new(OFF),
            slow_after: AtomicU64::new(OFF),
            permits: AtomicU32::new(1),
            successes: AtomicU32::new(1),
            probe_ratio: AtomicU64::new(NO_SHARE),
            probe_chance: AtomicU64::new(NO_SHARE),
            enforced: AtomicU64::new(NO_SHARE),
            only_retries: AtomicBool::new(false),
            refuses_all: AtomicBool::new(true),
        };
        settings.store(&mut lock(&settings.config), config);
        Ok(settings)
    }

    /// Puts another configuration in place, if it is valid. Breakers that keep windows by it see the change
    /// with their next failure, or when they are [refreshed](super::Machine::refresh).
    ///
    /// # Errors
    ///
    /// The first field outside its range; nothing has changed then.
    pub fn replace(&self, config: Config) -> Result<(), ConfigError> {
        self.swap(config).map(drop)
    }

    /// The same; returns the mode until then.
    pub(crate) fn swap(&self, config: Config) -> Result<Mode, ConfigError> {
        config.check()?;
        let mut current = lock(&self.config);
        let before = current.mode;
        self.store(&mut current, config);
        Ok(before)
    }

    /// Puts another mode in place. Breakers go to [`Mode::Disabled`], or come from there, when they
    /// [follow it](super::Machine::follow_mode).
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.swap_mode(mode).map(drop)
    }

    /// The same; returns the mode until then.
    pub(crate) fn swap_mode(&self, mode: Mode) -> Result<Mode, ConfigError> {
        mode.check(MODE_FIELD)?;
        // Under the lock from the copy on, or a replacement in between would be undone.
        let mut current = lock(&self.config);
        let (before, config) = (current.mode, Config { mode, ..(**current).clone() });
        self.store(&mut current, config);
        Ok(before)
    }

    fn store(&self, current: &mut Arc<Config>, config: Config) {
        self.lease.store(nanos(config.lease), Relaxed);
        self.max_half_open.store(config.max_half_open.map_or(OFF, nanos), Relaxed);
        self.ramp.store(config.ramp.map_or(OFF, nanos), Relaxed);
        self.hung_after.store(config.hung_after.map_or(OFF, nanos), Relaxed);
        self.slow_after.store(config.slow_calls.map_or(OFF, |rule| nanos(rule.after)), Relaxed);
        self.permits.store(config.permits, Relaxed);
        self.successes.store(config.successes, Relaxed);
        self.probe_ratio.store(config.probe_ratio.map_or(NO_SHARE, f64::to_bits), Relaxed);
        self.probe_chance.store(config.probe_chance.to_bits(), Relaxed);
        self.enforced.store(enforced_share(config.mode).to_bits(), Relaxed);
        self.only_retries.store(config.only_retries, Relaxed);
        self.refuses_all.store(enforced_share(config.mode) >= 1.0 && !config.only_retries, Relaxed);
        *current = Arc::new(config);
        self.version.fetch_add(1, Release);
    }

    /// The configuration.
    pub fn config(&self) -> Arc<Config> {
        lock(&self.config).clone()
    }

    /// The configuration with the number of its version.
    pub(crate) fn versioned(&self) -> (u64, Arc<Config>) {
        let current = lock(&self.config);
        (self.version.load(Relaxed), current.clone())
    }

    /// A number that every change makes greater.
    #[inline]
    pub fn version(&self) -> u64 {
        self.version.load(Acquire)
    }

    pub(crate) fn lease(&self) -> Duration {
        Duration::from_nanos(self.lease.load(Relaxed))
    }

    pub(crate) fn max_half_open(&self) -> Option<Duration> {
        time(&self.max_half_open)
    }

    pub(crate) fn ramp(&self) -> Option<Duration> {
        time(&self.ramp)
    }

    pub(crate) fn hung_after(&self) -> Option<Duration> {
        time(&self.hung_after)
    }

    pub(crate) fn slow_after(&self) -> Option<Duration> {
        time(&self.slow_after)
    }

    /// Whether an admission must know the time.
    pub(crate) fn is_timed(&self) -> bool {
        self.hung_after().is_some() || self.slow_after().is_some()
    }

    pub(crate) fn permits(&self) -> u32 {
        self.permits.load(Relaxed)
    }

    pub(crate) fn successes(&self) -> u64 {
        self.successes.load(Relaxed).into()
    }

    pub(crate) fn probe_ratio(&self) -> Option<f64> {
        let bits = self.probe_ratio.load(Relaxed);
        (bits != NO_SHARE).then(|| f64::from_bits(bits))
    }

    /// Whether the lot falls on a call that could probe.
    pub(crate) fn draws_probe(&self, env: &impl Env) -> bool {
        drawn(&self.probe_chance, env)
    }

    /// Whether a refusal is enforced, by the mode.
    pub(crate) fn enforces(&self, env: &impl Env) -> bool {
        drawn(&self.enforced, env)
    }

    /// Whether every refusal is enforced, whatever the call.
    #[inline]
    pub(crate) fn refuses_all(&self) -> bool {
        self.refuses_all.load(Relaxed)
    }

    /// Whether only retries are refused.
    pub(crate) fn only_retries(&self) -> bool {
        self.only_retries.load(Relaxed)
    }
}

fn time(nanos: &AtomicU64) -> Option<Duration> {
    let nanos = nanos.load(Relaxed);
    (nanos != OFF).then(|| Duration::from_nanos(nanos))
}

fn drawn(share: &AtomicU64, env: &impl Env) -> bool {
    let share = f64::from_bits(share.load(Relaxed));
    share >= 1.0 || happens(share, env.random())
}

/// A breaker that is disabled refuses nothing anyway.
fn enforced_share(mode: Mode) -> f64 {
    if mode == Mode::Disabled { 1.0 } else { mode.share() }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.config().fmt(f)
    }
}
