//! The hedge's handle.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use portcullis_core::{
    ConfigError, Failure, Mode, Name, Padded, PolicyKind, Time,
    quantile::{Followed, Quantiles},
    retry::{Deposits, Loan},
};

use super::{
    Config, Delay, HedgeBuilder,
    settings::{Settings, Word},
};
use crate::{
    Registry, RetryBudget,
    alarm::Lines,
    clock,
    dice::Dice,
    event::{Emitter, Event, EventKind},
    keyed::budgeted::Common,
    live::Live,
    registry::{Action, Policy, Snapshot},
    restart::{FRESH, Kept, Saved},
    shard::{self, Pinned, Sharded},
};

/// How far back a percentile looks: long enough for a hundred calls of a quiet service, short enough to
/// follow a dependency that has become slow.
const SPAN: Duration = Duration::from_secs(60);

/// A named hedge: a cheap handle to shared state. Clones are the same hedge.
///
/// It works without tower too, see [`call`](Self::call).
#[derive(Clone)]
pub struct Hedge {
    pub(super) shared: Sharded<Shared, Deposits>,
}

pub(super) struct Shared {
    pub(super) config: Live<Config>,
    pub(super) word: Word,
    pub(super) budget: RetryBudget,
    /// Whether the budget is this policy's own, and follows its settings.
    owns_budget: bool,
    pub(super) dice: Arc<Dice>,
    emitter: Emitter,
    /// There once a percentile was asked for.
    quantiles: OnceLock<Quantiles>,
    followed: Followed,
    counts: Counts,
    /// Where calls wait for their delay.
    pub(super) lines: Arc<Lines>,
    /// For one of many: what all of these have in common.
    pub(super) many: Option<Arc<Common<Hedge>>>,
}

/// All are rare but the calls.
#[derive(Default)]
pub(crate) struct Counts {
    /// By thread.
    calls: Box<[Padded<AtomicU64>]>,
    pub(super) sent: AtomicU64,
    pub(super) won: AtomicU64,
    pub(super) lost: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) denied: AtomicU64,
    pub(super) over_time: AtomicU64,
    pub(super) not_replayable: AtomicU64,
    pub(super) shadowed: AtomicU64,
}

/// A hedge that was picked for a call, and its settings when that began.
pub(super) struct Entry {
    pub(super) shared: Pinned<Shared, Deposits>,
    pub(super) settings: Settings,
}

/// A hedge at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HedgeStatus {
    /// Calls that could be hedged.
    pub calls: u64,
    /// Attempts after the first, of all of them.
    pub sent: u64,
    /// Those whose answer was the call's.
    pub won: u64,
    /// Those that were dropped because another attempt had the answer, or the caller gave up.
    pub lost: u64,
    /// Those that failed, were refused below, or panicked.
    pub failed: u64,
    /// Attempts that the budget did not allow.
    pub denied: u64,
    /// Attempts that would have come after the call's deadline.
    pub over_time: u64,
    /// Attempts whose request could not be sent a second time.
    pub not_replayable: u64,
    /// Attempts that were only counted, by the mode.
    pub shadowed: u64,
    /// The delay before the second attempt; `None` when a function says it, and for many together that follow
    /// what each sees.
    pub delay: Option<Duration>,
    /// Whole hedges in the budget.
    pub budget_available: u64,
    /// Whether hedges are sent, or only counted.
    pub mode: Mode,
}

impl Hedge {
    /// A hedge with the default [`Config`], in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A hedge to be configured.
    pub fn builder(name: impl Into<Name>) -> HedgeBuilder {
        HedgeBuilder::new(name.into())
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
            word: Word::of(&config),
            config: Live::new(config),
            budget,
            owns_budget,
            dice: Arc::new(Dice::new(seed)),
            emitter: Emitter::new(name.clone(), PolicyKind::Hedge, registry),
            quantiles: OnceLock::new(),
            followed: Followed::default(),
            counts: Counts::of(shard::count()),
            lines: Arc::default(),
            many: None,
        };
        let shared = Sharded::with(shared, |shared, shard| shared.budget.deposits(shard));
        registry.join_sharded(PolicyKind::Hedge, name, &shared);
        Ok(Self { shared })
    }

    /// One of many hedges that share their settings, and are seen together.
    pub(super) fn one_of(name: Name, common: &Arc<Common<Self>>) -> Result<Self, ConfigError> {
        let config = common.config.load();
        let (budget, owns_budget) = common.budget_for(&name, &config)?;
        let shared = Shared {
            word: Word::of(&config),
            budget,
            owns_budget,
            config: Live::of(config),
            dice: common.dice.clone(),
            emitter: Emitter::new(name, PolicyKind::Hedge, &common.registry),
            quantiles: OnceLock::new(),
            followed: Followed::default(),
            counts: Counts::of(1),
            lines: common.besides.clone(),
            many: Some(common.clone()),
        };
        Ok(Self { shared: Sharded::small_with(shared, |shared, shard| shared.budget.deposits(shard)) })
    }

    /// What a call begins with, unless it is as if there were no hedge.
    #[inline(always)]
    pub(super) fn enter(&self) -> Option<Entry> {
        let settings = self.shared.word.load();
        (!settings.is_disabled()).then(|| Entry { shared: self.shared.pin(), settings })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.emitter.name()
    }

    /// The settings.
    pub fn config(&self) -> Arc<Config> {
        self.shared.config.load()
    }

    /// Changes the settings while calls flow; calls that have begun keep their delay and their number of
    /// attempts. How long calls took stays known. A budget that is shared with others stays as it is: change
    /// [it](RetryBudget::reconfigure).
    ///
    /// ```
    /// use portcullis::{Hedge, hedge::Config};
    ///
    /// let hedge = Hedge::new("inventory");
    /// let config = Config { max_attempts: 3, ..(*hedge.config()).clone() };
    /// hedge.reconfigure(config)?;
    /// assert_eq!(hedge.config().max_attempts, 3);
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.update(|_| Ok(config))
    }

    /// Says whether hedges are sent, or only counted.
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
    pub fn status(&self) -> HedgeStatus {
        self.shared.status()
    }

    /// Its last events, the youngest last; single hedges are not among them.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.emitter.recent()
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
            // Under the lock, or that of another change could stay.
            self.word.set(&config);
            Ok(config)
        })?;
        self.followed.forget();
        self.emitter.config_changed();
        Ok(())
    }

    /// A call begins that could be hedged.
    #[inline(always)]
    pub(super) fn called(&self, shard: usize) {
        self.counts.called(shard);
        if let Some(many) = &self.many {
            // Where many threads count one key in one place, those of all keys do not.
            many.counts.called(shard::current());
        }
    }

    /// Records how long a first attempt took, or was waited for.
    pub(super) fn took(&self, shard: usize, began: Time) {
        let now = clock::now();
        self.quantiles().record(shard, now.since(began), now);
    }

    /// The delay of a percentile.
    pub(super) fn followed_delay(&self, now: Time) -> Option<Duration> {
        self.followed.value(now, || self.look(now))
    }

    /// The same, from all that was seen.
    fn look(&self, now: Time) -> Option<Duration> {
        match &self.config.load().delay {
            Delay::Percentile(rule) => {
                let seen = self.quantiles().quantile(rule.quantile, rule.least_calls(), now);
                Some(rule.delay(seen))
            }
            Delay::Fixed(delay) => Some(*delay),
            _ => None,
        }
    }

    fn quantiles(&self) -> &Quantiles {
        self.quantiles.get_or_init(|| Quantiles::new(SPAN, self.counts.calls.len()))
    }

    /// Takes an attempt out of the budget.
    pub(super) fn borrow(&self, failure: &Failure) -> Option<Loan> {
        let loan = self.budget.withdraw(failure.kind);
        if loan.is_none() {
            self.count(|counts| &counts.denied);
        }
        loan
    }

    /// An attempt after the first is sent.
    pub(super) fn sent(&self, attempt: u32) {
        self.count(|counts| &counts.sent);
        self.emitter.frequent(|| EventKind::Hedge { attempt });
    }

    /// Counts what is rare.
    pub(super) fn count(&self, of: impl Fn(&Counts) -> &AtomicU64) {
        of(&self.counts).fetch_add(1, Relaxed);
        if let Some(many) = &self.many {
            of(&many.counts).fetch_add(1, Relaxed);
        }
    }

    /// Takes the settings of many, which were checked.
    pub(super) fn take(&self, config: Arc<Config>) -> Result<(), ConfigError> {
        self.config.replace(|before| {
            if self.owns_budget && config.budget != before.budget {
                self.budget.reconfigure(config.budget)?;
            }
            self.word.set(&config);
            Ok(config)
        })?;
        self.followed.forget();
        Ok(())
    }

    pub(super) fn status(&self) -> HedgeStatus {
        let (delay, mode) = (self.look(clock::now()), self.config.load().mode);
        self.counts.status(delay, self.budget.available(), mode)
    }
}

impl Counts {
    /// With calls counted in so many places: a power of two.
    pub(super) fn of(shards: usize) -> Self {
        Self { calls: (0..shards).map(|_| Padded::default()).collect(), ..Self::default() }
    }

    #[inline(always)]
    fn called(&self, shard: usize) {
        // A power of two of shards: the mask never leaves the slice.
        self.calls[shard & (self.calls.len() - 1)].fetch_add(1, Relaxed);
    }

    pub(super) fn status(&self, delay: Option<Duration>, budget_available: u64, mode: Mode) -> HedgeStatus {
        let Self { calls, sent, won, lost, failed, denied, over_time, not_replayable, shadowed } = self;
        let count = |count: &AtomicU64| count.load(Relaxed);
        HedgeStatus {
            calls: calls.iter().fold(0, |sum, calls| sum.wrapping_add(count(calls))),
            sent: count(sent),
            won: count(won),
            lost: count(lost),
            failed: count(failed),
            denied: count(denied),
            over_time: count(over_time),
            not_replayable: count(not_replayable),
            shadowed: count(shadowed),
            delay,
            budget_available,
            mode,
        }
    }
}

impl Policy for Shared {
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        Some(super::measure::facts(&self.config.load(), self.budget.facts()))
    }

    fn snapshot(&self) -> Snapshot {
        super::measure::snapshot(self.emitter.name(), &self.status())
    }

    fn measure(&self, into: &mut dyn crate::metrics::Measures) {
        super::measure::measure(&self.status(), into);
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

    fn save(&self, into: &mut Saved) {
        if let Some(quantiles) = self.quantiles.get() {
            into.pairs("took", quantiles.memory(clock::now()));
        }
    }

    fn resume(&self, from: &Kept<'_>) -> bool {
        let Some(from) = from.within(FRESH) else { return false };
        let mut took = from.pairs("took").peekable();
        let is_any = took.peek().is_some() && matches!(self.config.load().delay, Delay::Percentile(_));
        if is_any {
            self.quantiles().resume(took, clock::now());
            self.followed.forget();
        }
        is_any
    }
}

crate::registry::handle!(Hedge, Hedge, with its budget);
crate::registry::new_in!(Hedge);

impl fmt::Debug for Hedge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hedge").field("name", self.name()).field("status", &self.status()).finish()
    }
}
