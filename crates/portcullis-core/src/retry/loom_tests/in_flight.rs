//! Calls and retries that are in flight.

use super::*;

/// A retry for each call in flight.
const AS_MANY: BudgetConfig = BudgetConfig::concurrent(1.0, 0);

/// One call ends before another begins: never are there two, and never two retries.
#[test]
fn calls_one_after_the_other_do_not_overlap() {
    loom::model(|| {
        let budget = budget(AS_MANY);
        assert!(budget.begin(0));
        assert!(withdraw(&budget).is_some(), "one call, one retry");
        let calls = apart(&budget, |budget| {
            budget.ended(0);
            assert!(budget.begin(1));
        });
        assert!(withdraw(&budget).is_none(), "two calls were seen in flight");
        calls.join().unwrap();
        assert_eq!(budget.in_flight(), 1);
    });
}

/// A call sees itself, wherever it began.
#[test]
fn a_call_in_flight_pays_for_its_retry() {
    loom::model(|| {
        let budget = budget(AS_MANY);
        let other = apart(&budget, |budget| {
            assert!(budget.begin(0));
            budget.ended(1);
        });
        assert!(budget.begin(1));
        // Its own beginning, less an end whose beginning is seen with it.
        let granted = withdraw(&budget).is_some();
        other.join().unwrap();
        assert_eq!(budget.in_flight(), 1);
        assert_eq!(available(&budget), u64::from(!granted));
    });
}

/// A place that comes back while another asks is lent or free, not lost.
#[test]
fn a_place_that_comes_back_is_not_lost() {
    loom::model(|| {
        let budget = budget(BudgetConfig::concurrent(0.0, 1));
        let loan = withdraw(&budget);
        let end = apart(&budget, move |budget| budget.succeeded(loan));
        let next = withdraw(&budget);
        end.join().unwrap();
        assert_eq!(u64::from(next.is_some()) + available(&budget), 1);
        budget.failed(next, &FAILURE);
        assert_eq!(available(&budget), 1);
    });
}
