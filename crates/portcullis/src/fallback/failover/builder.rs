//! Building a failover.

use std::collections::BTreeSet;

use portcullis_core::{ConfigError, FailureKind, Mode, Name};

use super::{Failover, policy::Policies};
use crate::{Registry, fallback::Config};

/// Builds a [`Failover`] of services of one type; those of several types are boxed before, as by
/// `tower::ServiceExt::boxed_clone`.
///
/// ```
/// use portcullis::{BoxError, fallback::Failover};
/// use tower::{ServiceExt, service_fn};
///
/// let primary = service_fn(|n: u32| async move { Ok::<_, BoxError>(n) });
/// let replica = service_fn(|n: u32| async move { Ok::<_, BoxError>(n + 1) });
/// let service = Failover::builder("orders")
///     .provider("primary", primary.boxed_clone())
///     .provider("replica", replica.boxed_clone())
///     .build()?;
/// # let _ = service;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct FailoverBuilder<S> {
    name: Name,
    config: Config,
    seed: Option<u64>,
    registry: Registry,
    providers: Vec<(Name, S)>,
}

/// The most providers that one failover has.
const MOST: usize = 100;

impl<S> FailoverBuilder<S> {
    pub(super) fn new(name: Name) -> Self {
        let registry = Registry::global().clone();
        Self { name, config: Config::default(), seed: None, registry, providers: Vec::new() }
    }

    /// The next provider in the order; 1 to 100 of them, each with a name of its own.
    pub fn provider(mut self, name: impl Into<Name>, service: S) -> Self {
        self.providers.push((name.into(), service));
        self
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

    /// Whether refusals by a provider's policies are covered (default: they are).
    pub fn refusals(mut self, covered: bool) -> Self {
        self.config.refusals = covered;
        self
    }

    /// Whether the next provider is asked, or that is only counted (default: asked).
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

    /// Builds the service.
    ///
    /// # Errors
    ///
    /// The first setting outside its range; no provider, too many, or two of one name.
    pub fn build(self) -> Result<Failover<S>, ConfigError>
    where
        S: Clone,
    {
        let Self { name, config, seed, registry, providers } = self;
        let (names, services): (Vec<_>, Vec<_>) = providers.into_iter().unzip();
        let distinct = names.iter().collect::<BTreeSet<_>>().len();
        if names.is_empty() || names.len() > MOST || distinct < names.len() {
            let allowed = format!("1 to {MOST} of different names");
            return Err(ConfigError::new("failover.providers", names, allowed));
        }
        let policies = Policies::new(name, config, seed, &registry, names)?;
        Failover::of(services, policies)
    }
}
