//! A budget that policies can share.

use std::{any::Any, fmt, sync::Arc};

use portcullis_core::{
    ConfigError, Failure, FailureKind, Name, PolicyKind,
    health::Level,
    retry::{Budget, BudgetConfig, BudgetMemory, Deposits, Loan},
};

use crate::{
    Registry, clock,
    metrics::{Measures, names::BUDGET_AVAILABLE},
    registry::{Handle, Policy, Snapshot},
    restart::{FRESH, Kept, Saved},
    shard,
};

/// The retries and hedges that all policies with this budget may make together: a cheap handle.
///
/// What it allows is told by [`BudgetConfig`]; by default a fifth of the calls, and ten a second besides.
///
/// ```
/// use portcullis::{RetryBudget, RetryPolicy, retry::BudgetConfig};
///
/// // Half of the default load, for two policies together.
/// let budget = RetryBudget::new("search", BudgetConfig::share(0.1, 5))?;
/// let reads = RetryPolicy::builder("reads").budget(&budget).build()?;
/// let lists = RetryPolicy::builder("lists").budget(&budget).build()?;
/// # let _ = (reads, lists);
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
///
/// # Retries over retries
///
/// Where one stack retries more than once, as in a gateway over a client that retries itself, each layer
/// multiplies what the dependency sees. With one budget for all of them it sees what the budget says, if
/// only the outermost counts calls: the others get it [`withdraw_only`](Self::withdraw_only).
#[derive(Clone)]
pub struct RetryBudget {
    shared: Arc<Shared>,
    deposits: bool,
}

struct Shared {
    name: Name,
    budget: Budget,
}

impl RetryBudget {
    /// A budget in the global registry.
    ///
    /// # Errors
    ///
    /// The first value outside its range.
    pub fn new(name: impl Into<Name>, config: BudgetConfig) -> Result<Self, ConfigError> {
        Self::in_registry(name, config, Registry::global())
    }

    /// A budget in this registry.
    ///
    /// # Errors
    ///
    /// The first value outside its range.
    pub fn in_registry(
        name: impl Into<Name>,
        config: BudgetConfig,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        let name = name.into();
        let shared = Shared::new(name.clone(), config, shard::count())?;
        registry.join(PolicyKind::Budget, name, &shared);
        Ok(Self { shared, deposits: true })
    }

    /// A small budget in no registry, for one of many policies.
    pub(crate) fn unlisted(name: Name, config: BudgetConfig) -> Result<Self, ConfigError> {
        Ok(Self { shared: Shared::new(name, config, 1)?, deposits: true })
    }

    /// The budget of this name in this registry, made by `config` if there is none: for policies that do
    /// not know of each other, such as two that are read from a file.
    ///
    /// Who comes first makes it: if there is one, `config` has no effect, even where it differs. To change it,
    /// [`reconfigure`](Self::reconfigure) it.
    ///
    /// ```
    /// use portcullis::{Registry, RetryBudget, retry::BudgetConfig};
    ///
    /// let registry = Registry::new();
    /// let one = RetryBudget::shared("upstream", BudgetConfig::default(), &registry)?;
    /// let same = RetryBudget::shared("upstream", BudgetConfig::default(), &registry)?;
    /// assert!(one.is_same(&same));
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first value outside its range.
    pub fn shared(
        name: impl Into<Name>,
        config: BudgetConfig,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        let name = name.into();
        registry.get_or_make(&name, |aside| Self::in_registry(name.clone(), config, aside))
    }

    /// The same budget for an inner layer of a stack that retries more than once: it spends, and does not
    /// count its calls, which the outermost layer has counted.
    #[must_use]
    pub fn withdraw_only(&self) -> Self {
        Self { shared: self.shared.clone(), deposits: false }
    }

    /// Whether both spend from the same.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// The name.
    pub fn name(&self) -> &Name {
        &self.shared.name
    }

    /// The settings.
    pub fn config(&self) -> BudgetConfig {
        self.shared.budget.config()
    }

    /// Changes the settings while calls flow; what was saved up stays, within the new limits.
    ///
    /// # Errors
    ///
    /// The first value outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: BudgetConfig) -> Result<(), ConfigError> {
        self.shared.budget.reconfigure(config, clock::now())
    }

    /// Whole retries that could be made now.
    pub fn available(&self) -> u64 {
        self.shared.budget.available(clock::now())
    }

    /// Where calls of this shard are counted.
    /// What others of a pipeline must know of it.
    pub(crate) fn facts(&self) -> portcullis_core::pipeline::Budget {
        portcullis_core::pipeline::Budget {
            name: self.name().clone(),
            id: Some(Arc::as_ptr(&self.shared).addr()),
            config: self.config(),
            counts_calls: self.deposits,
        }
    }

    pub(crate) fn deposits(&self, shard: usize) -> Deposits {
        self.shared.budget.deposits(shard)
    }

    /// Whether calls are counted here, and not only in a layer above.
    #[inline(always)]
    pub(crate) fn is_counting(&self) -> bool {
        self.deposits
    }

    /// Takes a further attempt after such a failure, if there is one.
    #[inline]
    pub(crate) fn withdraw(&self, after: FailureKind) -> Option<Loan> {
        // A tick late is soon enough for what time adds, and never too much of it.
        self.shared.budget.withdraw_after(clock::coarse(), after)
    }

    /// Whether it is to be told that attempts failed, also those that spent nothing of it.
    #[inline(always)]
    pub(crate) fn counts_failures(&self) -> bool {
        self.shared.budget.counts_outcomes()
    }

    /// The same of successes. In a stack of retries only the outermost tells, or one would count for several.
    #[inline(always)]
    pub(crate) fn counts_successes(&self) -> bool {
        self.deposits && self.shared.budget.counts_outcomes()
    }

    /// An attempt succeeded.
    #[cold]
    pub(crate) fn succeeded(&self, loan: Option<Loan>) {
        self.shared.budget.succeeded(loan);
    }

    /// An attempt failed.
    #[cold]
    pub(crate) fn failed(&self, loan: Option<Loan>, failure: &Failure) {
        self.shared.budget.failed(loan, failure);
    }

    /// An attempt was given up.
    #[cold]
    pub(crate) fn give_back(&self, loan: Loan) {
        self.shared.budget.give_back(loan);
    }
}

impl Shared {
    fn new(name: Name, config: BudgetConfig, shards: usize) -> Result<Arc<Self>, ConfigError> {
        Ok(Arc::new(Self { name, budget: Budget::new(config, shards)? }))
    }
}

impl Handle for RetryBudget {
    const KIND: PolicyKind = PolicyKind::Budget;

    fn from_joined(joined: Arc<dyn Any + Send + Sync>) -> Option<Self> {
        joined.downcast().ok().map(|shared| Self { shared, deposits: true })
    }
}

impl Policy for Shared {
    fn measure(&self, into: &mut dyn Measures) {
        into.gauge(&BUDGET_AVAILABLE, &[], self.budget.available(clock::now()) as f64);
    }

    fn snapshot(&self) -> Snapshot {
        let available = self.budget.available(clock::now());
        let spent = available == 0;
        Snapshot {
            name: self.name.clone(),
            kind: PolicyKind::Budget,
            state: if spent { "spent" } else { "active" },
            level: if spent { Level::Warning } else { Level::Healthy },
            values: vec![("available", available.into()), ("calls", self.budget.calls().into())],
        }
    }

    fn save(&self, into: &mut Saved) {
        match self.budget.memory(clock::now()) {
            Some(BudgetMemory::Share(tokens)) => into.count("share", tokens),
            Some(BudgetMemory::Throttle(missing)) => into.ratio("throttle", missing),
            Some(BudgetMemory::Cost(taken)) => into.count("cost", taken),
            _ => {}
        }
    }

    fn resume(&self, from: &Kept<'_>) -> bool {
        let share = from.count("share").map(BudgetMemory::Share);
        let fresh = from.within(FRESH);
        let throttle = fresh.and_then(|from| from.ratio("throttle")).map(BudgetMemory::Throttle);
        let cost = fresh.and_then(|from| from.count("cost")).map(BudgetMemory::Cost);
        let memory = share.or(throttle).or(cost);
        memory.is_some_and(|memory| self.budget.resume(memory, from.age(), clock::now()))
    }
}

impl fmt::Debug for RetryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryBudget")
            .field("name", self.name())
            .field("available", &self.available())
            .field("deposits", &self.deposits)
            .finish()
    }
}
