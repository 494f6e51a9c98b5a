//! Building a breaker.

use portcullis_core::{ConfigError, Name, breaker::Config};

use super::{Breaker, BreakerGroup, setters::config_setters};
use crate::Registry;

/// Builds a [`Breaker`]. Every setting has a default; see [`Config`] for what each means.
///
/// ```
/// use portcullis::Breaker;
/// use std::time::Duration;
///
/// let breaker = Breaker::builder("payments")
///     .failure_ratio(0.3)
///     .window(200)
///     .open_for(Duration::from_secs(10))
///     .build()?;
/// # let _ = breaker;
/// let error = Breaker::builder("payments").failure_ratio(1.5).build().unwrap_err();
/// assert_eq!(error.to_string(), "breaker.failure_ratio is 1.5: allowed is 0.0001 to 1.0");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct BreakerBuilder {
    name: Name,
    config: Config,
    registry: Registry,
    seed: Option<u64>,
    group: Option<BreakerGroup>,
}

config_setters!(BreakerBuilder);

impl BreakerBuilder {
    pub(super) fn new(name: Name) -> Self {
        Self {
            name,
            config: Config::default(),
            registry: Registry::global().clone(),
            seed: None,
            group: None,
        }
    }

    /// Belongs to a group: when all of its members are open, a share of the calls passes.
    pub fn group(mut self, group: &BreakerGroup) -> Self {
        self.group = Some(group.clone());
        self
    }

    /// Builds the breaker, closed.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<Breaker, ConfigError> {
        Breaker::from_parts(self.name, self.config, self.seed, self.group, &self.registry)
    }
}
