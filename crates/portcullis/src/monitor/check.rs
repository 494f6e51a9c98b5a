//! One check of a monitor.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_core::{
    ConfigError, Name, PolicyKind, Time,
    health::{CheckConfig, Level},
};
use tokio::{
    runtime::Handle,
    sync::{Notify, watch},
    task::AbortHandle,
};

use super::{CheckResult, CheckStatus, task};
use crate::{
    Registry,
    check::{Answer, AnyAsk, Outcome},
    clock,
    event::Emitter,
    live::Live,
};

/// A check: what its task, its registry and its monitor share.
pub(super) struct Check {
    pub(super) name: Name,
    pub(super) config: Live<CheckConfig>,
    pub(super) ask: Arc<dyn AnyAsk>,
    pub(super) emitter: Emitter,
    state: Mutex<State>,
    /// Wakes the task; not kept with the check, which the task does not keep alive.
    wake: Arc<Notify>,
    /// For those who wait for a run.
    ended: watch::Sender<Ended>,
}

/// What has ended.
#[derive(Default)]
pub(super) struct Ended {
    runs: u64,
    /// The task, with its runtime for instance.
    task: bool,
}

/// Held by the task, even where it never gets to run: nobody is kept waiting for a run of a task that is over. Takes
/// no lock of the check: a runtime that has ended drops what it is given at once.
pub(super) struct End(watch::Sender<Ended>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.send_modify(|ended| ended.task = true);
    }
}

pub(super) struct State {
    pub(super) phase: Phase,
    task: Option<AbortHandle>,
    /// How well it is, by its last answer; `None` before the first.
    found: Option<Found>,
    /// The last results, the youngest last.
    pub(super) history: VecDeque<Past>,
    /// Failures in a row.
    failures: u64,
    pub(super) outcomes: [u64; Outcome::ALL.len()],
}

/// What the task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It waits for the next time.
    Idle,
    /// It was told not to wait, and has not begun yet.
    Wanted,
    /// It runs the check.
    Running,
}

/// What an answer said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Level(Level),
    /// What that means is up to how much the service needs it, which may change.
    Failed,
}

/// One result.
pub(super) struct Past {
    at: Time,
    pub(super) took: Duration,
    outcome: Outcome,
    level: Level,
    message: Option<Arc<str>>,
}

impl Found {
    fn level(found: Option<Self>, critical: bool) -> Level {
        match found {
            None => Level::Warning,
            Some(Self::Level(level)) => level,
            Some(Self::Failed) if critical => Level::Critical,
            Some(Self::Failed) => Level::Degraded,
        }
    }
}

impl Check {
    pub(super) fn new(name: Name, config: CheckConfig, ask: Arc<dyn AnyAsk>, registry: &Registry) -> Self {
        let state = State {
            phase: Phase::Idle,
            task: None,
            found: None,
            history: VecDeque::new(),
            failures: 0,
            outcomes: [0; Outcome::ALL.len()],
        };
        Self {
            emitter: Emitter::new(name.clone(), PolicyKind::Check, registry),
            name,
            config: Live::new(config),
            ask,
            state: Mutex::new(state),
            wake: Arc::default(),
            ended: watch::Sender::default(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the task, unless there is one; says whether there is one now.
    pub(super) fn start(self: &Arc<Self>, runtime: Option<&Handle>) -> bool {
        let mut state = self.state();
        if self.is_started(&state) {
            return true;
        }
        let Some(runtime) = runtime else { return false };
        state.phase = Phase::Wanted;
        self.ended.send_modify(|ended| ended.task = false);
        let end = End(self.ended.clone());
        let task = runtime.spawn(task::run(Arc::downgrade(self), self.wake.clone(), end));
        state.task = Some(task.abort_handle());
        true
    }

    fn is_started(&self, state: &State) -> bool {
        state.task.is_some() && !self.ended.borrow().task
    }

    /// Asks for a run that ends after now, of which there is one already while it runs.
    pub(super) fn want(&self) -> watch::Receiver<Ended> {
        let mut state = self.state();
        if state.phase == Phase::Idle {
            state.phase = Phase::Wanted;
            self.wake.notify_one();
        }
        // Under the lock: the end of a run that is not wanted here is not taken for it.
        let mut run = self.ended.subscribe();
        if !self.is_started(&state) {
            // Its runtime has ended meanwhile: there is no run to wait for.
            run.mark_changed();
        }
        run
    }

    /// Whether its last answer is too old for whoever asks.
    pub(super) fn is_stale(&self) -> bool {
        let cache = self.config.load().cache;
        self.state().history.back().is_none_or(|last| clock::now().since(last.at) >= cache)
    }

    /// The task begins a run.
    pub(super) fn begin(&self) {
        self.state().phase = Phase::Running;
    }

    /// Takes the answer of a run, and says how long to wait for the next; `None` when there is to be none.
    pub(super) fn end(&self, answer: Answer, took: Duration) -> Option<Duration> {
        let message = answer.message.clone();
        let (config, from, to) = {
            let mut state = self.state();
            // Under the lock: settings that come later find no run any more, and wake the task to plan anew.
            let config = self.config.load();
            let from = Found::level(state.found, config.critical);
            let to = state.take(answer, took, &config);
            state.phase = Phase::Idle;
            self.ended.send_modify(|ended| ended.runs += 1);
            (config, from, to)
        };
        if from != to {
            self.emitter.health_changed(from, to, message);
        }
        config.next_in(fastrand::f64())
    }

    pub(super) fn reconfigure(&self, config: CheckConfig) -> Result<(), ConfigError> {
        config.check()?;
        let (before, critical) = (self.config.load(), config.critical);
        self.config.update(|_| Ok::<_, ConfigError>(config))?;
        let found = self.state().found;
        self.emitter.config_changed();
        let (from, to) = (Found::level(found, before.critical), Found::level(found, critical));
        if from != to {
            self.emitter.health_changed(from, to, None);
        }
        // The next run is planned by the new settings, after one that is due now.
        drop(self.want());
        Ok(())
    }

    pub(super) fn status(&self) -> CheckStatus {
        let critical = self.config.load().critical;
        let state = self.state();
        let (last, started) = (state.history.back(), self.is_started(&state));
        let level = Found::level(state.found, critical);
        CheckStatus {
            name: self.name.clone(),
            // What was well when it was asked last, may be anything now.
            level: if started { level } else { level.max(Level::Warning) },
            critical,
            outcome: last.map(|last| last.outcome),
            message: last.and_then(|last| last.message.clone()),
            age: last.map(|last| clock::now().since(last.at)),
            took: last.map(|last| last.took),
            consecutive_failures: state.failures,
            runs: state.outcomes.iter().sum(),
            running: state.phase == Phase::Running && started,
            started,
        }
    }

    pub(super) fn history(&self) -> Vec<CheckResult> {
        let now = clock::now();
        let result = |past: &Past| CheckResult {
            age: now.since(past.at),
            took: past.took,
            outcome: past.outcome,
            level: past.level,
            message: past.message.clone(),
        };
        self.state().history.iter().map(result).collect()
    }
}

impl State {
    /// Takes an answer; says how well it is now.
    fn take(&mut self, answer: Answer, took: Duration, config: &CheckConfig) -> Level {
        match answer.outcome {
            Outcome::Success => {
                self.found = Some(Found::Level(answer.level));
                self.failures = 0;
            }
            Outcome::Refused => {}
            Outcome::Failure | Outcome::Timeout | Outcome::Panic => {
                self.found = Some(Found::Failed);
                self.failures += 1;
            }
        }
        let level = Found::level(self.found, config.critical);
        let at = Outcome::ALL.iter().position(|known| *known == answer.outcome).unwrap_or(0);
        self.outcomes[at] += 1;
        self.history.push_back(Past {
            at: clock::now(),
            took,
            outcome: answer.outcome,
            level,
            message: answer.message,
        });
        let most = usize::try_from(config.history).unwrap_or(usize::MAX);
        let over = self.history.len().saturating_sub(most);
        self.history.drain(..over);
        level
    }
}

impl Drop for Check {
    fn drop(&mut self) {
        if let Some(task) = self.state().task.take() {
            task.abort();
        }
        // Those who wait need not wait for the task to notice.
        self.ended.send_modify(|ended| ended.task = true);
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::runtime::Builder;

    use super::*;
    use crate::BoxError;

    /// Its runtime may end between the look at it and the wish for a run.
    #[test]
    fn nobody_waits_for_a_task_that_is_over() {
        let check = || pending::<Result<(), BoxError>>();
        let check = Check::new("x".into(), CheckConfig::default(), Arc::new(check), &Registry::new());
        let check = Arc::new(check);
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let handle = runtime.handle().clone();
        assert!(check.start(Some(&handle)));
        let wanted = check.want();
        drop(runtime);
        assert!(check.start(Some(&handle)), "on a runtime that has ended, it is over at once");

        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            // Those who came before it ended, and those who come after.
            for mut run in [wanted, check.want()] {
                tokio::time::timeout(Duration::from_secs(60), run.changed()).await.unwrap().unwrap();
            }
            assert!(!check.status().started);
            assert!(check.start(Some(&Handle::current())), "it is asked again");
        });
    }
}
