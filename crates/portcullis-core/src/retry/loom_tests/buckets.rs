//! Buckets that outcomes fill and empty without a lock.

use super::*;

/// Ten tokens, of which two are missing.
fn throttled() -> Arc<Budget> {
    let budget = budget(BudgetConfig::throttle(10, 1.0));
    (0..2).for_each(|_| budget.failed(None, &FAILURE));
    budget
}

#[test]
fn a_throttle_counts_a_failure_and_a_success_at_once() {
    loom::model(|| {
        let budget = throttled();
        let success = apart(&budget, |budget| budget.succeeded(None));
        budget.failed(None, &FAILURE);
        success.join().unwrap();
        assert_eq!(available(&budget), 3, "two missing, three to the half");
    });
}

#[test]
fn a_throttle_counts_two_failures_and_a_retry_at_once() {
    loom::model(|| {
        let budget = budget(BudgetConfig::throttle(4, 1.0));
        let fail = |budget: &Budget| {
            budget.failed(None, &FAILURE);
            withdraw(budget).is_some()
        };
        let there = apart(&budget, fail);
        let here = fail(&budget);
        let granted = u64::from(here) + u64::from(there.join().unwrap());
        assert!(granted <= 1, "after the second failure half is left, and no retry");
        assert_eq!(available(&budget), 0);
    });
}

/// A success on a full bucket, and a failure: either came first, and neither is half done.
#[test]
fn a_full_throttle_is_only_looked_at() {
    loom::model(|| {
        let budget = budget(BudgetConfig::throttle(2, 1.0));
        let success = apart(&budget, |budget| budget.succeeded(None));
        budget.failed(None, &FAILURE);
        success.join().unwrap();
        assert!(available(&budget) <= 1);
    });
}

#[test]
fn a_cost_that_comes_back_while_another_is_taken_is_not_lost() {
    loom::model(|| {
        let budget = budget(cost(2));
        let loan = withdraw(&budget);
        let end = apart(&budget, move |budget| budget.succeeded(loan));
        let next = withdraw(&budget);
        assert!(next.is_some(), "there was enough for two");
        end.join().unwrap();
        assert_eq!(available(&budget), 1);
    });
}
