//! A policy per key, each with a budget of its own.

use std::sync::{
    Arc,
    atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use portcullis_core::{
    ConfigError, Name, PolicyKind, Time, pipeline,
    retry::{Budget, BudgetConfig},
};

use super::{
    Key,
    family::{Family, Settings},
    many::{Many, OfMany},
    seen::Seen,
};
use crate::{
    budget::RetryBudget,
    clock,
    dice::Dice,
    event::Emitter,
    live::Live,
    metrics::Measures,
    registry::{Action, Registry, Values},
};

/// A policy with a budget, of which there is one for each key.
pub(crate) trait Budgeted: Clone + Send + Sync + 'static {
    const KIND: PolicyKind;
    type Config: Settings;
    /// What it counts.
    type Counts: Send + Sync + 'static;
    /// What else all have in common.
    type Besides: Default + Send + Sync + 'static;
    /// What there is to see of one, or of all.
    type Status;

    /// The rules of the budget that each has.
    fn budget_of(config: &Self::Config) -> BudgetConfig;

    /// One that is in no registry, and counts for all besides.
    fn one_of_many(name: Name, common: &Arc<Common<Self>>) -> Result<Self, ConfigError>;

    /// What it shares with the others; `None` where it is none of many.
    fn common(&self) -> Option<&Arc<Common<Self>>>;

    /// Takes other settings, which were checked.
    fn take(&self, config: Arc<Self::Config>) -> Result<(), ConfigError>;

    fn its_budget(&self) -> &RetryBudget;

    /// Whether it is held, or a call of it is under way.
    fn is_shared(&self) -> bool;

    /// All together, those too that are forgotten. The budget is that of a new one.
    fn all(common: &Common<Self>) -> Self::Status;

    fn facts(config: &Self::Config, budget: pipeline::Budget) -> pipeline::Facts;

    fn values(all: &Self::Status) -> Values;

    fn measure(all: &Self::Status, into: &mut dyn Measures);
}

/// What all keys have in common.
pub(crate) struct Common<P: Budgeted> {
    pub(crate) config: Live<P::Config>,
    pub(crate) dice: Arc<Dice>,
    pub(crate) registry: Registry,
    /// The budget from which all keys spend, if each is not to have its own.
    pub(crate) budget: Option<RetryBudget>,
    pub(crate) counts: P::Counts,
    pub(crate) besides: P::Besides,
    /// The voice of them all; that of a key is its own.
    pub(crate) emitter: Emitter,
    /// Counts changes of the settings.
    version: AtomicU64,
    /// What a budget has from which nothing was taken.
    untouched: AtomicU64,
}

impl<P: Budgeted> Common<P> {
    pub(crate) fn new(
        name: Name,
        config: P::Config,
        budget: Option<RetryBudget>,
        counts: P::Counts,
        seed: Option<u64>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            untouched: AtomicU64::new(untouched::<P>(&config)?),
            config: Live::new(config),
            dice: Arc::new(Dice::new(seed)),
            registry: registry.clone(),
            budget,
            counts,
            besides: P::Besides::default(),
            emitter: Emitter::new(name, P::KIND, registry),
            version: AtomicU64::new(0),
        })
    }

    /// The budget of the policy of this name, and whether that is its own.
    pub(crate) fn budget_for(
        &self,
        name: &Name,
        config: &P::Config,
    ) -> Result<(RetryBudget, bool), ConfigError> {
        match &self.budget {
            Some(budget) => Ok((budget.clone(), false)),
            None => RetryBudget::unlisted(name.clone(), P::budget_of(config)).map(|own| (own, true)),
        }
    }

    /// What a new key finds in its budget.
    pub(crate) fn untouched(&self) -> u64 {
        self.budget.as_ref().map_or_else(|| self.untouched.load(Relaxed), RetryBudget::available)
    }

    /// Puts other settings in place; the keys are still to be told.
    fn replace(&self, change: impl FnOnce(&P::Config) -> P::Config) -> Result<(), ConfigError> {
        self.config.update(|before| {
            let config = change(before);
            config.check()?;
            self.untouched.store(untouched::<P>(&config)?, Relaxed);
            Ok(config)
        })?;
        self.version.fetch_add(1, Release);
        Ok(())
    }
}

fn untouched<P: Budgeted>(config: &P::Config) -> Result<u64, ConfigError> {
    Budget::new(P::budget_of(config), 1).map(|budget| budget.available(clock::now()))
}

impl<P: Budgeted> Family for Common<P> {
    type Config = P::Config;

    fn config(&self) -> Arc<P::Config> {
        self.config.load()
    }

    fn emitter(&self) -> &Emitter {
        &self.emitter
    }

    fn version(&self) -> u64 {
        self.version.load(Acquire)
    }
}

impl<P: Budgeted> OfMany for P {
    type Common = Common<P>;

    fn of_many(name: Name, common: &Arc<Common<P>>) -> Result<Self, ConfigError> {
        P::one_of_many(name, common)
    }

    fn follow(&self) -> Result<(), ConfigError> {
        self.common().map_or(Ok(()), |common| self.take(common.config.load()))
    }

    /// A key that spent its budget stays until that is full again: a flood of keys would give it a new one. Time
    /// fills a share; the budgets that only calls fill go when they are idle.
    fn may_go(&self, _: Time, idle: bool) -> bool {
        if self.is_shared() {
            return false;
        }
        if self.common().is_some_and(|common| common.budget.is_some()) {
            return true; // none of it goes with the key
        }
        let budget = self.its_budget();
        let fills_by_time = matches!(budget.config(), BudgetConfig::Share { min_per_second: 1.., .. });
        let untouched = self.common().map_or(0, |common| common.untouched());
        budget.available() >= untouched || (idle && !fills_by_time)
    }
}

impl<P: Budgeted> Seen for P {
    const KIND: PolicyKind = <P as Budgeted>::KIND;
    const ACTIONS: &'static [Action] = &[Action::Mode];

    fn facts(common: &Common<P>) -> pipeline::Facts {
        let config = common.config.load();
        // One for each key, and nobody else's.
        let (name, id) = (common.emitter.name().clone(), None);
        let budget = pipeline::Budget { name, id, config: P::budget_of(&config), counts_calls: true };
        <P as Budgeted>::facts(&config, budget)
    }

    fn values(common: &Common<P>) -> Values {
        let mut values = <P as Budgeted>::values(&P::all(common));
        // There is one for each key.
        values.retain(|(name, _)| *name != "budget_available");
        values
    }

    fn measure(common: &Common<P>, into: &mut dyn Measures) {
        <P as Budgeted>::measure(&P::all(common), into);
    }

    fn change<K: Key>(
        all: &Many<K, P>,
        change: impl FnOnce(&P::Config) -> P::Config,
    ) -> Result<(), ConfigError> {
        let common = &all.common;
        // Until all keys have new settings, and dropped with no lock held: they may hold functions.
        let before = common.config.load();
        all.update(|| {
            common.replace(change)?;
            all.overflow.take(common.config.load())
        })?;
        drop(before);
        common.emitter.config_changed();
        Ok(())
    }
}
