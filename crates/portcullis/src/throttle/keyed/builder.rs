//! Building a keyed throttle.

use std::{sync::Arc, time::Duration};

use portcullis_core::{ConfigError, Name, PolicyKind};

use super::KeyedThrottle;
use crate::{
    keyed::{Key, keyed_builder, many::Many},
    throttle::{Config, Throttle, common::Common, setters::config_setters},
};

keyed_builder! {
    /// Builds a [`KeyedThrottle`]. Every setting has a default; see [`Config`] for what each means.
    ///
    /// ```
    /// use portcullis::throttle::KeyedThrottle;
    ///
    /// let backends = KeyedThrottle::builder("backends").k(1.5).max_keys(500).build()?;
    /// # let _ = backends;
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    KeyedThrottleBuilder, Config;

    idle_after {
        /// A key that was not used for this long is forgotten (default 10 min), unless it was refused within its window;
        /// 1 ms to 30 days.
    }
}

config_setters!(KeyedThrottleBuilder<K>);

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
