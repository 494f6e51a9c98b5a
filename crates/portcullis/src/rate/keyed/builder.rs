//! Building a keyed rate limit.

use std::{
    fmt,
    marker::PhantomData,
    sync::{Arc, Mutex},
    time::Duration,
};

use portcullis_core::{ConfigError, Name, PolicyKind};

use super::{KeyedRateLimit, policy::Shared};
use crate::{
    Registry,
    keyed::{Key, Keyed},
    rate::{Config, RateLimit, common::Common, setters::config_setters},
};

/// Builds a [`KeyedRateLimit`]. Every setting has a default; see [`Config`] for what each means.
///
/// ```
/// use portcullis::rate::KeyedRateLimit;
/// use std::time::Duration;
///
/// let tenants = KeyedRateLimit::builder("tenants").rate(100, Duration::from_secs(60)).max_keys(50_000).build()?;
/// # let _ = tenants;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct KeyedRateLimitBuilder<K = Box<str>> {
    name: Name,
    config: Config,
    limits: crate::keyed::Limits,
    registry: Registry,
    seed: Option<u64>,
    keys: PhantomData<fn(K)>,
}

config_setters!(KeyedRateLimitBuilder<K>);

impl KeyedRateLimitBuilder {
    pub(super) fn new(name: Name) -> Self {
        let (config, limits) = (Config::default(), crate::keyed::Limits::default());
        Self { name, config, limits, registry: Registry::global().clone(), seed: None, keys: PhantomData }
    }
}

impl<K> KeyedRateLimitBuilder<K> {
    /// Keeps keys of this type (default `Box<str>`, looked up by `&str`).
    pub fn keys<Other: Key>(self) -> KeyedRateLimitBuilder<Other> {
        let Self { name, config, limits, registry, seed, .. } = self;
        KeyedRateLimitBuilder { name, config, limits, registry, seed, keys: PhantomData }
    }

    /// The most keys at a time (default 10,000); 1 to 16,777,216.
    pub fn max_keys(mut self, keys: usize) -> Self {
        self.limits.max_keys = keys;
        self
    }

    /// A key that was not used for this long is forgotten (default 10 min), once all its permits are there again;
    /// 1 ms to 30 days.
    pub fn idle_after(mut self, time: Duration) -> Self {
        self.limits.idle_after = time;
        self
    }
}

impl<K: Key> KeyedRateLimitBuilder<K> {
    /// Builds the keyed rate limit, without a key.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<KeyedRateLimit<K>, ConfigError> {
        let Self { name, config, limits, registry, seed, .. } = self;
        let keys = Keyed::new(limits)?;
        let common = Arc::new(Common::new(name.clone(), config.clone(), seed, &registry)?);
        let overflow = RateLimit::from_parts(Name::from(format!("{name}/(other)")), config, seed, &registry)?;
        let shared = Arc::new(Shared { keys, common, overflow, telling: Mutex::new(()) });
        registry.join(PolicyKind::RateLimit, name, &shared);
        Ok(KeyedRateLimit { shared })
    }
}

impl<K> Clone for KeyedRateLimitBuilder<K> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            config: self.config.clone(),
            limits: self.limits,
            registry: self.registry.clone(),
            seed: self.seed,
            keys: PhantomData,
        }
    }
}

impl<K> fmt::Debug for KeyedRateLimitBuilder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedRateLimitBuilder")
            .field("name", &self.name)
            .field("config", &self.config)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
