//! What all keys of a keyed retry have in common.

use std::sync::{
    Arc,
    atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use portcullis_core::{
    ConfigError,
    retry::{Budget, BudgetConfig},
};

use crate::{
    Name, Registry, clock,
    dice::Dice,
    event::Emitter,
    live::Live,
    retry::{Config, status::Counts},
};

/// Shared by all keys.
pub(in crate::retry) struct Common {
    pub(super) name: Name,
    pub(in crate::retry) config: Live<Config>,
    pub(in crate::retry) dice: Arc<Dice>,
    pub(in crate::retry) registry: Registry,
    pub(in crate::retry) counts: Arc<Counts>,
    /// The voice of them all; that of a key is its own.
    pub(super) emitter: Emitter,
    /// Counts changes of the settings.
    version: AtomicU64,
    /// The retries that a budget has from which nothing was taken.
    untouched: AtomicU64,
}

impl Common {
    pub(super) fn new(
        name: Name,
        config: Config,
        seed: Option<u64>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            untouched: AtomicU64::new(untouched(config.budget)?),
            config: Live::new(config),
            dice: Arc::new(Dice::new(seed)),
            registry: registry.clone(),
            counts: Arc::default(),
            emitter: Emitter::new(name.clone(), crate::PolicyKind::Retry, registry),
            version: AtomicU64::new(0),
            name,
        })
    }

    /// To be read before the settings: who finds it changed after he has used them has used old ones.
    pub(super) fn version(&self) -> u64 {
        self.version.load(Acquire)
    }

    pub(super) fn untouched(&self) -> u64 {
        self.untouched.load(Relaxed)
    }

    /// Puts other settings in place; the keys are still to be told.
    pub(super) fn replace(
        &self,
        change: impl FnOnce(&Config) -> Result<Config, ConfigError>,
    ) -> Result<(), ConfigError> {
        self.config.update(|before| {
            let config = change(before)?;
            config.check()?;
            self.untouched.store(untouched(config.budget)?, Relaxed);
            Ok(config)
        })?;
        self.version.fetch_add(1, Release);
        Ok(())
    }
}

fn untouched(config: BudgetConfig) -> Result<u64, ConfigError> {
    Budget::new(config, 1).map(|budget| budget.available(clock::now()))
}
