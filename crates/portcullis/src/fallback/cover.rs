//! What is covered.

use std::sync::Arc;

use portcullis_core::{ConfigError, Mode};

use super::{Config, Why};
use crate::{dice::Dice, live::Live};

/// The rules of a fallback, and its lots.
pub(super) struct Cover {
    config: Live<Config>,
    dice: Dice,
}

/// Whether something else is to be answered.
pub(super) enum Covered {
    Yes,
    /// It would be, but for the mode.
    Shadowed,
    No,
}

impl Cover {
    pub(super) fn new(config: Config, seed: Option<u64>) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self { config: Live::new(config), dice: Dice::new(seed) })
    }

    pub(super) fn config(&self) -> Arc<Config> {
        self.config.load()
    }

    pub(super) fn update(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        self.config.update(|before| {
            let config = change(before);
            config.check().map(|()| config)
        })
    }

    pub(super) fn covers(&self, why: &Why) -> Covered {
        let config = self.config();
        let covered = match why.kind() {
            Some(kind) => config.covers_kind(kind),
            None => config.refusals,
        };
        match config.mode {
            _ if !covered => Covered::No,
            Mode::Disabled => Covered::No,
            Mode::Enforce => Covered::Yes,
            mode if self.dice.happens(mode.share()) => Covered::Yes,
            _ => Covered::Shadowed,
        }
    }
}
