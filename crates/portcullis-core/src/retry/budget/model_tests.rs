//! Every kind of budget against a plain model of it, through any history of calls, outcomes and changes.

use proptest::prelude::*;

use super::{Budget, BudgetConfig, Loan};
use crate::{Failure, FailureKind, Time};

const SHARDS: usize = 2;
const BILLION: u128 = 1_000_000_000;

/// The rules as the documentation tells them, one word at a time; each kind has a bucket of its own.
struct Model {
    config: BudgetConfig,
    calls: u64,
    /// In billionths of retries; none before the kind was in use.
    saved: Option<u128>,
    /// Until when time has paid; it begins to when it is told for the first time.
    paid: Option<u64>,
    /// Counted calls that run.
    running: u128,
    retrying: u128,
    /// In thousandths, with what the bucket holds.
    missing: (u128, u128),
    taken: u128,
}

/// What the model lent.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lent {
    Nothing,
    Place,
    Cost(u128),
}

impl Model {
    fn new(config: BudgetConfig) -> Self {
        let off = BudgetConfig::Unlimited;
        let mut model = Self {
            config: off,
            calls: 0,
            saved: None,
            paid: None,
            running: 0,
            retrying: 0,
            missing: (0, 0),
            taken: 0,
        };
        model.change(config);
        model
    }

    fn change(&mut self, config: BudgetConfig) {
        match config {
            BudgetConfig::Share { min_per_second, .. } => {
                self.saved.get_or_insert(u128::from(min_per_second) * BILLION);
            }
            BudgetConfig::Throttle { max_tokens, .. } => {
                let max = u128::from(max_tokens) * 1000;
                let (missing, before) = self.missing;
                self.missing = ((missing * max).div_ceil(before.max(1)), max);
            }
            _ => {}
        }
        self.config = config;
    }

    fn reconfigure(&mut self, config: BudgetConfig, now: u64) {
        self.pass(now);
        self.paid = Some(now);
        self.change(config);
    }

    /// Time pays.
    fn pass(&mut self, now: u64) {
        if let BudgetConfig::Share { min_per_second, .. } = self.config {
            let since = now.saturating_sub(self.paid.unwrap_or(now));
            self.save(u128::from(since) * u128::from(min_per_second));
            self.paid = Some(now);
        }
    }

    fn save(&mut self, more: u128) {
        if let BudgetConfig::Share { min_per_second, .. } = self.config {
            let most = u128::from(min_per_second.max(2)) * BILLION;
            self.saved = self.saved.map(|saved| (saved + more).min(most));
        }
    }

    fn begin(&mut self) -> bool {
        self.calls += 1;
        if let BudgetConfig::Share { ratio, .. } = self.config {
            self.save((ratio * 1e9).round() as u128);
        }
        let counted = matches!(self.config, BudgetConfig::Concurrent { .. });
        self.running += u128::from(counted);
        counted
    }

    fn available(&mut self, now: u64) -> u64 {
        self.pass(now);
        let available = match self.config {
            BudgetConfig::Share { .. } => self.saved.unwrap() / BILLION,
            BudgetConfig::Concurrent { ratio, min_concurrent } => {
                let share = (self.running * (ratio * 1e9).round() as u128).div_ceil(BILLION);
                share.max(min_concurrent.into()).saturating_sub(self.retrying)
            }
            BudgetConfig::Throttle { .. } => {
                let (missing, max) = self.missing;
                // Failures until no more than half is there.
                (0..).find(|more| 2 * (max - (missing + more * 1000).min(max)) <= max).unwrap()
            }
            BudgetConfig::Cost { capacity, retry, .. } => {
                u128::from(capacity).saturating_sub(self.taken) / u128::from(retry)
            }
            BudgetConfig::Unlimited => u64::MAX.into(),
        };
        available.try_into().unwrap()
    }

    fn withdraw(&mut self, now: u64, failure: FailureKind) -> Option<Lent> {
        if let BudgetConfig::Cost { capacity, retry, timeout, .. } = self.config {
            let cost = u128::from(if failure == FailureKind::Timeout { timeout } else { retry });
            let fits = self.taken + cost <= capacity.into();
            self.taken += if fits { cost } else { 0 };
            return fits.then_some(Lent::Cost(cost));
        }
        if self.available(now) == 0 {
            return None;
        }
        match self.config {
            BudgetConfig::Share { .. } => self.saved = self.saved.map(|saved| saved - BILLION),
            BudgetConfig::Concurrent { .. } => {
                self.retrying += 1;
                return Some(Lent::Place);
            }
            _ => {}
        }
        Some(Lent::Nothing)
    }

    fn give_back(&mut self, lent: Option<Lent>) {
        self.retrying -= u128::from(lent == Some(Lent::Place));
    }

    fn succeeded(&mut self, lent: Option<Lent>) {
        self.give_back(lent);
        match (self.config, lent) {
            (_, Some(Lent::Cost(cost))) => self.taken = self.taken.saturating_sub(cost),
            (BudgetConfig::Cost { success, .. }, None) => {
                self.taken = self.taken.saturating_sub(success.into());
            }
            _ => {}
        }
        if let BudgetConfig::Throttle { token_ratio, .. } = self.config {
            let income = (token_ratio * 1000.0).round() as u128;
            self.missing.0 = self.missing.0.saturating_sub(income);
        }
    }

    fn failed(&mut self, lent: Option<Lent>, failure: FailureKind) {
        self.give_back(lent);
        let wrong = matches!(failure, FailureKind::Validation | FailureKind::DataLoss);
        if matches!(self.config, BudgetConfig::Throttle { .. }) && !wrong {
            self.missing.0 = (self.missing.0 + 1000).min(self.missing.1);
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// A call begins, on this shard.
    Begin(usize),
    /// Which of the calls in flight ends.
    End(prop::sample::Index),
    Retry(FailureKind),
    /// How an attempt ends, and of which retry in flight it is, or of none.
    Succeed(Option<prop::sample::Index>),
    Fail(Option<prop::sample::Index>, FailureKind),
    GiveUp(prop::sample::Index),
    Wait(u64),
    Change(BudgetConfig),
}

fn kind() -> impl Strategy<Value = FailureKind> {
    prop::sample::select(vec![FailureKind::Timeout, FailureKind::Unavailable, FailureKind::Validation])
}

fn share() -> impl Strategy<Value = BudgetConfig> {
    (0u32..=100, 0u32..5).prop_map(|(ratio, floor)| BudgetConfig::share(f64::from(ratio) / 100.0, floor))
}

fn concurrent() -> impl Strategy<Value = BudgetConfig> {
    (0u32..=100, 0u32..4).prop_map(|(ratio, min)| BudgetConfig::concurrent(f64::from(ratio) / 100.0, min))
}

fn throttle() -> impl Strategy<Value = BudgetConfig> {
    (1u32..=20, 1u32..=3000).prop_map(|(max, income)| BudgetConfig::throttle(max, f64::from(income) / 1000.0))
}

fn cost() -> impl Strategy<Value = BudgetConfig> {
    (0u32..60, 1u32..8, 1u32..15, 0u32..4).prop_map(|(capacity, retry, timeout, success)| {
        BudgetConfig::Cost { capacity, retry, timeout, success }
    })
}

fn any_config() -> BoxedStrategy<BudgetConfig> {
    prop_oneof![share(), concurrent(), throttle(), cost(), Just(BudgetConfig::Unlimited)].boxed()
}

fn steps(change: BoxedStrategy<BudgetConfig>) -> impl Strategy<Value = Vec<Step>> {
    let index = any::<prop::sample::Index>;
    let maybe = move || prop::option::of(index());
    let step = prop_oneof![
        6 => (0..SHARDS).prop_map(Step::Begin),
        4 => index().prop_map(Step::End),
        8 => kind().prop_map(Step::Retry),
        6 => maybe().prop_map(Step::Succeed),
        6 => (maybe(), kind()).prop_map(|(of, kind)| Step::Fail(of, kind)),
        1 => index().prop_map(Step::GiveUp),
        3 => (0u64..900_000_000).prop_map(Step::Wait),
        1 => change.prop_map(Step::Change),
    ];
    prop::collection::vec(step, 1..300)
}

/// The real one and the model, side by side.
struct Pair {
    budget: Budget,
    model: Model,
    now: u64,
    /// Shards of the calls that must be ended.
    calls: Vec<usize>,
    retries: Vec<(Loan, Lent)>,
}

impl Pair {
    fn new(config: BudgetConfig) -> Self {
        let budget = Budget::new(config, SHARDS).unwrap();
        Self { budget, model: Model::new(config), now: 0, calls: Vec::new(), retries: Vec::new() }
    }

    fn take(&mut self, of: Option<prop::sample::Index>) -> (Option<Loan>, Option<Lent>) {
        match of {
            Some(of) if !self.retries.is_empty() => {
                let (loan, lent) = self.retries.swap_remove(of.index(self.retries.len()));
                (Some(loan), Some(lent))
            }
            _ => (None, None),
        }
    }

    fn step(&mut self, step: &Step) {
        let time = Time::from_nanos(self.now);
        match *step {
            Step::Begin(shard) => {
                let counted = self.budget.begin(shard);
                assert_eq!(counted, self.model.begin());
                self.calls.extend(counted.then_some(shard));
            }
            Step::End(of) if !self.calls.is_empty() => {
                self.budget.ended(self.calls.swap_remove(of.index(self.calls.len())));
                self.model.running -= 1;
            }
            Step::End(_) => {}
            Step::Retry(kind) => {
                let loan = self.budget.withdraw(time, &Failure::new(kind));
                let lent = self.model.withdraw(self.now, kind);
                assert_eq!(loan.is_some(), lent.is_some(), "granted, and by the model");
                self.retries.extend(loan.zip(lent));
            }
            Step::Succeed(of) => {
                let (loan, lent) = self.take(of);
                self.budget.succeeded(loan);
                self.model.succeeded(lent);
            }
            Step::Fail(of, kind) => {
                let (loan, lent) = self.take(of);
                self.budget.failed(loan, &Failure::new(kind));
                self.model.failed(lent, kind);
            }
            Step::GiveUp(of) => {
                let (loan, lent) = self.take(Some(of));
                loan.into_iter().for_each(|loan| self.budget.give_back(loan));
                self.model.give_back(lent);
            }
            Step::Wait(nanos) => self.now += nanos,
            Step::Change(config) => {
                self.budget.reconfigure(config, time).unwrap();
                self.model.reconfigure(config, self.now);
            }
        }
    }

    fn compare(&mut self) {
        let time = Time::from_nanos(self.now);
        assert_eq!(self.budget.available(time), self.model.available(self.now), "available");
        assert_eq!(u128::from(self.budget.in_flight()), self.model.running, "in flight");
        assert_eq!(self.budget.calls(), self.model.calls, "calls");
        assert_eq!(self.budget.config(), self.model.config, "rules");
    }
}

/// Comparing asks for the balance, which fills a share's bucket; `often` or only at the end.
fn follow(config: BudgetConfig, steps: &[Step], often: bool) {
    let mut pair = Pair::new(config);
    for step in steps {
        pair.step(step);
        if often {
            pair.compare();
        }
    }
    pair.compare();
}

proptest! {
    #[test]
    fn share_is_as_told(config in share(), steps in steps(share().boxed()), often: bool) {
        follow(config, &steps, often);
    }

    #[test]
    fn concurrent_is_as_told(config in concurrent(), steps in steps(concurrent().boxed()), often: bool) {
        follow(config, &steps, often);
    }

    #[test]
    fn throttle_is_as_told(config in throttle(), steps in steps(throttle().boxed()), often: bool) {
        follow(config, &steps, often);
    }

    #[test]
    fn cost_is_as_told(config in cost(), steps in steps(cost().boxed()), often: bool) {
        follow(config, &steps, often);
    }

    #[test]
    fn kinds_that_change_are_as_told(config in any_config(), steps in steps(any_config()), often: bool) {
        follow(config, &steps, often);
    }
}
