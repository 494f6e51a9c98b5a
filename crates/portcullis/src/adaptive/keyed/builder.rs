//! Building a keyed adaptive limit.

use std::sync::Arc;

use portcullis_core::{ConfigError, Name, PolicyKind};

use super::KeyedAdaptiveLimit;
use crate::{
    adaptive::{AdaptiveLimit, Config, common::Common, setters::config_setters},
    keyed::{Key, keyed_builder, many::Many},
};

keyed_builder! {
    /// Builds a [`KeyedAdaptiveLimit`]. Every setting has a default; see [`Config`] for what each means.
    ///
    /// ```
    /// use portcullis::adaptive::KeyedAdaptiveLimit;
    ///
    /// let backends = KeyedAdaptiveLimit::builder("backends").between(2, 200).max_keys(500).build()?;
    /// # let _ = backends;
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    KeyedAdaptiveLimitBuilder, Config;

    idle_after {
        /// A key that was not used for this long is forgotten (default 10 min), unless calls are in flight; 1 ms to
        /// 30 days.
    }
}

config_setters!(KeyedAdaptiveLimitBuilder<K>);

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
