//! Building a timeout.

use std::time::Duration;

use portcullis_core::{ConfigError, Name, TimeoutScope};

use super::{Timeout, policy::Settings};
use crate::Registry;

/// Builds a [`Timeout`].
///
/// ```
/// use portcullis::{Timeout, TimeoutScope};
/// use std::time::Duration;
///
/// let timeout = Timeout::builder("feed", Duration::from_secs(30))
///     .scope(TimeoutScope::Attempt)
///     .whole_response(true)
///     .build()?;
/// # let _ = timeout;
/// let error = Timeout::builder("feed", Duration::ZERO).build().unwrap_err();
/// assert_eq!(error.field(), "timeout.limit");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct TimeoutBuilder {
    name: Name,
    settings: Settings,
    registry: Registry,
}

impl TimeoutBuilder {
    pub(super) fn new(name: Name, limit: Duration) -> Self {
        let settings = Settings { limit, scope: TimeoutScope::Total, whole_response: false };
        Self { name, settings, registry: Registry::global().clone() }
    }

    /// What is timed: the whole call (default total), or one attempt of it. It only names the timeout in
    /// rejections and metrics.
    pub fn scope(mut self, scope: TimeoutScope) -> Self {
        self.settings.scope = scope;
        self
    }

    /// Whether the time goes on while the response's body is read (default false). When it is over, an HTTP body
    /// ends with an error, and a gRPC stream with the status `DEADLINE_EXCEEDED`. Protocols without
    /// bodies ignore it.
    pub fn whole_response(mut self, whole: bool) -> Self {
        self.settings.whole_response = whole;
        self
    }

    /// Joins this registry instead of the global one.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = registry.clone();
        self
    }

    /// Builds the timeout.
    ///
    /// # Errors
    ///
    /// A limit outside 1 ms to 24 h.
    pub fn build(self) -> Result<Timeout, ConfigError> {
        Timeout::from_settings(self.name, self.settings, &self.registry)
    }
}
