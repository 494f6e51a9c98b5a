//! The retry policy's handle.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use portcullis_core::{ConfigError, FailureKind, Mode, Name, PolicyKind, retry::Deposits};

use super::{
    Config, Failures, RetryBudget, RetryBuilder, RetryStatus, Stop, by_hand::run, flags::LiveFlags,
    rules::LiveRules, status::Counts,
};
use crate::{
    FromRejection, Registry,
    dice::Dice,
    event::{Emitter, Event, EventKind, Retried},
    keyed::budgeted::Common,
    live::Live,
    protocol::Attempt,
    registry::{Action, Policy},
    shard::Sharded,
};

/// A named retry policy: a cheap handle to shared state. Clones are the same policy.
///
/// It works without tower too, see [`call`](Self::call) and [`begin`](Self::begin).
#[derive(Clone)]
pub struct RetryPolicy {
    pub(super) shared: Sharded<Shared, Deposits>,
}

pub(super) struct Shared {
    pub(super) config: Live<Config>,
    /// What every call must know of the settings.
    pub(super) flags: LiveFlags,
    /// What most failures must know of them.
    pub(super) rules: LiveRules,
    pub(super) budget: RetryBudget,
    /// Whether the budget is this policy's own, and follows its settings.
    owns_budget: bool,
    pub(super) dice: Arc<Dice>,
    emitter: Emitter,
    counts: Counts,
    /// For one of many: what all of these have in common.
    pub(super) many: Option<Arc<Common<RetryPolicy>>>,
}

impl RetryPolicy {
    /// A policy with the default [`Config`], in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A policy to be configured.
    pub fn builder(name: impl Into<Name>) -> RetryBuilder {
        RetryBuilder::new(name.into())
    }

    pub(super) fn from_parts(
        name: Name,
        config: Config,
        budget: Option<RetryBudget>,
        seed: Option<u64>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let owns_budget = budget.is_none();
        let budget = match budget {
            Some(budget) => budget,
            None => RetryBudget::in_registry(name.clone(), config.budget, registry)?,
        };
        let shared = Shared {
            flags: LiveFlags::new(&config, &budget),
            rules: LiveRules::new(&config),
            config: Live::new(config),
            budget,
            owns_budget,
            dice: Arc::new(Dice::new(seed)),
            emitter: Emitter::new(name.clone(), PolicyKind::Retry, registry),
            counts: Counts::default(),
            many: None,
        };
        let shared = Sharded::with(shared, |shared, shard| shared.budget.deposits(shard));
        registry.join_sharded(PolicyKind::Retry, name, &shared);
        Ok(Self { shared })
    }

    /// One of many policies that share their settings, and are seen together.
    pub(super) fn one_of(name: Name, common: &Arc<Common<Self>>) -> Result<Self, ConfigError> {
        let config = common.config.load();
        let (budget, owns_budget) = common.budget_for(&name, &config)?;
        let shared = Shared {
            flags: LiveFlags::new(&config, &budget),
            rules: LiveRules::new(&config),
            budget,
            owns_budget,
            config: Live::of(config),
            dice: common.dice.clone(),
            emitter: Emitter::new(name, PolicyKind::Retry, &common.registry),
            counts: Counts::default(),
            many: Some(common.clone()),
        };
        Ok(Self { shared: Sharded::small_with(shared, |shared, shard| shared.budget.deposits(shard)) })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.name()
    }

    /// The settings.
    pub fn config(&self) -> Arc<Config> {
        self.shared.config.load()
    }

    /// Changes the settings while calls flow; calls that have begun go by the new ones with their next
    /// failure, but for [`total_time`](Config::total_time). A budget that is shared with others stays as it
    /// is: change [it](RetryBudget::reconfigure).
    ///
    /// ```
    /// use portcullis::{RetryPolicy, retry::Config};
    ///
    /// let policy = RetryPolicy::new("inventory");
    /// let config = Config { max_attempts: 2, ..(*policy.config()).clone() };
    /// policy.reconfigure(config)?;
    /// assert_eq!(policy.config().max_attempts, 2);
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.update(|_| Ok(config))
    }

    /// Says whether calls are retried, or only counted.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.shared.set_mode(mode)
    }

    /// The budget.
    pub fn budget(&self) -> &RetryBudget {
        &self.shared.budget
    }

    /// Everything there is to see.
    pub fn status(&self) -> RetryStatus {
        self.shared.status()
    }

    /// Its last events, the youngest last; single retries are not among them.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.emitter.recent()
    }

    /// Calls `attempt` until it succeeds, or there is no further attempt. One that may have been processed
    /// is not made again; for calls that may be processed twice there is
    /// [`call_idempotent`](Self::call_idempotent). Dropping the future drops the attempt that runs.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), portcullis::BoxError> {
    /// use portcullis::{BoxError, RetryPolicy};
    /// use std::io;
    ///
    /// let policy = RetryPolicy::new("inventory");
    /// let stock = policy.call(|attempt| async move {
    ///     match attempt.number() {
    ///         1 => Err(BoxError::from(io::Error::from(io::ErrorKind::ConnectionRefused))),
    ///         _ => Ok(42),
    ///     }
    /// });
    /// assert_eq!(stock.await?, 42);
    /// assert_eq!(policy.status().recovered, 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// That of the last attempt.
    pub async fn call<F, Fut, T, E>(&self, attempt: F) -> Result<T, E>
    where
        F: FnMut(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: FromRejection,
    {
        run(self.begin(), attempt).await
    }

    /// The same for what may be processed twice.
    ///
    /// # Errors
    ///
    /// That of the last attempt.
    pub async fn call_idempotent<F, Fut, T, E>(&self, attempt: F) -> Result<T, E>
    where
        F: FnMut(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: FromRejection,
    {
        run(self.begin().idempotent(true), attempt).await
    }
}

impl Shared {
    fn update(&self, change: impl FnOnce(&Config) -> Result<Config, ConfigError>) -> Result<(), ConfigError> {
        self.config.update(|before| {
            let config = change(before)?;
            config.check()?;
            if self.owns_budget && config.budget != before.budget {
                self.budget.reconfigure(config.budget)?;
            }
            // Under the lock, or those of another change could stay.
            self.flags.set(&config, &self.budget);
            self.rules.set(&config);
            Ok(config)
        })?;
        self.emitter.config_changed();
        Ok(())
    }

    /// Takes over the settings that it shares with others.
    pub(super) fn take(&self, config: Arc<Config>) -> Result<(), ConfigError> {
        self.config.replace(|before| {
            if self.owns_budget && config.budget != before.budget {
                self.budget.reconfigure(config.budget)?;
            }
            self.flags.set(&config, &self.budget);
            self.rules.set(&config);
            Ok(config)
        })
    }

    /// Another attempt is to be made.
    #[inline]
    pub(super) fn retried(&self, attempt: u32, after: FailureKind, wait: Duration) {
        self.count(|counts| counts.retried(after));
        self.emitter.frequent(move || EventKind::Retry { attempt, after, wait });
    }

    /// A call succeeded with an attempt after the first.
    #[inline]
    pub(super) fn recovered(&self, attempts: u32, failures: Failures) {
        self.count(Counts::recovered);
        self.emitter.frequent(move || EventKind::Retried(Retried { attempts, failures, stopped: None }));
    }

    /// A call failed, and was not made again.
    pub(super) fn stopped(&self, stop: Stop, attempts: u32, failures: Failures) {
        if stop != Stop::Disabled {
            self.count(|counts| counts.stopped(stop));
            let stopped = Some(stop);
            self.emitter.frequent(move || EventKind::Retried(Retried { attempts, failures, stopped }));
        }
    }

    pub(super) fn name(&self) -> &Name {
        self.emitter.name()
    }

    fn count(&self, count: impl Fn(&Counts)) {
        count(&self.counts);
        self.many.iter().for_each(|many| count(&many.counts));
    }

    fn status(&self) -> RetryStatus {
        self.counts.status(self.budget.available(), self.config.load().mode)
    }
}

impl Policy for Shared {
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        Some(super::measure::facts(&self.config.load(), self.budget.facts()))
    }

    fn measure(&self, into: &mut dyn crate::metrics::Measures) {
        super::measure::measure(&self.status(), into);
    }

    fn snapshot(&self) -> crate::registry::Snapshot {
        super::measure::snapshot(self.name(), &self.status())
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Mode]
    }

    fn mode(&self) -> Option<Mode> {
        Some(self.config.load().mode)
    }

    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.update(|config| Ok(Config { mode, ..config.clone() }))
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.emitter)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy").field("name", self.name()).field("status", &self.status()).finish()
    }
}

crate::registry::handle!(RetryPolicy, Retry, with its budget);
crate::registry::new_in!(RetryPolicy);

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.value().fmt(f)
    }
}
