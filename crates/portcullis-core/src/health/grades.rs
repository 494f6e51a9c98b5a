//! From a measured value to a level.

use std::ops::RangeInclusive;

use super::Level;
use crate::{ConfigError, check_range};

/// From which value on something is no longer well; a level without a value is never reached.
///
/// ```
/// use portcullis_core::health::{Grades, Level};
///
/// let used = Grades { warning: Some(0.8), degraded: None, critical: Some(0.95) };
/// assert_eq!(used.level(0.79), Level::Healthy);
/// assert_eq!(used.level(0.8), Level::Warning);
/// assert_eq!(used.level(0.99), Level::Critical);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Grades {
    /// From here on it is [`Level::Warning`].
    pub warning: Option<f64>,
    /// From here on it is [`Level::Degraded`].
    pub degraded: Option<f64>,
    /// From here on it is [`Level::Critical`].
    pub critical: Option<f64>,
}

impl Grades {
    /// All three.
    pub const fn of(warning: f64, degraded: f64, critical: f64) -> Self {
        Self { warning: Some(warning), degraded: Some(degraded), critical: Some(critical) }
    }

    /// The gravest level that this value reaches. What is not a number reaches none.
    pub fn level(&self, value: f64) -> Level {
        let reaches = |from: Option<f64>| from.is_some_and(|from| value >= from);
        if reaches(self.critical) {
            Level::Critical
        } else if reaches(self.degraded) {
            Level::Degraded
        } else if reaches(self.warning) {
            Level::Warning
        } else {
            Level::Healthy
        }
    }

    /// Checks that each is in this range, and none below a milder one. `fields` are their names in errors: of
    /// the warning, of degraded, of critical.
    ///
    /// # Errors
    ///
    /// The first that is not.
    pub fn check(&self, fields: [&'static str; 3], range: RangeInclusive<f64>) -> Result<(), ConfigError> {
        let mut low = *range.start();
        for (field, value) in fields.into_iter().zip([self.warning, self.degraded, self.critical]) {
            if let Some(value) = value {
                check_range(field, value, low..=*range.end())?;
                low = value;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIELDS: [&str; 3] = ["disk.used.warning", "disk.used.degraded", "disk.used.critical"];

    #[test]
    fn a_graver_level_cannot_begin_before_a_milder_one() {
        let error = Grades::of(0.9, 0.8, 0.95).check(FIELDS, 0.0..=1.0).unwrap_err();
        assert_eq!(error.to_string(), "disk.used.degraded is 0.8: allowed is 0.9 to 1.0");
        assert!(Grades::of(0.5, 0.5, 0.5).check(FIELDS, 0.0..=1.0).is_ok());
        assert!(Grades { critical: Some(f64::NAN), ..Grades::default() }.check(FIELDS, 0.0..=1.0).is_err());
        assert_eq!(Grades::of(0.1, 0.2, 0.3).level(f64::NAN), Level::Healthy);
    }

    proptest! {
        #[test]
        fn more_is_never_better(mut at in prop::array::uniform3(0.0..1.0_f64), a in 0.0..1.0_f64, b in 0.0..1.0_f64) {
            at.sort_by(f64::total_cmp);
            let grades = Grades::of(at[0], at[1], at[2]);
            prop_assert!(grades.check(FIELDS, 0.0..=1.0).is_ok());
            prop_assert!(grades.level(a.min(b)) <= grades.level(a.max(b)));
        }
    }
}
