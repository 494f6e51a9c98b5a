//! The probe's handle.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use portcullis_core::{
    ConfigError, Name, PolicyKind, Verdict,
    health::{Level, Tracker},
};
use tokio::{runtime::Handle, sync::Notify, task::AbortHandle};

use super::{
    Config, ProbeBuilder, ProbeStatus,
    breaker::Linked,
    state::{State, level},
    task,
};
use crate::{
    BoxError, Registry,
    check::{Answer, AnyAsk, Ask},
    clock,
    event::Emitter,
    live::Live,
    shard::Sharded,
};

/// A named background probe: a cheap handle. Clones are the same probe; it stops when the last is dropped.
#[derive(Clone)]
pub struct Probe(Arc<Shared>);

pub(super) struct Shared {
    pub(super) config: Live<Config>,
    linked: Linked,
    pub(super) emitter: Emitter,
    state: Mutex<State>,
    task: Mutex<Option<AbortHandle>>,
    /// Lets the task plan anew; not kept with the probe, which the task does not keep alive.
    wake: Arc<Notify>,
    joint: Sharded<Joint>,
}

/// What calls that take part know of the probe. They do not keep it: it may ask through their service.
pub(super) struct Joint {
    /// Something counts against the judgement, or it is bad: successes are of interest. Looked at by every call, and
    /// written only when it changes.
    troubled: AtomicBool,
    probe: Weak<Shared>,
}

impl Joint {
    /// The result of a call.
    #[inline]
    pub(super) fn observe(&self, verdict: Verdict) {
        match verdict {
            Verdict::Success if !self.troubled.load(Relaxed) => {}
            Verdict::Ignored => {}
            Verdict::Success => self.take(true),
            Verdict::Failure(_) => self.take(false),
        }
    }

    #[cold]
    #[inline(never)]
    fn take(&self, success: bool) {
        if let Some(probe) = self.probe.upgrade() {
            probe.take(Some(success), |_| ());
        }
    }
}

impl Probe {
    /// A probe to be configured.
    pub fn builder(name: impl Into<Name>) -> ProbeBuilder {
        ProbeBuilder::new(name.into())
    }

    pub(super) fn from_parts(
        name: Name,
        config: Config,
        linked: Linked,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let tracker = Tracker::new(config.thresholds())?;
        let shared = Arc::new_cyclic(|probe| Shared {
            config: Live::new(config),
            linked,
            emitter: Emitter::new(name.clone(), PolicyKind::Probe, registry),
            state: Mutex::new(State::new(tracker)),
            task: Mutex::default(),
            wake: Arc::default(),
            joint: Sharded::new(Joint { troubled: AtomicBool::new(false), probe: probe.clone() }),
        });
        registry.join(PolicyKind::Probe, name, &shared);
        Ok(Self(shared))
    }

    /// The name.
    pub fn name(&self) -> &Name {
        self.0.emitter.name()
    }

    /// The rules.
    pub fn config(&self) -> Config {
        (*self.0.config.load()).clone()
    }

    /// Other rules, by which the next probe is planned anew. What it has learned stays.
    ///
    /// # Errors
    ///
    /// The first field outside its range; then nothing has changed.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        config.check()?;
        self.0.reconfigure(config)
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
        // Locked by the one task that asks, so that the function need not be shared between threads.
        let check = Mutex::new(check);
        self.spawn_check(move || {
            let answer = check.lock().unwrap_or_else(PoisonError::into_inner)();
            async move { answer.await.map(drop).map_err(Into::into) as Result<(), BoxError> }
        });
    }

    /// The same by a [check](crate::check), such as a ready-made one. What it calls critical counts as a failure.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), portcullis::ConfigError> {
    /// use portcullis::{Probe, check::Blocking};
    ///
    /// let probe = Probe::builder("leader").build()?;
    /// probe.spawn_check(Blocking::new(|| std::fs::metadata("/run/leader").map(drop)));
    /// # Ok(()) }
    /// ```
    pub fn spawn_check(&self, check: impl Ask) {
        self.start(Handle::try_current().ok(), Arc::new(check));
    }

    /// Starts the task, unless there is one.
    pub(super) fn start(&self, runtime: Option<Handle>, check: Arc<dyn AnyAsk>) {
        let Some(runtime) = runtime else { return };
        let mut running = self.0.task();
        if !is_asking(&running) {
            let task = runtime.spawn(task::run(Arc::downgrade(&self.0), check, self.0.wake.clone()));
            *running = Some(task.abort_handle());
        }
    }

    /// Everything there is to see.
    pub fn status(&self) -> ProbeStatus {
        self.0.status()
    }

    /// Takes the result of a call into account as if it were a probe's; see [`PassiveLayer`](super::PassiveLayer).
    /// What says nothing about the dependency is ignored. A success costs an atomic load while all is well.
    pub fn observe(&self, verdict: Verdict) {
        self.0.joint.observe(verdict);
    }

    pub(super) fn joint(&self) -> Sharded<Joint> {
        self.0.joint.clone()
    }
}

/// A task is also over when its runtime is.
fn is_asking(task: &Option<AbortHandle>) -> bool {
    task.as_ref().is_some_and(|task| !task.is_finished())
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn task(&self) -> MutexGuard<'_, Option<AbortHandle>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_asking(&self) -> bool {
        is_asking(&self.task())
    }

    /// Takes the answer of a probe.
    pub(super) fn record(&self, answer: &Answer, took: Duration) {
        self.take(State::says(answer), |state| state.probed(answer, clock::now(), took));
    }

    /// How long after the last probe the next one is, where `chance` is any number from 0 to 1.
    pub(super) fn next_in(&self, chance: f64) -> Duration {
        let calm = self.state().is_calm();
        self.config.load().next_in(calm, chance)
    }

    /// Takes a result into account, of a probe or of a call.
    fn take(&self, success: Option<bool>, note: impl FnOnce(&mut State)) {
        let critical = self.config.load().critical;
        let (changed, up, message) = {
            let mut state = self.state();
            note(&mut state);
            let changed = success.and_then(|success| state.take(success));
            self.joint.troubled.store(state.is_troubled(), Relaxed);
            (changed, state.is_up(), state.message())
        };
        // Outside of the lock: listeners may ask the probe.
        self.linked.tell(changed, up, success);
        if let Some(up) = changed {
            let (from, to) = (level(!up, critical), level(up, critical));
            self.emitter.health_changed(from, to, message.filter(|_| !up));
            self.wake.notify_one();
        }
    }

    fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        let (before, critical, thresholds) = (self.config.load(), config.critical, config.thresholds());
        self.config.update(|_| Ok::<_, ConfigError>(config))?;
        let up = {
            let mut state = self.state();
            state.set_thresholds(thresholds);
            state.is_up()
        };
        self.emitter.config_changed();
        let (from, to): (Level, Level) = (level(up, before.critical), level(up, critical));
        if from != to {
            self.emitter.health_changed(from, to, None);
        }
        self.wake.notify_one();
        Ok(())
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(task) = self.task().take() {
            task.abort();
        }
    }
}

impl crate::registry::Handle for Probe {
    const KIND: PolicyKind = PolicyKind::Probe;

    fn from_joined(joined: Arc<dyn std::any::Any + Send + Sync>) -> Option<Self> {
        joined.downcast().ok().map(Self)
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("name", self.name()).field("status", &self.status()).finish()
    }
}
