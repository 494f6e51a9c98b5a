//! Building an executor.

use portcullis_core::{ConfigError, Mode, Name};
use tokio::runtime::Handle;

use super::Executor;
use crate::Registry;

/// Builds an [`Executor`].
///
/// ```
/// use portcullis::{Executor, Mode};
///
/// let executor = Executor::builder("reports").mode(Mode::EnforcePercent(10)).build()?;
/// # let _ = executor;
/// let error = Executor::builder("reports").mode(Mode::EnforcePercent(101)).build().unwrap_err();
/// assert_eq!(error.to_string(), "executor.mode.enforce_percent is 101: allowed is 0 to 100");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ExecutorBuilder {
    name: Name,
    runtime: Option<Handle>,
    mode: Mode,
    seed: Option<u64>,
    registry: Registry,
}

impl ExecutorBuilder {
    pub(super) fn new(name: Name) -> Self {
        let registry = Registry::global().clone();
        Self { name, runtime: None, mode: Mode::Enforce, seed: None, registry }
    }

    /// Runs calls on this runtime (default: on that of the caller, as tasks of their own).
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Whether calls run as tasks (default), or so many percent of them do, or in place. In shadow those in place are
    /// counted.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
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
    /// When the mode's percentage is more than 100.
    pub fn build(self) -> Result<Executor, ConfigError> {
        Executor::from_parts(self.name, self.runtime, self.mode, self.seed, &self.registry)
    }
}
