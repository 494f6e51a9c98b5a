//! What all keys of a policy have in common; one without keys has it to itself.

use std::sync::{
    Arc,
    atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use portcullis_core::{ConfigError, Mode, Name, PolicyKind};

use super::{
    Key,
    family::{Family, Settings},
    many::{Many, OfMany},
};
use crate::{Registry, dice::Dice, event::Emitter, live::Live};

/// `B` is what only one kind of policy has.
pub(crate) struct Common<C, B = ()> {
    pub(crate) config: Live<C>,
    pub(crate) dice: Dice,
    pub(crate) emitter: Emitter,
    pub(crate) rejected: AtomicU64,
    pub(crate) shadowed: AtomicU64,
    pub(crate) besides: B,
    /// Counts changes of the settings.
    version: AtomicU64,
}

impl<C: Settings, B: Default> Common<C, B> {
    pub(crate) fn new(
        (kind, name): (PolicyKind, Name),
        config: C,
        seed: Option<u64>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            config: Live::new(config),
            dice: Dice::new(seed),
            emitter: Emitter::new(name, kind, registry),
            rejected: AtomicU64::new(0),
            shadowed: AtomicU64::new(0),
            besides: B::default(),
            version: AtomicU64::new(0),
        })
    }

    /// Puts other settings in place, if `take` takes them.
    pub(crate) fn replace(
        &self,
        change: impl FnOnce(&C) -> C,
        take: impl FnOnce(&C) -> Result<(), ConfigError>,
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

    /// Whether a call that is to be refused is.
    pub(crate) fn enforces(&self) -> bool {
        let mode = self.config.load().mode();
        mode == Mode::Enforce || self.dice.happens(mode.share())
    }

    /// Calls that were refused, by the policy or because it is stopped.
    pub(crate) fn refused(&self) -> u64 {
        self.rejected.load(Relaxed) + self.emitter.refused_stopped()
    }

    pub(crate) fn count(&self, enforced: bool) {
        let count = if enforced { &self.rejected } else { &self.shadowed };
        count.fetch_add(1, Relaxed);
    }
}

impl<C: Settings, B: Send + Sync + 'static> Family for Common<C, B> {
    type Config = C;

    fn config(&self) -> Arc<C> {
        self.config.load()
    }

    fn emitter(&self) -> &Emitter {
        &self.emitter
    }

    fn version(&self) -> u64 {
        self.version.load(Acquire)
    }
}

/// Changes the settings of all keys and of the overflow, which `take` gives them to, and tells of it.
pub(crate) fn change<K, P, C, B>(
    all: &Many<K, P>,
    change: impl FnOnce(&C) -> C,
    take: impl FnOnce(&P, &C) -> Result<(), ConfigError>,
) -> Result<(), ConfigError>
where
    K: Key,
    P: OfMany<Common = Common<C, B>>,
    C: Settings,
    B: Default + Send + Sync + 'static,
{
    let Many { common, overflow, .. } = all;
    all.update(|| common.replace(change, |config| take(overflow, config)))?;
    common.emitter.config_changed();
    Ok(())
}
