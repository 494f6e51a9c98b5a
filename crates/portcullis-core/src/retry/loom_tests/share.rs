//! Calls that pay for retries.

use super::*;

/// Two calls pay for one retry: whenever they are counted, two retries at once share one.
#[test]
fn grants_what_calls_have_paid_for_and_no_more() {
    loom::model(|| {
        let budget = budget(BudgetConfig::share(0.5, 0));
        // Its clock runs: that two start it at once is told by `one_retry_goes_to_one`.
        assert_eq!(available(&budget), 0);
        let calls = apart(&budget, |budget| {
            call(budget, 0);
            call(budget, 1);
        });
        let retry = apart(&budget, |budget| withdraw(budget).is_some());
        let here = withdraw(&budget).is_some();
        calls.join().unwrap();
        let granted = u64::from(here) + u64::from(retry.join().unwrap());
        assert_eq!(granted + available(&budget), 1, "paid for one");
    });
}

/// A token there is goes to one of two, whatever they see of the clock.
#[test]
fn one_token_goes_to_one_whatever_the_clock() {
    loom::model(|| {
        let budget = budget(BudgetConfig::share(1.0, 0));
        call(&budget, 0);
        let retry = apart(&budget, |budget| budget.withdraw(Time::from_millis(2), &FAILURE).is_some());
        let here = budget.withdraw(Time::from_millis(1), &FAILURE).is_some();
        assert!(here ^ retry.join().unwrap());
    });
}

/// Each call pays by the old rules or by the new ones, and is neither lost nor paid for twice.
#[test]
fn a_change_loses_no_call() {
    loom::model(|| {
        let budget = budget(BudgetConfig::share(0.5, 0));
        call(&budget, 0);
        let calls = apart(&budget, |budget| {
            call(budget, 1);
            withdraw(budget).is_some()
        });
        change(&budget, BudgetConfig::share(1.0, 0));
        let granted = u64::from(calls.join().unwrap());
        assert_eq!(granted + available(&budget), 1, "one and a half at most, one at least");
        assert_eq!(budget.calls(), 2);
    });
}

/// Two changes while a retry is asked for: it is seen by one set of rules or the other, never by half of one.
#[test]
fn no_retry_is_paid_by_half_a_change() {
    loom::model(|| {
        let budget = budget(BudgetConfig::share(1.0, 0));
        let retry = apart(&budget, |budget| withdraw(budget).is_some());
        // Nothing was ever earned: not by the calls of one and the rules of the other.
        change(&budget, BudgetConfig::share(0.0, 0));
        call(&budget, 0);
        change(&budget, BudgetConfig::share(1.0, 0));
        assert!(!retry.join().unwrap(), "no call has paid");
        assert_eq!(available(&budget), 0, "no call has paid");
    });
}
