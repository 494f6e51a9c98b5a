//! How many are how well.

use super::Level;

/// How many of some checks are how well.
///
/// ```
/// use portcullis_core::health::{Level, Summary};
///
/// let summary = Summary::of([Level::Healthy, Level::Degraded, Level::Healthy]);
/// assert_eq!((summary.total(), summary.count(Level::Healthy)), (3, 2));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary([usize; Level::ALL.len()]);

impl Summary {
    /// Counts these.
    pub fn of(levels: impl IntoIterator<Item = Level>) -> Self {
        let mut counts = [0; Level::ALL.len()];
        for level in levels {
            counts[usize::from(level.number())] += 1;
        }
        Self(counts)
    }

    /// How many are of this level.
    pub fn count(&self, level: Level) -> usize {
        self.0[usize::from(level.number())]
    }

    /// How many there are.
    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }
}
