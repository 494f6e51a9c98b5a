//! Building an adaptive limit.

use portcullis_core::{ConfigError, Name, adaptive::Config};

use super::{AdaptiveLimit, setters::config_setters};
use crate::Registry;

/// Builds an [`AdaptiveLimit`]. Every setting has a default; see [`Config`] for what each means.
///
/// ```
/// use portcullis::{AdaptiveLimit, adaptive::{Algorithm, Gradient}};
///
/// let limit = AdaptiveLimit::builder("search")
///     .algorithm(Algorithm::Gradient(Gradient { tolerance: 2.0, ..Gradient::default() }))
///     .between(10, 500)
///     .build()?;
/// # let _ = limit;
/// let error = AdaptiveLimit::builder("search").between(0, 500).build().unwrap_err();
/// assert_eq!(error.to_string(), "adaptive_limit.min is 0: allowed is 1 to 500");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct AdaptiveLimitBuilder {
    name: Name,
    config: Config,
    seed: Option<u64>,
    registry: Registry,
}

config_setters!(AdaptiveLimitBuilder);

impl AdaptiveLimitBuilder {
    pub(super) fn new(name: Name) -> Self {
        Self { name, config: Config::default(), seed: None, registry: Registry::global().clone() }
    }

    /// Builds the limit, with nothing in flight.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<AdaptiveLimit, ConfigError> {
        AdaptiveLimit::from_config(self.name, self.config, self.seed, &self.registry)
    }
}
