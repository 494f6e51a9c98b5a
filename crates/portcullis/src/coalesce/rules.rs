//! The settings, as a call reads them.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering::Relaxed},
};

use portcullis_core::{
    ConfigError, Mode,
    coalesce::{Config, OnFailure},
};

use crate::{dice::Dice, flight::Bounds, live::Live};

/// No percentage.
const DISABLED: u8 = u8::MAX;

/// The settings, and their parts that every call reads, without a lock.
pub(super) struct Rules {
    config: Live<Config>,
    dice: Dice,
    max_keys: AtomicU32,
    max_waiting: AtomicU32,
    max_body: AtomicU32,
    promotes: AtomicBool,
    /// The percentage of the calls that wait, or [`DISABLED`].
    percent: AtomicU8,
}

impl Rules {
    pub(super) fn new(config: Config, seed: Option<u64>) -> Result<Self, ConfigError> {
        config.check()?;
        let rules = Self {
            config: Live::new(config.clone()),
            dice: Dice::new(seed),
            max_keys: AtomicU32::default(),
            max_waiting: AtomicU32::default(),
            max_body: AtomicU32::default(),
            promotes: AtomicBool::default(),
            percent: AtomicU8::default(),
        };
        rules.store(&config);
        Ok(rules)
    }

    pub(super) fn config(&self) -> Arc<Config> {
        self.config.load()
    }

    pub(super) fn update(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        self.config.update(|before| {
            let config = change(before);
            config.check()?;
            // Under the lock, or that of another change could stay.
            self.store(&config);
            Ok(config)
        })
    }

    fn store(&self, config: &Config) {
        self.max_keys.store(config.max_keys, Relaxed);
        self.max_waiting.store(config.max_waiting, Relaxed);
        self.max_body.store(config.max_body, Relaxed);
        self.promotes.store(config.on_failure == OnFailure::Promote, Relaxed);
        self.percent.store(percent(config.mode), Relaxed);
    }

    pub(super) fn is_disabled(&self) -> bool {
        self.percent.load(Relaxed) == DISABLED
    }

    pub(super) fn bounds(&self) -> Bounds {
        let bound = |value: &AtomicU32| value.load(Relaxed) as usize;
        Bounds { keys: bound(&self.max_keys), waiting: bound(&self.max_waiting) }
    }

    pub(super) fn max_body(&self) -> usize {
        self.max_body.load(Relaxed) as usize
    }

    /// Whether failures are not shared.
    pub(super) fn promotes(&self) -> bool {
        self.promotes.load(Relaxed)
    }

    /// Whether a call that could wait does.
    pub(super) fn waits(&self) -> bool {
        match self.percent.load(Relaxed) {
            100 => true,
            0 | DISABLED => false,
            percent => self.dice.happens(f64::from(percent) / 100.0),
        }
    }
}

fn percent(mode: Mode) -> u8 {
    match mode {
        Mode::Enforce => 100,
        Mode::EnforcePercent(percent) => percent.min(100),
        Mode::Disabled => DISABLED,
        _ => 0,
    }
}
