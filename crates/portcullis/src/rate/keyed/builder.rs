//! Building a keyed rate limit.

use std::{sync::Arc, time::Duration};

use portcullis_core::{ConfigError, Name, PolicyKind};

use super::KeyedRateLimit;
use crate::{
    keyed::{Key, keyed_builder, many::Many},
    rate::{Config, RateLimit, common::Common, setters::config_setters},
};

keyed_builder! {
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
    KeyedRateLimitBuilder, Config;

    idle_after {
        /// A key that was not used for this long is forgotten (default 10 min), once all its permits are there again;
        /// 1 ms to 30 days.
    }
}

config_setters!(KeyedRateLimitBuilder<K>);

impl<K: Key> KeyedRateLimitBuilder<K> {
    /// Builds the keyed rate limit, without a key.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<KeyedRateLimit<K>, ConfigError> {
        let Self { name, config, limits, registry, seed, .. } = self;
        let all = (PolicyKind::RateLimit, name.clone());
        let common = Arc::new(Common::new(all, config.clone(), seed, &registry)?);
        let overflow = RateLimit::from_parts(Name::from(format!("{name}/(other)")), config, seed, &registry)?;
        let shared = Arc::new(Many::new(limits, common, overflow)?);
        registry.join(PolicyKind::RateLimit, name, &shared);
        Ok(KeyedRateLimit { shared })
    }
}
