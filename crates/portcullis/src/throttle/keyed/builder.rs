//! Building a keyed throttle.

use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

use portcullis_core::{ConfigError, Name, PolicyKind};

use super::KeyedThrottle;
use crate::{
    Registry,
    keyed::{Key, Limits, many::Many},
    throttle::{Config, Throttle, common::Common, setters::config_setters},
};

/// Builds a [`KeyedThrottle`]. Every setting has a default; see [`Config`] for what each means.
///
/// ```
/// use portcullis::throttle::KeyedThrottle;
///
/// let backends = KeyedThrottle::builder("backends").k(1.5).max_keys(500).build()?;
/// # let _ = backends;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct KeyedThrottleBuilder<K = Box<str>> {
    name: Name,
    config: Config,
    limits: Limits,
    registry: Registry,
    seed: Option<u64>,
    keys: PhantomData<fn(K)>,
}

config_setters!(KeyedThrottleBuilder<K>);

impl KeyedThrottleBuilder {
    pub(super) fn new(name: Name) -> Self {
        let (config, limits) = (Config::default(), Limits::default());
        Self { name, config, limits, registry: Registry::global().clone(), seed: None, keys: PhantomData }
    }
}

impl<K> KeyedThrottleBuilder<K> {
    /// Keeps keys of this type (default `Box<str>`, looked up by `&str`).
    pub fn keys<Other: Key>(self) -> KeyedThrottleBuilder<Other> {
        let Self { name, config, limits, registry, seed, .. } = self;
        KeyedThrottleBuilder { name, config, limits, registry, seed, keys: PhantomData }
    }

    /// The most keys at a time (default 10,000); 1 to 16,777,216.
    pub fn max_keys(mut self, keys: usize) -> Self {
        self.limits.max_keys = keys;
        self
    }

    /// A key that was not used for this long is forgotten (default 10 min), unless it was refused within its window;
    /// 1 ms to 30 days.
    pub fn idle_after(mut self, time: Duration) -> Self {
        self.limits.idle_after = time;
        self
    }
}

impl<K: Key> KeyedThrottleBuilder<K> {
    /// Builds the keyed throttle, without a key.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<KeyedThrottle<K>, ConfigError> {
        let Self { name, config, limits, registry, seed, .. } = self;
        let common =
            Arc::new(Common::new((PolicyKind::Throttle, name.clone()), config.clone(), seed, &registry)?);
        let overflow = Throttle::from_parts(Name::from(format!("{name}/(other)")), config, seed, &registry)?;
        let shared = Arc::new(Many::new(limits, common, overflow)?);
        registry.join(PolicyKind::Throttle, name, &shared);
        Ok(KeyedThrottle { shared })
    }
}

impl<K> Clone for KeyedThrottleBuilder<K> {
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

impl<K> fmt::Debug for KeyedThrottleBuilder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedThrottleBuilder")
            .field("name", &self.name)
            .field("config", &self.config)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
