//! Building a keyed adaptive limit.

use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

use portcullis_core::{ConfigError, Name, PolicyKind};

use super::KeyedAdaptiveLimit;
use crate::{
    Registry,
    adaptive::{AdaptiveLimit, Config, common::Common, setters::config_setters},
    keyed::{Key, Limits, many::Many},
};

/// Builds a [`KeyedAdaptiveLimit`]. Every setting has a default; see [`Config`] for what each means.
///
/// ```
/// use portcullis::adaptive::KeyedAdaptiveLimit;
///
/// let backends = KeyedAdaptiveLimit::builder("backends").between(2, 200).max_keys(500).build()?;
/// # let _ = backends;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct KeyedAdaptiveLimitBuilder<K = Box<str>> {
    name: Name,
    config: Config,
    limits: Limits,
    registry: Registry,
    seed: Option<u64>,
    keys: PhantomData<fn(K)>,
}

config_setters!(KeyedAdaptiveLimitBuilder<K>);

impl KeyedAdaptiveLimitBuilder {
    pub(super) fn new(name: Name) -> Self {
        let (config, limits) = (Config::default(), Limits::default());
        Self { name, config, limits, registry: Registry::global().clone(), seed: None, keys: PhantomData }
    }
}

impl<K> KeyedAdaptiveLimitBuilder<K> {
    /// Keeps keys of this type (default `Box<str>`, looked up by `&str`).
    pub fn keys<Other: Key>(self) -> KeyedAdaptiveLimitBuilder<Other> {
        let Self { name, config, limits, registry, seed, .. } = self;
        KeyedAdaptiveLimitBuilder { name, config, limits, registry, seed, keys: PhantomData }
    }

    /// The most keys at a time (default 10,000); 1 to 16,777,216.
    pub fn max_keys(mut self, keys: usize) -> Self {
        self.limits.max_keys = keys;
        self
    }

    /// A key that was not used for this long is forgotten (default 10 min), unless calls are in flight; 1 ms to
    /// 30 days.
    pub fn idle_after(mut self, time: Duration) -> Self {
        self.limits.idle_after = time;
        self
    }
}

impl<K: Key> KeyedAdaptiveLimitBuilder<K> {
    /// Builds the keyed limit, without a key.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<KeyedAdaptiveLimit<K>, ConfigError> {
        let Self { name, config, limits, registry, seed, .. } = self;
        let common = Arc::new(Common::new(
            (PolicyKind::AdaptiveLimit, name.clone()),
            config.clone(),
            seed,
            &registry,
        )?);
        let other = Name::from(format!("{name}/(other)"));
        let overflow = AdaptiveLimit::from_config(other, config, seed, &registry)?;
        let shared = Arc::new(Many::new(limits, common, overflow)?);
        registry.join(PolicyKind::AdaptiveLimit, name, &shared);
        Ok(KeyedAdaptiveLimit { shared })
    }
}

impl<K> Clone for KeyedAdaptiveLimitBuilder<K> {
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

impl<K> fmt::Debug for KeyedAdaptiveLimitBuilder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedAdaptiveLimitBuilder")
            .field("name", &self.name)
            .field("config", &self.config)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
