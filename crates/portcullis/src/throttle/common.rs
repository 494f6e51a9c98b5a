//! What all keys of a throttle have in common; one without keys has it to itself.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use portcullis_core::{ConfigError, Mode, Name, PolicyKind};

use super::Config;
use crate::{Registry, dice::Dice, event::Emitter, live::Live};

pub(crate) struct Common {
    pub(super) config: Live<Config>,
    pub(super) dice: Dice,
    pub(super) emitter: Emitter,
    pub(super) rejected: AtomicU64,
    pub(super) shadowed: AtomicU64,
    /// Counts changes of the settings.
    version: AtomicU64,
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
            config: Live::new(config),
            dice: Dice::new(seed),
            emitter: Emitter::new(name, PolicyKind::Throttle, registry),
            rejected: AtomicU64::new(0),
            shadowed: AtomicU64::new(0),
            version: AtomicU64::new(0),
        })
    }

    /// To be read before the settings: who finds it changed after he has used them has used old ones.
    pub(super) fn version(&self) -> u64 {
        self.version.load(Acquire)
    }

    /// Puts other settings in place, if `take` takes them.
    pub(super) fn replace(
        &self,
        change: impl FnOnce(&Config) -> Config,
        take: impl FnOnce(&Config) -> Result<(), ConfigError>,
    ) -> Result<(), ConfigError> {
        self.config.update(|before| {
            let config = change(before);
            config.check()?;
            // Under the lock, or those of another change could stay.
            take(&config)?;
            Ok(config)
        })?;
        self.version.fetch_add(1, Release);
        Ok(())
    }

    /// Whether a call that is to be held back is.
    pub(super) fn enforces(&self) -> bool {
        let mode = self.config.load().mode;
        mode == Mode::Enforce || self.dice.happens(mode.share())
    }

    pub(super) fn count(&self, enforced: bool) {
        let count = if enforced { &self.rejected } else { &self.shadowed };
        count.fetch_add(1, Relaxed);
    }
}
