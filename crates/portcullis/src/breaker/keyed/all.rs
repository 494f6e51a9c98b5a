//! What is done to all keys, or seen of them.

use std::time::Duration;

use portcullis_core::{
    ConfigError,
    breaker::{Config, Mode, State},
};

use super::{KeyedStatus, policy::Shared};
use crate::{clock, keyed::Key};

impl<K: Key> Shared<K> {
    pub(super) fn status(&self) -> KeyedStatus {
        let Self { keys, common, overflow } = self;
        KeyedStatus {
            keys: keys.len(),
            max_keys: keys.limits().max_keys,
            states: common.census.counts(),
            evictions: keys.evictions(),
            overflows: keys.overflows(),
            overflow: overflow.status(),
            isolated: common.is_isolated(),
            refused: common.refused.counts().iter().sum(),
            bypassed: common.spared.counts().iter().sum(),
        }
    }

    pub(super) fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        let settings = &self.common.settings;
        let before = settings.config().mode;
        settings.replace(config.clone())?;
        self.refresh(before);
        self.overflow.reconfigure(config)?;
        self.common.emitter.config_changed();
        Ok(())
    }

    pub(super) fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        let settings = &self.common.settings;
        let before = settings.config().mode;
        settings.set_mode(mode)?;
        self.refresh(before);
        self.overflow.set_mode(mode)?;
        self.common.emitter.config_changed();
        Ok(())
    }

    /// Tells all keys that the settings have changed.
    fn refresh(&self, mut before: Mode) {
        let settings = &self.common.settings;
        loop {
            let (version, mode) = (settings.version(), settings.config().mode);
            self.keys.for_each(|one| one.refresh(before));
            if settings.version() == version {
                return;
            }
            // Who has set another mode meanwhile does not know that this one was followed.
            if mode == Mode::Disabled {
                before = mode;
            }
        }
    }

    pub(super) fn isolate(&self, time: Option<Duration>) {
        self.common.isolate(time);
    }

    pub(super) fn release(&self) {
        self.common.release();
        self.overflow.release();
        self.keys.for_each(|one| one.value().machine.release(&one.world()));
    }

    pub(super) fn reset(&self) {
        self.common.release();
        self.overflow.reset();
        self.keys.for_each(|one| {
            let machine = &one.value().machine;
            // Most of a million keys have never failed: nothing is to be made for these.
            if machine.state() != State::Closed || machine.status(clock::now()).failures > 0 {
                machine.reset(&one.world());
            }
        });
    }
}
