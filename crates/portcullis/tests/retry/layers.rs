//! Which requests are retried, and by which budget.

use std::borrow::Cow;

use portcullis::{
    BoxError, Mode, RetryBudget, RetryLayer, RetryPolicy,
    retry::{BudgetConfig, Policies, Stop},
};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::support::{Seen, failed, ms, policy};

/// Makes a call that fails; how often the dependency saw it.
async fn attempts<K>(policies: K, request: u32) -> usize
where
    K: Policies<u32> + Clone,
{
    let seen = Seen::default();
    let log = seen.clone();
    ServiceBuilder::new()
        .layer(RetryLayer::by(policies).idempotent())
        .service(service_fn(move |n: u32| {
            log.push(n);
            async { failed::<u32>() }
        }))
        .oneshot(request)
        .await
        .unwrap_err();
    seen.all().len()
}

/// T37: what is out of scope was retried too.
#[tokio::test(start_paused = true)]
async fn t37_what_is_out_of_scope_is_sent_once() {
    let retries = policy(ms(1)).build().unwrap();
    let seen = Seen::default();
    let log = seen.clone();
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(retries.clone()).idempotent().only_if(|n: &u32| *n < 10))
        .service(service_fn(move |n: u32| {
            log.push(n);
            async { failed::<u32>() }
        }));

    service.clone().oneshot(10).await.unwrap_err();
    assert_eq!(seen.all(), [10]);
    assert_eq!(retries.status().exhausted, 0);

    service.oneshot(9).await.unwrap_err();
    assert_eq!(seen.all(), [10, 9, 9, 9]);
}

#[derive(Clone)]
struct BySize {
    small: RetryPolicy,
    large: RetryPolicy,
}

impl Policies<u32> for BySize {
    fn policy(&self, request: &u32) -> Option<Cow<'_, RetryPolicy>> {
        match request {
            0 => None,
            1..10 => Some(Cow::Borrowed(&self.small)),
            _ => Some(Cow::Owned(self.large.clone())),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_request_has_the_policy_that_was_picked_for_it() {
    let policies = BySize {
        small: policy(ms(1)).max_attempts(2).build().unwrap(),
        large: policy(ms(1)).max_attempts(4).build().unwrap(),
    };
    assert_eq!(attempts(policies.clone(), 0).await, 1);
    assert_eq!(attempts(policies.clone(), 1).await, 2);
    assert_eq!(attempts(policies.clone(), 10).await, 4);
    assert_eq!(policies.large.status().retries, 3);
}

/// Three retries above each other, one budget: the dependency sees what one of them may send.
#[tokio::test(start_paused = true)]
async fn the_budget_holds_for_a_stack_of_retries() {
    const CALLS: usize = 1000;
    let registry = portcullis::Registry::new();
    let budget = RetryBudget::shared("stack", BudgetConfig::share(0.2, 10), &registry).unwrap();
    let layer =
        |budget: &RetryBudget| RetryLayer::new(policy(ms(0)).budget(budget).build().unwrap()).idempotent();
    let seen = Seen::default();
    let log = seen.clone();
    let inner = budget.withdraw_only();
    let service =
        ServiceBuilder::new().layer(layer(&budget)).layer(layer(&inner)).layer(layer(&inner)).service(
            service_fn(move |n: u32| {
                log.push(n);
                async { failed::<u32>() }
            }),
        );

    for n in 0..CALLS {
        service.clone().oneshot(n as u32).await.unwrap_err();
    }

    let sent = seen.all().len();
    // No time went by: the floor is what was saved up at first.
    assert!(sent <= CALLS + CALLS / 5 + 10, "{sent}");
    assert!(sent >= CALLS + CALLS / 5, "{sent}: the budget was not used");
}

#[tokio::test(start_paused = true)]
async fn a_mode_that_only_counts_makes_no_further_attempt() {
    let retries = policy(ms(1)).mode(Mode::Shadow).build().unwrap();
    assert_eq!(attempts(retries.clone(), 1).await, 1);
    assert_eq!((retries.status().stopped(Stop::Shadow), retries.status().retries), (1, 0));

    retries.set_mode(Mode::Enforce).unwrap();
    assert_eq!(attempts(retries.clone(), 1).await, 3);

    retries.set_mode(Mode::Disabled).unwrap();
    assert_eq!(attempts(retries.clone(), 1).await, 1);
    assert_eq!(retries.status().stopped(Stop::Exhausted), 1, "nothing is recorded while it is disabled");
}

#[tokio::test(start_paused = true)]
async fn it_works_without_tower() {
    let retries = policy(ms(7)).build().unwrap();
    let started = tokio::time::Instant::now();
    let result = retries
        .call_idempotent(|attempt| async move {
            match attempt.number() {
                3 => Ok(attempt.after()),
                _ => failed(),
            }
        })
        .await;
    assert_eq!(result.unwrap(), Some(portcullis::FailureKind::Other));
    assert_eq!(started.elapsed(), ms(14));

    let once: Result<(), BoxError> = retries.call(|_| async { failed() }).await;
    once.unwrap_err();
    assert_eq!(retries.status().stopped(Stop::NotRetryable), 1);
}
