//! What is covered.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use portcullis_core::{ConfigError, FailureKind, Mode};

use super::{Config, Why};
use crate::{dice::Dice, live::Live};

/// The rules of a fallback, and its lots.
pub(super) struct Cover {
    config: Live<Config>,
    /// The same in brief, for calls to take along.
    brief: AtomicU32,
    dice: Dice,
}

/// The rules in a number: a bit for each kind of failure and one for refusals, and above them how many in a hundred
/// are covered.
#[derive(Clone, Copy)]
pub(super) struct Brief(u32);

/// The bit of refusals; those of failures are their kinds' own.
const REFUSALS: u32 = 0;
/// Above all those bits.
const SHARE: u32 = 16;

impl Brief {
    fn of(config: &Config) -> Self {
        let percent = match config.mode {
            Mode::Enforce => 100,
            Mode::EnforcePercent(percent) => u32::from(percent),
            _ => 0,
        };
        let refusals = u32::from(config.refusals) << REFUSALS;
        let kinds = config.kinds.iter().map(|kind| bit(Some(*kind)));
        Self(kinds.fold(refusals, std::ops::BitOr::bitor) | percent << SHARE)
    }

    /// Whether something else is to be answered, for a policy that is gone: nobody counts.
    pub(super) fn covers(self, why: &Why) -> bool {
        let percent = self.0 >> SHARE;
        let covered = self.0 & bit(why.kind()) != 0;
        covered && (percent >= 100 || Dice::Thread.happens(f64::from(percent) / 100.0))
    }
}

/// The bit of a kind of failure, or of refusals.
fn bit(kind: Option<FailureKind>) -> u32 {
    1 << kind.map_or(REFUSALS, |kind| u32::from(kind as u8))
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
        let brief = AtomicU32::new(Brief::of(&config).0);
        Ok(Self { config: Live::new(config), brief, dice: Dice::new(seed) })
    }

    /// What a call must know if the policy is gone before it fails.
    #[inline(always)]
    pub(super) fn brief(&self) -> Brief {
        Brief(self.brief.load(Relaxed))
    }

    pub(super) fn config(&self) -> Arc<Config> {
        self.config.load()
    }

    pub(super) fn update(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        self.config.update(|before| {
            let config = change(before);
            config.check()?;
            // Under the lock, or that of another change could stay.
            self.brief.store(Brief::of(&config).0, Relaxed);
            Ok(config)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// In brief, it is the same.
    #[test]
    fn what_is_covered_in_brief_is_what_is_covered() -> Result<(), ConfigError> {
        let modes =
            [Mode::Enforce, Mode::Shadow, Mode::Disabled, Mode::EnforcePercent(0), Mode::EnforcePercent(100)];
        for refusals in [true, false] {
            for mode in modes {
                for kind in FailureKind::ALL {
                    let config = Config { kinds: [kind].into(), refusals, mode };
                    let cover = Cover::new(config, None)?;
                    for other in FailureKind::ALL {
                        let why = Why::from(portcullis_core::Failure::new(other));
                        let covered = matches!(cover.covers(&why), Covered::Yes);
                        assert_eq!(
                            cover.brief().covers(&why),
                            covered,
                            "{other:?} where {kind:?} is, {mode}"
                        );
                    }
                }
            }
        }
        Ok(())
    }
}
