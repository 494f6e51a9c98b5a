//! What all keys of a rate limit have in common; one without keys has it to itself.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use portcullis_core::{ConfigError, Mode, Name, PolicyKind};

use super::Config;
use crate::{Registry, dice::Dice, event::Emitter, live::Live};

pub(super) struct Common {
    pub(super) config: Live<Config>,
    pub(super) dice: Dice,
    pub(super) emitter: Emitter,
    pub(super) rejected: AtomicU64,
    pub(super) shadowed: AtomicU64,
    pub(super) waited: AtomicU64,
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
            emitter: Emitter::new(name, PolicyKind::RateLimit, registry),
            rejected: AtomicU64::new(0),
            shadowed: AtomicU64::new(0),
            waited: AtomicU64::new(0),
        })
    }

    /// Calls that were refused, for want of permits or because it is stopped.
    pub(super) fn refused(&self) -> u64 {
        self.rejected.load(Relaxed) + self.emitter.refused_stopped()
    }

    /// Whether a call that is to be refused is refused; counts it.
    pub(super) fn enforces(&self, mode: Mode) -> bool {
        let enforced = mode == Mode::Enforce || self.dice.happens(mode.share());
        let count = if enforced { &self.rejected } else { &self.shadowed };
        count.fetch_add(1, Relaxed);
        enforced
    }
}
