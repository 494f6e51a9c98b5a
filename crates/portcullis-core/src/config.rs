//! What a configuration that cannot work says.

use std::{
    error::Error,
    fmt::{self, Debug},
    ops::RangeInclusive,
};

/// A configuration value outside its range: which field, what it was, what is allowed.
///
/// ```
/// use portcullis_core::breaker;
///
/// let config = breaker::Config { permits: 0, ..Default::default() };
/// let error = config.check().unwrap_err();
/// assert_eq!(error.field(), "breaker.permits");
/// assert_eq!(error.to_string(), "breaker.permits is 0: allowed is 1 to 1000");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    field: &'static str,
    value: String,
    allowed: String,
}

impl ConfigError {
    /// An error for `field`, whose `value` is not one of what is `allowed`.
    pub fn new(field: &'static str, value: impl Debug, allowed: impl Into<String>) -> Self {
        Self { field, value: format!("{value:?}"), allowed: allowed.into() }
    }

    /// The field, as `policy.field`.
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// The same of another field: of a policy whose settings have those of another in them.
    #[must_use]
    pub fn of_field(self, field: &'static str) -> Self {
        Self { field, ..self }
    }

    /// The value that was given.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// What would have been allowed.
    pub fn allowed(&self) -> &str {
        &self.allowed
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}: allowed is {}", self.field, self.value, self.allowed)
    }
}

impl Error for ConfigError {}

/// Refuses a value outside `range`; `NaN` is outside every range.
///
/// ```
/// use portcullis_core::check_range;
///
/// assert!(check_range("breaker.window", 100, 1..=1000).is_ok());
/// assert!(check_range("breaker.failure_ratio", f64::NAN, 0.01..=1.0).is_err());
/// ```
pub fn check_range<T>(field: &'static str, value: T, range: RangeInclusive<T>) -> Result<(), ConfigError>
where
    T: PartialOrd + Debug,
{
    if range.contains(&value) {
        return Ok(());
    }
    let allowed = format!("{:?} to {:?}", range.start(), range.end());
    Err(ConfigError::new(field, value, allowed))
}
