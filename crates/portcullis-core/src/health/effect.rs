//! What one part's level makes of the whole.

use super::Level;
use crate::ConfigError;

/// What one part's level makes of the whole. Healthy stays healthy, and a worse part never gives a better whole:
/// nothing else can be written.
///
/// ```
/// use portcullis_core::health::{Effect, Level};
///
/// assert_eq!(Effect::at_most(Level::Degraded).of(Level::Critical), Level::Degraded);
/// assert_eq!(Effect::NONE.of(Level::Critical), Level::Healthy);
/// assert!(Effect::table(Level::Critical, Level::Warning, Level::Critical).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect([Level; Level::ALL.len()]);

impl Effect {
    /// The whole is no better than the part.
    pub const AS_IS: Self = Self(Level::ALL);
    /// The part says nothing about the whole.
    pub const NONE: Self = Self::at_most(Level::Healthy);

    /// The whole is no better than the part, but this part alone makes it no worse than `worst`.
    pub const fn at_most(worst: Level) -> Self {
        let mut table = Level::ALL;
        let mut at = 0;
        while at < table.len() {
            if at > worst.number() as usize {
                table[at] = worst;
            }
            at += 1;
        }
        Self(table)
    }

    /// What a warning, a degraded and a critical part make of the whole.
    ///
    /// # Errors
    ///
    /// A worse part would give a better whole: `health.effect`.
    pub fn table(warning: Level, degraded: Level, critical: Level) -> Result<Self, ConfigError> {
        let table = [Level::Healthy, warning, degraded, critical];
        if table.is_sorted() {
            return Ok(Self(table));
        }
        let given = [warning, degraded, critical].map(Level::as_str);
        Err(ConfigError::new("health.effect", given, "three levels, none better than the one before"))
    }

    /// What a part of this level makes of the whole.
    pub const fn of(self, level: Level) -> Level {
        self.0[level.number() as usize]
    }
}

impl Default for Effect {
    fn default() -> Self {
        Self::AS_IS
    }
}
