//! The monitor's handle.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use portcullis_core::{
    ConfigError, Name, PolicyKind,
    health::{CheckConfig, Level},
};
use tokio::runtime::Handle;

use super::{CheckBuilder, CheckResult, CheckStatus, check::Check};
use crate::{Registry, check::AnyAsk};

/// Checks that are asked in the background: a cheap handle. Clones are the same monitor; its checks end when the last
/// is dropped.
#[derive(Clone)]
pub struct HealthMonitor(Arc<Shared>);

struct Shared {
    registry: Registry,
    runtime: Option<Handle>,
    /// In the order in which they were added.
    checks: Mutex<Vec<Arc<Check>>>,
}

impl HealthMonitor {
    /// A monitor whose checks join this registry, and run on the tokio runtime that they are added on.
    pub fn new(registry: &Registry) -> Self {
        Self::with(registry, None)
    }

    /// The same, with checks that run on this runtime, for programs that are put together outside one; or to keep
    /// checks from waiting behind what the service does.
    pub fn on(registry: &Registry, runtime: &Handle) -> Self {
        Self::with(registry, Some(runtime.clone()))
    }

    fn with(registry: &Registry, runtime: Option<Handle>) -> Self {
        Self(Arc::new(Shared { registry: registry.clone(), runtime, checks: Mutex::default() }))
    }

    /// A check of this name to be configured, and [added](CheckBuilder::spawn).
    pub fn check(&self, name: impl Into<Name>) -> CheckBuilder {
        CheckBuilder::new(self.clone(), name.into())
    }

    pub(super) fn put(&self, name: Name, config: CheckConfig, ask: Arc<dyn AnyAsk>) {
        let check = Arc::new(Check::new(name.clone(), config, ask, &self.0.registry));
        let before = {
            let mut checks = self.checks();
            match checks.iter_mut().find(|known| known.name == name) {
                Some(known) => Some(std::mem::replace(known, check.clone())),
                None => {
                    checks.push(check.clone());
                    None
                }
            }
        };
        // Before the new one joins, or both would be seen; and outside of the lock, for what it holds may do anything.
        drop(before);
        self.0.registry.join(PolicyKind::Check, name, &check);
        check.start(self.runtime().as_ref());
    }

    /// Removes a check; what runs of it is dropped. Says whether there was one.
    pub fn remove(&self, name: &str) -> bool {
        let removed = {
            let mut checks = self.checks();
            let at = checks.iter().position(|check| *check.name == *name);
            at.map(|at| checks.remove(at))
        };
        removed.is_some()
    }

    /// Other settings for a check, which runs at once; its results stay. Says whether there is one.
    ///
    /// # Errors
    ///
    /// The first field outside its range; then nothing has changed.
    pub fn reconfigure(&self, name: &str, config: CheckConfig) -> Result<bool, ConfigError> {
        config.check()?;
        self.find(name).map_or(Ok(false), |check| check.reconfigure(config).map(|()| true))
    }

    /// The settings of a check.
    pub fn config(&self, name: &str) -> Option<CheckConfig> {
        self.find(name).map(|check| (*check.config.load()).clone())
    }

    /// A check at this moment.
    pub fn status(&self, name: &str) -> Option<CheckStatus> {
        self.find(name).map(|check| check.status())
    }

    /// Every check at this moment, in the order in which they were added.
    pub fn statuses(&self) -> Vec<CheckStatus> {
        self.all().iter().map(|check| check.status()).collect()
    }

    /// The last results of a check, the youngest last; empty when there is none of that name.
    pub fn history(&self, name: &str) -> Vec<CheckResult> {
        self.find(name).map(|check| check.history()).unwrap_or_default()
    }

    /// The level of the whole registry, by its rules and the last answers.
    pub fn level(&self) -> Level {
        self.0.registry.level()
    }

    /// The registry.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// Runs every check, side by side, and waits until all have ended: for the longest of their timeouts at most,
    /// while their runtime has threads left. Where one runs already, that run is waited for.
    ///
    /// Whoever stops waiting stops nothing else.
    pub async fn run_now(&self) -> Level {
        self.run_those(|_| true).await;
        self.level()
    }

    /// The same with those checks only whose last answer is older than its [`cache`](CheckConfig::cache).
    pub async fn refresh(&self) -> Level {
        self.run_those(Check::is_stale).await;
        self.level()
    }

    /// Runs one check, and waits for its end; `None` when there is none of that name.
    pub async fn run_one(&self, name: &str) -> Option<CheckStatus> {
        self.run_those(|check| *check.name == *name).await;
        self.status(name)
    }

    async fn run_those(&self, which: impl Fn(&Check) -> bool) {
        let runtime = self.runtime();
        let wanted = self.all().into_iter().filter(|check| which(check) && check.start(runtime.as_ref()));
        let runs: Vec<_> = wanted.map(|check| check.want()).collect();
        for mut run in runs {
            // An error is the end of a check that was removed.
            let _ = run.changed().await;
        }
    }

    /// Lets checks run that only run where somebody asks, and whose last answer is too old; waits for none.
    #[cfg(feature = "http")]
    pub(crate) fn nudge(&self) {
        for check in self.checks().iter() {
            if check.config.load().interval.is_none() && check.is_stale() {
                drop(check.want());
            }
        }
    }

    fn find(&self, name: &str) -> Option<Arc<Check>> {
        self.checks().iter().find(|check| *check.name == *name).cloned()
    }

    fn all(&self) -> Vec<Arc<Check>> {
        self.checks().clone()
    }

    fn checks(&self) -> MutexGuard<'_, Vec<Arc<Check>>> {
        self.0.checks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn runtime(&self) -> Option<Handle> {
        self.0.runtime.clone().or_else(|| Handle::try_current().ok())
    }
}

impl fmt::Debug for HealthMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.statuses()).finish()
    }
}
