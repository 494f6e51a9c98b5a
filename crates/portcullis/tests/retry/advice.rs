//! What a dependency asks for, and what a retry makes of it.

use std::sync::{Arc, Mutex};

use portcullis::{
    BoxError, Failure, FailureKind, Registry, RetryBudget, RetryPolicy,
    retry::{After, Backoff, BudgetConfig, Jitter},
};

use crate::support::ms;

const DOWN: Failure = Failure::new(FailureKind::Unavailable);

fn policy(backoff: Backoff) -> RetryPolicy {
    let builder = RetryPolicy::builder("orders").registry(&Registry::new()).max_attempts(6);
    builder.backoff(backoff.jitter(Jitter::None)).build().unwrap()
}

/// What was asked for went into the next wait, up to the cap.
#[test]
fn the_wait_before_is_without_what_was_asked_for() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let retries = policy(Backoff::function(move |after: &After<'_>| {
        log.lock().unwrap().push((after.retry, after.previous));
        ms(10)
    }));
    let mut call = retries.begin().idempotent(true);
    call.next(&DOWN.retry_after(Some(ms(5000)))).unwrap();
    call.next(&DOWN).unwrap();
    assert_eq!(*seen.lock().unwrap(), [(1, ms(0)), (2, ms(10))]);
}

/// gRFC A6: waits begin anew after a pushback, and not only the one that it asked for.
#[test]
fn waits_begin_anew_when_one_was_asked_for() {
    let retries = policy(Backoff::exponential(ms(10)));
    let mut call = retries.begin().idempotent(true);
    let asked = DOWN.retry_after(Some(ms(100)));
    let waits = [DOWN, DOWN, asked, DOWN].map(|failure| call.next(&failure).unwrap());
    assert_eq!(waits, [ms(10), ms(20), ms(110), ms(20)]);
}

/// One success of a stack of retries paid once for each of them.
#[tokio::test]
async fn a_success_pays_a_shared_budget_once() {
    let registry = Registry::new();
    let cost = BudgetConfig::Cost { capacity: 100, retry: 1, timeout: 1, success: 1 };
    let budget = RetryBudget::in_registry("stack", cost, &registry).unwrap();
    let layer = |budget: &RetryBudget| {
        RetryPolicy::builder("layer").registry(&registry).budget(budget).build().unwrap()
    };
    let (outer, inner) = (layer(&budget), layer(&budget.withdraw_only()));
    for _ in 0..10 {
        outer.begin().idempotent(true).next(&DOWN).unwrap();
    }
    let before = budget.available();

    let result: Result<(), BoxError> = outer.call(|_| inner.call(|_| async { Ok(()) })).await;

    result.unwrap();
    assert_eq!(budget.available() - before, 1);
}

/// gRFC A6: what is not made again anyway takes no tokens of a throttle.
#[test]
fn a_throttle_counts_what_would_be_made_again() {
    let registry = Registry::new();
    let throttle = RetryPolicy::builder("orders").registry(&registry).budget_config(BudgetConfig::THROTTLE);
    let retries = throttle.build().unwrap();
    for _ in 0..10 {
        retries.begin().next(&DOWN).unwrap_err();
    }
    retries.begin().idempotent(true).next(&DOWN).unwrap();

    let full = retries.budget().available();
    retries.begin().next(&DOWN.do_not_retry()).unwrap_err();
    assert_eq!(retries.budget().available(), full - 1, "what was asked not to come again counts");
}
