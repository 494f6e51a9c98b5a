//! Building a keyed breaker.

use std::sync::Arc;

use portcullis_core::{
    ConfigError, Name, PolicyKind,
    breaker::{Config, Machine, Settings},
};

use super::{
    KeyedBreaker,
    agenda::Agenda,
    common::{Common, PerState},
    policy::Shared,
};
use crate::{
    Breaker,
    breaker::{BreakerGroup, driver::Driver, setters::config_setters, world::Dice},
    clock,
    event::Emitter,
    keyed::{Key, Keyed, keyed_builder},
};

keyed_builder! {
    /// Builds a [`KeyedBreaker`]. Every setting has a default; see [`Config`] for what each means.
    ///
    /// ```
    /// use portcullis::{KeyedBreaker, breaker::Preset};
    /// use std::time::Duration;
    ///
    /// let hosts = KeyedBreaker::builder("upstream")
    ///     .preset(Preset::FastApi)
    ///     .max_keys(50_000)
    ///     .idle_after(Duration::from_secs(3600))
    ///     .build()?;
    /// # let _ = hosts;
    /// let error = KeyedBreaker::builder("upstream").max_keys(0).build().unwrap_err();
    /// assert_eq!(error.to_string(), "keyed.max_keys is 0: allowed is 1 to 16777216");
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    KeyedBreakerBuilder, Config, group: Option<BreakerGroup>;

    keys {
        ///
        /// ```
        /// use portcullis::KeyedBreaker;
        ///
        /// let tenants = KeyedBreaker::builder("tenants").keys::<u64>().build()?;
        /// assert!(tenants.try_admit(&42).is_ok());
        /// # Ok::<(), portcullis::ConfigError>(())
        /// ```
    }
    idle_after {
        /// A key that was not used for this long is forgotten (default 10 min), unless it is in a state that
        /// lasts; 1 ms to 30 days.
    }
}

config_setters!(KeyedBreakerBuilder<K>);

impl<K> KeyedBreakerBuilder<K> {
    /// Each key belongs to a group: when all keys are open, and all other members, a share of the calls
    /// passes. For keys that stand in for each other, such as the replicas of a service.
    pub fn group(mut self, group: &BreakerGroup) -> Self {
        self.group = Some(group.clone());
        self
    }
}

impl<K: Key> KeyedBreakerBuilder<K> {
    /// Builds the keyed breaker, without a key.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<KeyedBreaker<K>, ConfigError> {
        let keys = Keyed::new(self.limits)?;
        let settings = Arc::new(Settings::new(self.config.clone())?);
        let gate = Machine::new(Config::default(), 1)?;
        let other = Name::from(format!("{}/(other)", self.name));
        let overflow = Breaker::from_parts(other, self.config, self.seed, None, &self.registry)?;
        let common = Arc::new(Common {
            name: self.name.clone(),
            settings,
            dice: Dice::new(self.seed),
            emitter: Emitter::new(self.name.clone(), PolicyKind::Breaker, &self.registry),
            group: self.group,
            census: PerState::default(),
            refused: PerState::default(),
            spared: PerState::default(),
            gate: gate.closed_since(clock::now()),
            agenda: Agenda::default(),
            driver: Driver::default(),
        });
        common.driver.belongs_to(&common);
        let shared = Arc::new(Shared { keys, common, overflow });
        self.registry.join(PolicyKind::Breaker, self.name, &shared);
        Ok(KeyedBreaker { shared })
    }
}
