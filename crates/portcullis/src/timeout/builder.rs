//! Building a timeout.

use std::time::Duration;

use portcullis_core::{ConfigError, Mode, Name, TimeoutScope};

use super::{Adaptive, Config, Preset, Timeout};
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
    config: Config,
    seed: Option<u64>,
    registry: Registry,
}

impl TimeoutBuilder {
    pub(super) fn new(name: Name, config: Config) -> Self {
        Self { name, config, seed: None, registry: Registry::global().clone() }
    }

    /// Takes all settings from a [`Config`], the limit too.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Takes all settings from a [`Preset`], the limit too.
    pub fn preset(self, preset: Preset) -> Self {
        self.config(preset.config())
    }

    /// What is timed: the whole call (default total), or one attempt of it. It only names the timeout in
    /// rejections and metrics.
    pub fn scope(mut self, scope: TimeoutScope) -> Self {
        self.config.scope = scope;
        self
    }

    /// Whether the time goes on while the response's body is read (default false). When it is over, an HTTP body
    /// ends with an error, and a gRPC stream with the status `DEADLINE_EXCEEDED`. Protocols without
    /// bodies ignore it.
    pub fn whole_response(mut self, whole: bool) -> Self {
        self.config.whole_response = whole;
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
        self.config.body = Some(limit);
        self
    }

    /// How long a response's body may pause before the next frame of it (default as long as it likes); 1 ms to
    /// 24 h. For streams, which go on for as long as something comes.
    pub fn body_idle(mut self, limit: Duration) -> Self {
        self.config.body_idle = Some(limit);
        self
    }

    /// Makes the limit follow how long calls take (default: it does not); the limit that was given is then the
    /// longest. Costs two looks at the clock for each call.
    ///
    /// ```
    /// use portcullis::{Timeout, timeout::Adaptive};
    /// use std::time::Duration;
    ///
    /// // Twice as long as 99 of 100 calls took in the last minute, from 10 ms to two seconds.
    /// let timeout = Timeout::builder("search", Duration::from_secs(2)).adaptive(Adaptive::default()).build()?;
    /// assert_eq!(timeout.status().limit, Duration::from_secs(2), "nothing seen yet");
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    pub fn adaptive(mut self, adaptive: Adaptive) -> Self {
        self.config.adaptive = Some(adaptive);
        self
    }

    /// Whether late calls are ended, or only counted (default: ended).
    pub fn mode(mut self, mode: Mode) -> Self {
        self.config.mode = mode;
        self
    }

    /// Draws the lots of [`Mode::EnforcePercent`] from a generator with this seed, so that a run can be
    /// repeated.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
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
    /// The first setting outside its range.
    pub fn build(self) -> Result<Timeout, ConfigError> {
        Timeout::from_parts(self.name, self.config, self.seed, &self.registry)
    }
}
