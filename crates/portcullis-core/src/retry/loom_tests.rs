//! Every order in which calls, retries and changes can reach a budget.

mod buckets;
mod changes;
mod in_flight;
mod share;
mod wrong;

use loom::{sync::Arc, thread};

use super::{Budget, BudgetConfig, Loan};
use crate::{Failure, FailureKind, Time};

const FAILURE: Failure = Failure::new(FailureKind::Unavailable);

fn budget(config: BudgetConfig) -> Arc<Budget> {
    Arc::new(Budget::new(config, 2).unwrap())
}

/// A cost bucket for so many retries.
fn cost(retries: u32) -> BudgetConfig {
    BudgetConfig::Cost { capacity: retries * 5, retry: 5, timeout: 5, success: 1 }
}

/// A call whose end is nothing to the budget.
fn call(budget: &Budget, shard: usize) {
    assert!(!budget.begin(shard));
}

fn withdraw(budget: &Budget) -> Option<Loan> {
    budget.withdraw(Time::ORIGIN, &FAILURE)
}

fn available(budget: &Budget) -> u64 {
    budget.available(Time::ORIGIN)
}

fn change(budget: &Budget, config: BudgetConfig) {
    budget.reconfigure(config, Time::ORIGIN).unwrap();
}

/// Runs `work` on a thread of its own.
fn apart<T: 'static>(
    budget: &Arc<Budget>,
    work: impl FnOnce(&Budget) -> T + 'static,
) -> thread::JoinHandle<T> {
    let budget = Arc::clone(budget);
    thread::spawn(move || work(&budget))
}

/// There is one retry left, whichever kind: of two who ask, one gets it.
#[test]
fn one_retry_goes_to_one() {
    for config in [BudgetConfig::share(0.0, 1), BudgetConfig::concurrent(0.0, 1), cost(1)] {
        loom::model(move || {
            let budget = budget(config);
            let there = apart(&budget, |budget| withdraw(budget).is_some());
            let here = withdraw(&budget).is_some();
            assert!(here ^ there.join().unwrap());
            assert_eq!(available(&budget), 0);
        });
    }
}
