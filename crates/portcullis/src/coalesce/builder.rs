//! Building coalescing.

use portcullis_core::{
    ConfigError, Mode, Name,
    coalesce::{Config, OnFailure},
};

use super::Coalesce;
use crate::Registry;

/// Builds [`Coalesce`]. Every setting has a default; see [`Config`].
///
/// ```
/// use portcullis::{Coalesce, coalesce::OnFailure};
///
/// let coalesce = Coalesce::builder("prices").max_waiting(100).on_failure(OnFailure::Promote).build()?;
/// # let _ = coalesce;
/// let error = Coalesce::builder("prices").max_keys(0).build().unwrap_err();
/// assert_eq!(error.to_string(), "coalesce.max_keys is 0: allowed is 1 to 1000000");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct CoalesceBuilder {
    name: Name,
    config: Config,
    seed: Option<u64>,
    registry: Registry,
}

impl CoalesceBuilder {
    pub(super) fn new(name: Name) -> Self {
        Self { name, config: Config::default(), seed: None, registry: Registry::global().clone() }
    }

    /// Takes all settings from a [`Config`].
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Keys that may be in flight at a time (default 10,000); 1 to 1,000,000. Calls of further keys go by
    /// themselves.
    pub fn max_keys(mut self, keys: u32) -> Self {
        self.config.max_keys = keys;
        self
    }

    /// Calls of one key that may wait at a time (default 10,000); 1 to 1,000,000. Further ones go by themselves.
    pub fn max_waiting(mut self, calls: u32) -> Self {
        self.config.max_waiting = calls;
        self
    }

    /// The longest body of a response that is shared, in bytes (default 1 MiB); 0 to 1 GiB. Only for HTTP.
    pub fn max_body(mut self, bytes: u32) -> Self {
        self.config.max_body = bytes;
        self
    }

    /// What becomes of those who wait when the call fails (default: they share the failure).
    pub fn on_failure(mut self, then: OnFailure) -> Self {
        self.config.on_failure = then;
        self
    }

    /// Whether answers are shared, or it is only counted that they could be (default: shared).
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

    /// Builds it.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<Coalesce, ConfigError> {
        Coalesce::from_parts(self.name, self.config, self.seed, &self.registry)
    }
}
