//! Building a rate limit.

use std::time::Duration;

use portcullis_core::{ConfigError, Name};

use super::{Config, RateLimit, setters::config_setters};
use crate::Registry;

/// Builds a [`RateLimit`]. Every setting has a default; see [`Config`].
///
/// ```
/// use portcullis::RateLimit;
/// use std::time::Duration;
///
/// let second = Duration::from_secs(1);
/// let limit = RateLimit::builder("search").rate(50, second).burst(10).queue(20, second).build()?;
/// # let _ = limit;
/// let error = RateLimit::builder("search").rate(0, second).build().unwrap_err();
/// assert_eq!(error.to_string(), "rate.permits is 0: allowed is 1 to 1000000");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct RateLimitBuilder {
    name: Name,
    config: Config,
    seed: Option<u64>,
    registry: Registry,
}

config_setters!(RateLimitBuilder);

impl RateLimitBuilder {
    pub(super) fn new(name: Name) -> Self {
        Self { name, config: Config::default(), seed: None, registry: Registry::global().clone() }
    }

    /// Builds the rate limit, with all permits there.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<RateLimit, ConfigError> {
        RateLimit::from_parts(self.name, self.config, self.seed, &self.registry)
    }
}
