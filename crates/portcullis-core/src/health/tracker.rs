//! Up or down, by results in a row.

use crate::{ConfigError, check_range};

/// One failed probe may be chance; three in a row are not.
pub const DEFAULT_DOWN_AFTER: u32 = 3;
/// Two in a row, so that a dependency that answers every other time does not count as up.
pub const DEFAULT_UP_AFTER: u32 = 2;

/// How many results in a row change the judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Failures in a row until down (default 3); 1 to 1000.
    pub down_after: u32,
    /// Successes in a row until up again (default 2); 1 to 1000.
    pub up_after: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { down_after: DEFAULT_DOWN_AFTER, up_after: DEFAULT_UP_AFTER }
    }
}

impl Thresholds {
    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_range("probe.down_after", self.down_after, 1..=1000)?;
        check_range("probe.up_after", self.up_after, 1..=1000)
    }
}

/// Follows results; up to begin with.
#[derive(Clone, Debug)]
pub struct Tracker {
    thresholds: Thresholds,
    up: bool,
    /// Results in a row that contradict `up`.
    against: u32,
}

impl Tracker {
    /// A tracker that starts up.
    ///
    /// # Errors
    ///
    /// The first threshold outside its range.
    pub fn new(thresholds: Thresholds) -> Result<Self, ConfigError> {
        thresholds.check()?;
        Ok(Self { thresholds, up: true, against: 0 })
    }

    /// Takes a result; says `Some(up)` when it changes the judgement.
    pub fn record(&mut self, success: bool) -> Option<bool> {
        if success == self.up {
            self.against = 0;
            return None;
        }
        self.against = self.against.saturating_add(1);
        let needed = if self.up { self.thresholds.down_after } else { self.thresholds.up_after };
        if self.against < needed {
            return None;
        }
        self.up = success;
        self.against = 0;
        Some(self.up)
    }

    /// Other thresholds, from the next result on.
    pub fn set_thresholds(&mut self, thresholds: Thresholds) {
        self.thresholds = thresholds;
    }

    /// The judgement.
    pub fn is_up(&self) -> bool {
        self.up
    }

    /// Results in a row that contradict the judgement.
    pub fn against(&self) -> u32 {
        self.against
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flapping_changes_nothing() {
        let mut tracker = Tracker::new(Thresholds::default()).unwrap();
        for _ in 0..100 {
            assert_eq!([false, false, true].map(|ok| tracker.record(ok)), [None; 3]);
        }
        assert!(tracker.is_up());
    }
}
