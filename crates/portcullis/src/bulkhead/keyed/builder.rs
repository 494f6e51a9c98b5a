//! Building a keyed bulkhead.

use std::{sync::Arc, time::Duration};

use portcullis_core::{
    ConfigError, Mode, PolicyKind,
    bulkhead::keyed::{Config, Preset},
};

use super::{KeyedBulkhead, common::Common, one::OneKey, policy::Shared};
use crate::{
    Registry,
    keyed::{Key, Keyed, keyed_builder},
};

keyed_builder! {
    /// Builds a [`KeyedBulkhead`]. Every setting has a default; see [`Config`].
    ///
    /// ```
    /// use portcullis::KeyedBulkhead;
    /// use std::time::Duration;
    ///
    /// let tenants = KeyedBulkhead::builder("tenants")
    ///     .overall(200)
    ///     .per_key(50)
    ///     .queue(100, Duration::from_millis(200))
    ///     .build()?;
    /// # let _ = tenants;
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    KeyedBulkheadBuilder, Config;

    max_keys {
        /// With no fewer than all that may run or wait, there is always room for a new one.
    }
    idle_after {
        /// A key that was not used for this long is forgotten (default 10 min), unless it holds permits or waits for some;
        /// 1 ms to 30 days.
    }
}

impl<K> KeyedBulkheadBuilder<K> {
    /// Takes all settings from a [`Config`].
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Takes all settings from a [`Preset`].
    pub fn preset(self, preset: Preset) -> Self {
        self.config(preset.config())
    }

    /// Permits for all keys together, and so calls of weight 1 that may run at a time (default 100); 1 to 1,000,000.
    pub fn overall(mut self, calls: u32) -> Self {
        self.config.overall = calls;
        self
    }

    /// Permits that one key may hold of them (default: as many as is [fair](super#who-gets-a-permit)); 1 to
    /// [`overall`](Self::overall).
    pub fn per_key(mut self, calls: u32) -> Self {
        self.config.per_key = Some(calls);
        self
    }

    /// Lets this many calls of all keys wait (default 0) for at most this time (default 1 s); 0 to 1,000,000 and 1 ms
    /// to 1 h.
    pub fn queue(mut self, max_queued: u32, max_wait: Duration) -> Self {
        self.config.max_queued = max_queued;
        self.config.max_wait = max_wait;
        self
    }

    /// Whether calls are refused, or only counted (default: refused).
    pub fn mode(mut self, mode: Mode) -> Self {
        self.config.mode = mode;
        self
    }

    /// Draws which refusals are enforced, where only a percentage is, from a generator with this seed, so that a run
    /// can be repeated.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Joins this registry instead of the global one.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = registry.clone();
        self
    }
}

impl<K: Key> KeyedBulkheadBuilder<K> {
    /// Builds the keyed bulkhead, without a key.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<KeyedBulkhead<K>, ConfigError> {
        let Self { name, config, limits, seed, registry, .. } = self;
        let common = Arc::new(Common::new(name.clone(), config, seed, &registry)?);
        let shared = Arc::new(Shared {
            keys: Keyed::new(limits)?,
            overflow: OneKey::named(&common, "(other)"),
            keyless: OneKey::named(&common, "(none)"),
            common,
        });
        registry.join(PolicyKind::Bulkhead, name, &shared);
        Ok(KeyedBulkhead { shared })
    }
}
