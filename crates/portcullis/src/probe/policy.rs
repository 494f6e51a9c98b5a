//! The probe's handle.

use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_core::{
    ConfigError, Name, PolicyKind, Time, check_range,
    health::{Level, Thresholds, Tracker},
};
use tokio::{runtime::Handle, task::AbortHandle};

use super::{
    ProbeBuilder,
    task::{self, Answer},
};
use crate::{
    BoxError, Breaker, Registry, clock,
    registry::{Policy, Snapshot, Value},
};

/// Often enough to know of an outage before most users do, rarely enough to cost nothing.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
/// While it is down, the end of an outage is worth finding soon.
pub const DEFAULT_INTERVAL_WHEN_DOWN: Duration = Duration::from_secs(1);
/// Enough that a fleet that was started together does not ask together for long.
pub const DEFAULT_JITTER: f64 = 0.1;
/// A probe asks for little; what takes longer is not well.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);

const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The rules of a probe.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The time between two probes (default 5 s); 1 ms to 24 h.
    pub interval: Duration,
    /// The time between two probes after a bad result (default 1 s); 1 ms to 24 h.
    pub interval_when_down: Duration,
    /// How much of each interval is left to chance, downwards (default 0.1); 0 to 1.
    pub jitter: f64,
    /// A probe without a result after this time has failed (default 1 s); 1 ms to 24 h.
    pub timeout: Duration,
    /// How many results in a row count (default 3 down, 2 up).
    pub thresholds: Thresholds,
    /// Whether the service cannot work without this dependency (default false).
    pub critical: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            interval: DEFAULT_INTERVAL,
            interval_when_down: DEFAULT_INTERVAL_WHEN_DOWN,
            jitter: DEFAULT_JITTER,
            timeout: DEFAULT_TIMEOUT,
            thresholds: Thresholds::default(),
            critical: false,
        }
    }
}

impl Config {
    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_range("probe.interval", self.interval, SHORTEST..=LONGEST)?;
        check_range("probe.interval_when_down", self.interval_when_down, SHORTEST..=LONGEST)?;
        check_range("probe.jitter", self.jitter, 0.0..=1.0)?;
        check_range("probe.timeout", self.timeout, SHORTEST..=LONGEST)?;
        self.thresholds.check()
    }
}

/// A named background probe: a cheap handle. Clones are the same probe; it stops when the last is dropped.
#[derive(Clone)]
pub struct Probe(Arc<Shared>);

pub(super) struct Shared {
    name: Name,
    pub(super) config: Config,
    breaker: Option<Breaker>,
    state: Mutex<State>,
}

struct State {
    tracker: Tracker,
    last: Option<Last>,
    probes: u64,
    /// Failures in a row.
    failures: u64,
    task: Option<AbortHandle>,
}

/// The last result.
struct Last {
    at: Time,
    took: Duration,
    error: Option<String>,
}

/// A probe at a moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ProbeStatus {
    /// Whether the dependency counts as up; it does to begin with.
    pub up: bool,
    /// Whether it asks: it was started, and its runtime is still there.
    pub started: bool,
    /// Probes that were made.
    pub probes: u64,
    /// Results in a row that contradict `up`.
    pub against: u32,
    /// How long ago the last probe ended.
    pub age: Option<Duration>,
    /// How long the last probe took.
    pub took: Option<Duration>,
    /// What the last probe failed with, or by what it was refused.
    pub error: Option<String>,
}

impl Probe {
    /// A probe to be configured.
    pub fn builder(name: impl Into<Name>) -> ProbeBuilder {
        ProbeBuilder::new(name.into())
    }

    pub(super) fn from_parts(
        name: Name,
        config: Config,
        breaker: Option<Breaker>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let tracker = Tracker::new(config.thresholds)?;
        let state = Mutex::new(State { tracker, last: None, probes: 0, failures: 0, task: None });
        let shared = Arc::new(Shared { name: name.clone(), config, breaker, state });
        registry.join(PolicyKind::Probe, name, &shared);
        Ok(Self(shared))
    }

    /// The name.
    pub fn name(&self) -> &Name {
        &self.0.name
    }

    /// Starts asking by `check`, on the current tokio runtime. Does nothing when it asks already, or
    /// outside a runtime; [`status`](Self::status) tells.
    ///
    /// A check that panics has failed. One that is refused by a policy on its way says nothing.
    pub fn spawn<F, Fut, T, E>(&self, check: F)
    where
        F: Fn() -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
        T: 'static,
    {
        self.start(Handle::try_current().ok(), move || {
            let answer = check();
            async move { answer.await.map_or_else(|error| Answer::of(&*error.into()), |_| Answer::Well) }
        });
    }

    /// Starts the task, unless there is one.
    pub(super) fn start<F, Fut>(&self, runtime: Option<Handle>, check: F)
    where
        F: Fn() -> Fut + Send + 'static,
        Fut: Future<Output = Answer> + Send + 'static,
    {
        let Some(runtime) = runtime else { return };
        let mut state = self.0.state();
        if !state.is_asking() {
            let task = runtime.spawn(task::run(Arc::downgrade(&self.0), check));
            state.task = Some(task.abort_handle());
        }
    }

    /// Everything there is to see.
    pub fn status(&self) -> ProbeStatus {
        self.0.status()
    }
}

impl State {
    /// A task is also over when its runtime is.
    fn is_asking(&self) -> bool {
        self.task.as_ref().is_some_and(|task| !task.is_finished())
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a result, tells the breaker, and says how long to wait for the next.
    pub(super) fn record(&self, answer: Answer, took: Duration) -> Duration {
        let (success, error) = match answer {
            Answer::Well => (Some(true), None),
            Answer::Failed(error) => (Some(false), Some(error)),
            Answer::Refused(error) => (None, Some(error)),
        };
        let (changed, up) = {
            let mut state = self.state();
            state.last = Some(Last { at: clock::now(), took, error });
            state.probes += 1;
            match success {
                Some(true) => state.failures = 0,
                Some(false) => state.failures += 1,
                None => {}
            }
            (success.and_then(|success| state.tracker.record(success)), state.tracker.is_up())
        };
        if let Some(breaker) = &self.breaker {
            match (changed, up) {
                (Some(true), _) => breaker.close(),
                // Every further failure while down keeps it open.
                (_, false) if success == Some(false) => breaker.trip(),
                _ => {}
            }
        }
        let calm = success == Some(true) && up;
        self.spread(if calm { self.config.interval } else { self.config.interval_when_down })
    }

    fn spread(&self, interval: Duration) -> Duration {
        interval.mul_f64(1.0 - self.config.jitter * fastrand::f64())
    }

    fn status(&self) -> ProbeStatus {
        let state = self.state();
        let last = state.last.as_ref();
        ProbeStatus {
            up: state.tracker.is_up(),
            started: state.is_asking(),
            probes: state.probes,
            against: state.tracker.against(),
            age: last.map(|last| clock::now().since(last.at)),
            took: last.map(|last| last.took),
            error: last.and_then(|last| last.error.clone()),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(task) = self.state().task.take() {
            task.abort();
        }
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("name", self.name()).field("status", &self.status()).finish()
    }
}

impl Policy for Shared {
    fn snapshot(&self) -> Snapshot {
        let status = self.status();
        let (state, level) = match (status.started, status.up) {
            (false, _) => ("stopped", Level::Warning),
            (true, true) => ("up", Level::Healthy),
            (true, false) if self.config.critical => ("down", Level::Critical),
            (true, false) => ("down", Level::Degraded),
        };
        let failures = self.state().failures;
        let mut values = vec![
            ("critical", self.config.critical.into()),
            ("consecutive_failures", failures.into()),
            ("probes", status.probes.into()),
        ];
        if let (Some(age), Some(took)) = (status.age, status.took) {
            values.push(("age_ms", (age.as_millis() as u64).into()));
            values.push(("duration_ms", (took.as_secs_f64() * 1e3).into()));
        }
        if let Some(error) = status.error {
            values.push(("message", Value::Text(error)));
        }
        Snapshot { name: self.name.clone(), kind: PolicyKind::Probe, state, level, values }
    }
}
