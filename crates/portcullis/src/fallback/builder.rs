//! Building a fallback.

use std::collections::BTreeSet;

use portcullis_core::{ConfigError, FailureKind, Mode, Name};

use super::{Config, Fallback};
use crate::Registry;

/// Builds a [`Fallback`]. Every setting has a default; see [`Config`].
///
/// ```
/// use portcullis::{Fallback, FailureKind};
///
/// let fallback = Fallback::builder("prices").only([FailureKind::Timeout]).refusals(true).build()?;
/// # let _ = fallback;
/// let error = Fallback::builder("prices").only([]).refusals(false).build().unwrap_err();
/// assert_eq!(error.to_string(), "fallback.kinds is {}: allowed is at least one, or refusals");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct FallbackBuilder {
    name: Name,
    config: Config,
    seed: Option<u64>,
    registry: Registry,
}

impl FallbackBuilder {
    pub(super) fn new(name: Name) -> Self {
        Self { name, config: Config::default(), seed: None, registry: Registry::global().clone() }
    }

    /// Takes all settings from a [`Config`].
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Covers failures of these kinds and of no other (default: all but validation and data loss).
    pub fn only(mut self, kinds: impl IntoIterator<Item = FailureKind>) -> Self {
        self.config.kinds = BTreeSet::from_iter(kinds);
        self
    }

    /// Whether refusals by policies below are covered (default: they are).
    pub fn refusals(mut self, covered: bool) -> Self {
        self.config.refusals = covered;
        self
    }

    /// Whether something else is answered, or only counted (default: answered).
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

    /// Builds the fallback.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<Fallback, ConfigError> {
        Fallback::from_parts(self.name, self.config, self.seed, &self.registry)
    }
}
