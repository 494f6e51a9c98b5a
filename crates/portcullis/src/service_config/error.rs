//! What a service config that cannot work says.

use std::{error::Error, fmt};

/// A value in a gRPC service config that is not allowed: where it stands, what it is, what is allowed.
///
/// ```
/// use portcullis::{Registry, ServiceConfig};
///
/// let config = r#"{ "methodConfig": [{ "name": [{}], "timeout": "5m" }] }"#;
/// let error = ServiceConfig::in_registry("shop", config, &Registry::new()).unwrap_err();
/// assert_eq!(error.path(), "methodConfig[0].timeout");
/// assert_eq!(
///     error.to_string(),
///     r#"methodConfig[0].timeout is "5m": allowed is a duration, 0.001s to 86400s, such as "1.5s""#,
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceConfigError {
    path: String,
    value: String,
    allowed: String,
}

impl ServiceConfigError {
    pub(super) fn new(path: &str, value: impl fmt::Display, allowed: impl Into<String>) -> Self {
        Self { path: path.to_owned(), value: value.to_string(), allowed: allowed.into() }
    }

    /// Where the value stands, such as `methodConfig[2].retryPolicy.maxBackoff`; empty for the whole document.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The value, as JSON; or `missing`.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// What would have been allowed.
    pub fn allowed(&self) -> &str {
        &self.allowed
    }
}

impl fmt::Display for ServiceConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the service config" } else { &self.path };
        write!(f, "{path} is {}: allowed is {}", self.value, self.allowed)
    }
}

impl Error for ServiceConfigError {}
