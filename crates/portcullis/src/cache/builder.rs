//! Building a cache.

use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use portcullis_core::{ConfigError, FailureKind, Mode, Name};

use super::{
    Cache, Config, Key, Preset, Value,
    policy::{Lasting, Single, Weigher},
};
use crate::Registry;

/// Builds a [`Cache`]. Every setting has a default; see [`Config`].
///
/// ```
/// use portcullis::Cache;
/// use std::time::Duration;
///
/// let prices = Cache::<u64, f64>::builder("prices")
///     .ttl(Duration::from_secs(10))
///     .stale_while_revalidate(Duration::from_secs(5))
///     .stale_if_error(Duration::from_secs(3600))
///     .max_entries(1_000)
///     .build()?;
/// # let _ = prices;
/// let error = Cache::<u64, f64>::builder("prices").max_entries(0).build().unwrap_err();
/// assert_eq!(error.to_string(), "cache.max_entries is 0: allowed is 1 to 100000000");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct CacheBuilder<K, V> {
    name: Name,
    config: Config,
    seed: Option<u64>,
    weigher: Option<Weigher<K, V>>,
    lasting: Option<Lasting<K, V>>,
    registry: Registry,
}

impl<K: Key, V: Value> CacheBuilder<K, V> {
    pub(super) fn new(name: Name) -> Self {
        let (config, registry) = (Config::default(), Registry::global().clone());
        Self { name, config, seed: None, weigher: None, lasting: None, registry }
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

    /// How long what is kept is fresh (default 1 min).
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.config.ttl = ttl;
        self
    }

    /// The share of that by which it can be shorter, by chance, so that what was kept at one time does not end at one
    /// time (default 0.1).
    pub fn jitter(mut self, share: f64) -> Self {
        self.config.jitter = share;
        self
    }

    /// How long what is kept is fresh, by the key and the value. `None` is as long as others, zero is not at all.
    ///
    /// ```
    /// use portcullis::Cache;
    /// use std::time::Duration;
    ///
    /// struct Token { expires_in: Duration }
    ///
    /// let tokens = Cache::<Box<str>, std::sync::Arc<Token>>::builder("tokens")
    ///     .ttl_of(|_, token| Some(token.expires_in / 2))
    ///     .build()?;
    /// # let _ = tokens;
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    pub fn ttl_of(mut self, ttl: impl Fn(&K, &V) -> Option<Duration> + Send + Sync + 'static) -> Self {
        self.lasting = Some(Arc::new(ttl));
        self
    }

    /// How long after its time what is kept is served at once, while another is fetched in the background (default: not
    /// at all).
    pub fn stale_while_revalidate(mut self, time: Duration) -> Self {
        self.config.stale_while_revalidate = time;
        self
    }

    /// How long after its time what is kept is served when the call for another fails (default: not at all).
    pub fn stale_if_error(mut self, time: Duration) -> Self {
        self.config.stale_if_error = time;
        self
    }

    /// After failures of these kinds and of no other it is served then (default: all but validation and data loss).
    pub fn stale_only(mut self, kinds: impl IntoIterator<Item = FailureKind>) -> Self {
        self.config.stale_kinds = BTreeSet::from_iter(kinds);
        self
    }

    /// Whether it is served after refusals by policies below (default: it is).
    pub fn stale_on_refusal(mut self, covered: bool) -> Self {
        self.config.stale_on_refusal = covered;
        self
    }

    /// How long answers are kept that say that there is nothing (default: not at all).
    pub fn negative_ttl(mut self, ttl: Duration) -> Self {
        self.config.negative_ttl = Some(ttl);
        self
    }

    /// Most entries there are (default 10,000).
    pub fn max_entries(mut self, most: u64) -> Self {
        self.config.max_entries = most;
        self
    }

    /// Most that all entries together weigh (default: they are not weighed), by a function that says what one weighs.
    pub fn max_weight(mut self, most: u64, weigher: impl Fn(&K, &V) -> u64 + Send + Sync + 'static) -> Self {
        self.config.max_weight = Some(most);
        self.weigher(weigher)
    }

    /// What an entry weighs, where the largest weight comes from a [`Config`] (default: nothing).
    pub fn weigher(mut self, weigher: impl Fn(&K, &V) -> u64 + Send + Sync + 'static) -> Self {
        self.weigher = Some(Arc::new(weigher));
        self
    }

    /// How long a refresh in the background may take (default 30 s).
    pub fn refresh_timeout(mut self, time: Duration) -> Self {
        self.config.refresh_timeout = time;
        self
    }

    /// Refreshes in the background at a time (default 64).
    pub fn max_refreshes(mut self, most: u32) -> Self {
        self.config.max_refreshes = most;
        self
    }

    /// Whether what is kept is served, or only counted (default: served).
    pub fn mode(mut self, mode: Mode) -> Self {
        self.config.mode = mode;
        self
    }

    /// Draws jitter, and the lots of [`Mode::EnforcePercent`], from a generator with this seed, so that a run can be
    /// repeated.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Joins this registry instead of the global one.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = registry.clone();
        self
    }

    /// Builds the cache.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<Cache<K, V>, ConfigError> {
        let single = Single { weigher: self.weigher, lasting: self.lasting };
        Cache::from_parts(self.name, self.config, self.seed, single, &self.registry)
    }
}

impl<K, V> fmt::Debug for CacheBuilder<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, config, .. } = self;
        f.debug_struct("CacheBuilder").field("name", name).field("config", config).finish_non_exhaustive()
    }
}
