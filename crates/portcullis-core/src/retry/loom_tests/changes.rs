//! Rules that change while calls flow.

use super::*;

/// What was counted in is counted out, whenever the kind changed.
#[test]
fn no_call_stays_in_flight_over_a_change_of_kind() {
    for (from, to) in [(BudgetConfig::SHARE, BudgetConfig::CONCURRENT), (BudgetConfig::CONCURRENT, cost(1))] {
        loom::model(move || {
            let budget = budget(from);
            let call = apart(&budget, |budget| {
                if budget.begin(0) {
                    budget.ended(1);
                }
            });
            change(&budget, to);
            call.join().unwrap();
            assert_eq!((budget.in_flight(), budget.calls()), (0, 1));
        });
    }
}

/// A loan goes back to where it came from.
#[test]
fn a_loan_outlives_the_kind_it_is_of() {
    let places = BudgetConfig::concurrent(0.0, 1);
    loom::model(move || {
        let budget = budget(cost(1));
        let retry = apart(&budget, |budget| {
            let loan = withdraw(budget);
            assert!(loan.is_some(), "of either kind there is one");
            budget.succeeded(loan);
        });
        change(&budget, places);
        retry.join().unwrap();
        assert_eq!(available(&budget), 1, "places");
        change(&budget, cost(1));
        assert_eq!(available(&budget), 1, "costs");
    });
}

/// A bucket that grows remembers what is out.
#[test]
fn a_larger_cost_bucket_still_knows_what_is_out() {
    loom::model(|| {
        let budget = budget(cost(1));
        let retry = apart(&budget, |budget| withdraw(budget).is_some());
        change(&budget, cost(2));
        let here = withdraw(&budget).is_some();
        let granted = u64::from(here) + u64::from(retry.join().unwrap());
        assert_eq!(granted + available(&budget), 2, "two at most");
    });
}

/// Four of ten tokens are missing; then a fifth, before or after the bucket shrinks to one.
#[test]
fn a_throttle_loses_no_failure_when_it_shrinks() {
    loom::model(|| {
        let budget = budget(BudgetConfig::throttle(10, 1.0));
        (0..4).for_each(|_| budget.failed(None, &FAILURE));
        let failure = apart(&budget, |budget| budget.failed(None, &FAILURE));
        change(&budget, BudgetConfig::throttle(1, 1.0));
        failure.join().unwrap();
        assert_eq!(available(&budget), 0, "half is missing, or all");
    });
}

/// A kind that is seen has its rules: it is not taken for an empty one.
#[test]
fn a_kind_comes_with_its_rules() {
    for to in [BudgetConfig::throttle(10, 0.1), cost(1), BudgetConfig::concurrent(0.0, 1)] {
        loom::model(move || {
            let budget = budget(BudgetConfig::Unlimited);
            let retry = apart(&budget, |budget| withdraw(budget).is_some());
            change(&budget, to);
            assert!(retry.join().unwrap(), "all allow a first retry");
        });
    }
}
