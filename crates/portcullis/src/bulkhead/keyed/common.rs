//! What all keys of a keyed bulkhead have in common.

use portcullis_core::{
    ConfigError, Mode, Name, PolicyKind, Reason, Rejection,
    bulkhead::keyed::{Config, FairSemaphore},
};

use super::measure::Refusals;
use crate::{Registry, dice::Dice, event::Emitter, metrics::Buckets};

/// Shared by all keys.
pub(super) struct Common {
    pub(super) semaphore: FairSemaphore,
    pub(super) emitter: Emitter,
    dice: Dice,
    pub(super) rejected: Refusals,
    pub(super) bypassed: Refusals,
    /// How long calls waited.
    pub(super) waits: Box<Buckets>,
}

impl Common {
    pub(super) fn new(
        name: Name,
        config: Config,
        seed: Option<u64>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            semaphore: FairSemaphore::new(config)?,
            emitter: Emitter::new(name, PolicyKind::Bulkhead, registry),
            dice: Dice::new(seed),
            rejected: Refusals::default(),
            bypassed: Refusals::default(),
            waits: Box::default(),
        })
    }

    /// Whether a call that is to be refused is refused, and not let through because of the mode.
    pub(super) fn enforces(&self) -> bool {
        let mode = self.semaphore.mode();
        mode == Mode::Enforce || self.dice.happens(mode.share())
    }

    /// Counts and tells a refusal of a key of this name.
    pub(super) fn rejected(&self, key: Name, reason: Reason, enforced: bool) -> Rejection {
        let counts = if enforced { &self.rejected } else { &self.bypassed };
        counts.count(&reason);
        let rejection = Rejection::new(key, reason);
        self.emitter.rejected(&rejection, enforced);
        rejection
    }
}
