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
        let settings = Settings {
            limit,
            scope: TimeoutScope::Total,
            whole_response: false,
            body: None,
            body_idle: None,
        };
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

    /// How long a response's body may be read, from its head on (default as long as it takes); 1 ms to 24 h. When
    /// that is over, the body ends as it does with [`whole_response`](Self::whole_response).
    ///
    /// ```
    /// use portcullis::Timeout;
    /// use std::time::Duration;
    ///
    /// // A second for the head, half a minute for the body, and no pause in it of more than five seconds.
    /// let second = Duration::from_secs(1);
    /// let timeout = Timeout::builder("reports", second).body(30 * second).body_idle(5 * second).build()?;
    /// # let _ = timeout;
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    pub fn body(mut self, limit: Duration) -> Self {
        self.settings.body = Some(limit);
        self
    }

    /// How long a response's body may pause before the next frame of it (default as long as it likes); 1 ms to
    /// 24 h. For streams, which go on for as long as something comes.
    pub fn body_idle(mut self, limit: Duration) -> Self {
        self.settings.body_idle = Some(limit);
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
    /// A time outside 1 ms to 24 h.
    pub fn build(self) -> Result<Timeout, ConfigError> {
        Timeout::from_settings(self.name, self.settings, &self.registry)
    }
}
