//! Building a throttle.

use std::time::Duration;

use portcullis_core::{ConfigError, Name};

use super::{Config, Throttle, setters::config_setters};
use crate::Registry;

/// Builds a [`Throttle`]. Every setting has a default; see [`Config`].
///
/// ```
/// use portcullis::Throttle;
/// use std::time::Duration;
///
/// let throttle = Throttle::builder("search").k(1.5).window(Duration::from_secs(60)).build()?;
/// # let _ = throttle;
/// let error = Throttle::builder("search").k(0.5).build().unwrap_err();
/// assert_eq!(error.to_string(), "throttle.k is 0.5: allowed is 1.1 to 100.0");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ThrottleBuilder {
    name: Name,
    config: Config,
    seed: Option<u64>,
    registry: Registry,
}

config_setters!(ThrottleBuilder);

impl ThrottleBuilder {
    pub(super) fn new(name: Name) -> Self {
        Self { name, config: Config::default(), seed: None, registry: Registry::global().clone() }
    }

    /// Builds the throttle, which has seen nothing.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<Throttle, ConfigError> {
        Throttle::from_parts(self.name, self.config, self.seed, &self.registry)
    }
}
