//! Other settings while calls wait, and modes that come and go.

use portcullis::{
    BoxError, Failure, FailureKind, Mode, Registry, RetryBudget, RetryLayer, RetryPolicy,
    event::EventKind,
    retry::{Backoff, BudgetConfig, Config, Jitter, Stop},
};
use tokio::time::{Instant, sleep};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::support::{Seen, failed, ms, policy};

const LOST: Failure = Failure::new(FailureKind::Network);
/// What other budgets have saved up, they keep.
const NOTHING: BudgetConfig = BudgetConfig::Cost { capacity: 0, retry: 1, timeout: 1, success: 0 };

/// A call whose attempts all fail; when they were made.
async fn fail(policy: &RetryPolicy) -> Vec<u128> {
    let (seen, started) = (Seen::default(), Instant::now());
    let below = seen.clone();
    let service = ServiceBuilder::new().layer(RetryLayer::new(policy.clone()).idempotent()).service(
        service_fn(move |()| {
            below.push(started.elapsed().as_millis());
            async { failed::<()>() }
        }),
    );
    service.oneshot(()).await.unwrap_err();
    seen.all()
}

fn waits(wait: u64) -> Backoff {
    Backoff::fixed(ms(wait)).jitter(Jitter::None)
}

/// The wait that has begun stays; the next failure goes by what is so by then.
#[tokio::test(start_paused = true)]
async fn a_call_that_waits_goes_by_the_new_settings_with_its_next_failure() {
    let policy = policy(ms(100)).max_attempts(9).build().unwrap();
    let handle = policy.clone();
    let change = async {
        sleep(ms(150)).await;
        let config = Config { max_attempts: 4, backoff: waits(10), ..(*handle.config()).clone() };
        handle.reconfigure(config).unwrap();
    };
    let (attempts, ()) = tokio::join!(fail(&policy), change);
    assert_eq!(attempts, [0, 100, 200, 210]);
    assert_eq!(policy.status().stopped(Stop::Exhausted), 1);
    assert_eq!(policy.config().max_attempts, 4, "one policy, whichever handle it was told by");
}

#[tokio::test(start_paused = true)]
async fn every_setting_of_a_failure_is_the_one_that_is_so_by_then() {
    type Change = fn(Config) -> Config;
    let changes: [(Change, Stop); 4] = [
        (|config| Config { max_attempts: 1, ..config }, Stop::Exhausted),
        (|config| Config { not_retried: [FailureKind::Network].into(), ..config }, Stop::NotRetryable),
        (|config| Config { grpc_codes: Some([].into()), ..config }, Stop::NotRetryable),
        (|config| Config { budget: NOTHING, ..config }, Stop::Budget),
    ];
    for (change, stop) in changes {
        let policy = policy(ms(1)).build().unwrap();
        let mut call = policy.begin().idempotent(true);
        call.next(&LOST).unwrap();
        policy.reconfigure(change((*policy.config()).clone())).unwrap();
        assert_eq!(call.next(&LOST), Err(stop));
    }
}

/// But for the end of the call, which is set when it begins.
#[tokio::test(start_paused = true)]
async fn a_total_time_is_for_calls_that_begin() {
    let policy = policy(ms(10)).build().unwrap();
    let mut before = policy.begin().idempotent(true);
    let config = Config { total_time: Some(ms(10)), ..(*policy.config()).clone() };
    policy.reconfigure(config.clone()).unwrap();
    let mut during = policy.begin().idempotent(true);
    policy.reconfigure(Config { total_time: None, ..config }).unwrap();
    let mut after = policy.begin().idempotent(true);
    assert_eq!(before.next(&LOST), Ok(ms(10)));
    assert_eq!(during.next(&LOST), Err(Stop::Deadline));
    assert_eq!(after.next(&LOST), Ok(ms(10)));
}

#[tokio::test(start_paused = true)]
async fn new_settings_are_told_once_and_wrong_ones_change_nothing() {
    let registry = Registry::new();
    let policy = policy(ms(1)).registry(&registry).build().unwrap();
    let before = policy.config();
    let wrong = [
        Config { max_attempts: 0, ..(*before).clone() },
        Config { budget: BudgetConfig::share(2.0, 1), ..(*before).clone() },
        Config { backoff: waits(1).factor(0.0), ..(*before).clone() },
    ];
    for config in wrong {
        policy.reconfigure(config).unwrap_err();
        assert_eq!(policy.config(), before);
        assert_eq!(policy.budget().config(), before.budget);
    }
    assert!(registry.events().recent().is_empty());

    policy.reconfigure(Config { max_attempts: 5, ..(*before).clone() }).unwrap();
    policy.set_mode(Mode::Shadow).unwrap();
    policy.set_mode(Mode::EnforcePercent(101)).unwrap_err();
    assert_eq!((policy.config().mode, policy.config().max_attempts), (Mode::Shadow, 5));
    let told: Vec<_> = policy.recent_events().into_iter().map(|event| event.what).collect();
    assert_eq!(told, [EventKind::ConfigChanged, EventKind::ConfigChanged]);
}

#[tokio::test(start_paused = true)]
async fn an_own_budget_follows_and_a_shared_one_does_not() {
    let registry = Registry::new();
    let shared = RetryBudget::in_registry("shared", BudgetConfig::share(0.0, 4), &registry).unwrap();
    let own = policy(ms(1)).budget_of(0.0, 4).build().unwrap();
    let sharing = policy(ms(1)).budget(&shared).build().unwrap();
    for policy in [&own, &sharing] {
        policy.begin().idempotent(true).next(&LOST).unwrap();
        let budget = BudgetConfig::share(0.0, 2);
        policy.reconfigure(Config { budget, ..(*policy.config()).clone() }).unwrap();
    }
    assert_eq!((own.budget().available(), sharing.budget().available()), (2, 3), "of 4, one was taken");
    shared.reconfigure(BudgetConfig::Unlimited).unwrap();
    assert_eq!(sharing.budget().config(), BudgetConfig::Unlimited);
}

/// A mode is switched under calls, and each failure goes by the one it finds.
#[tokio::test(start_paused = true)]
async fn modes_are_switched_under_calls() {
    let policy = policy(ms(10)).max_attempts(9).build().unwrap();
    let modes = async {
        sleep(ms(15)).await;
        policy.set_mode(Mode::Shadow).unwrap();
    };
    let (attempts, ()) = tokio::join!(fail(&policy), modes);
    assert_eq!(attempts, [0, 10, 20]);
    assert_eq!((policy.status().stopped(Stop::Shadow), policy.status().mode), (1, Mode::Shadow));
    assert_eq!(fail(&policy).await, [0], "only counted");

    policy.set_mode(Mode::Disabled).unwrap();
    let before = policy.status();
    assert_eq!(fail(&policy).await, [0]);
    assert_eq!(policy.status(), before, "as if there were none");

    policy.set_mode(Mode::Enforce).unwrap();
    assert_eq!(fail(&policy).await.len(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_percentage_of_the_retries_is_made_and_can_be_seeded() {
    let retries = |percent, seed| {
        let builder = policy(ms(0)).budget_of(0.0, 1_000_000).seed(seed);
        let policy = builder.mode(Mode::EnforcePercent(percent)).build().unwrap();
        let retried = |_| policy.begin().idempotent(true).next(&LOST).is_ok();
        let made: Vec<bool> = (0..1000).map(retried).collect();
        let count = made.iter().filter(|&&made| made).count() as u64;
        assert_eq!((policy.status().retries, policy.status().stopped(Stop::Shadow)), (count, 1000 - count));
        (count, made)
    };
    assert_eq!((retries(0, 1).0, retries(100, 1).0), (0, 1000));
    let (count, made) = retries(30, 7);
    assert!((250..350).contains(&count), "{count} of 1000");
    assert_eq!(retries(30, 7).1, made);
    assert_ne!(retries(30, 8).1, made);
}

/// Nothing is taken from the budget for what is only counted.
#[tokio::test(start_paused = true)]
async fn what_is_only_counted_costs_nothing() {
    let policy = policy(ms(1)).mode(Mode::Shadow).budget_of(0.0, 3).build().unwrap();
    for _ in 0..10 {
        let result: Result<(), BoxError> = policy.call_idempotent(|_| async { failed() }).await;
        result.unwrap_err();
    }
    assert_eq!((policy.budget().available(), policy.status().stopped(Stop::Shadow)), (3, 10));
}
