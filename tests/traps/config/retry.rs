//! Every setting of a retry, of its waits, and of its budget.

use std::time::Duration;

use portcullis::{
    ConfigError, Failure, FailureKind, GrpcCode, GrpcCodes, KeyedRetry, Mode, Registry, RetryBudget,
    RetryLayer, RetryPolicy,
    retry::{self, Backoff, BudgetConfig, Curve, Jitter, RetryBuilder, keyed::KeyedRetryBuilder},
};
use tower::{ServiceBuilder, ServiceExt};

use super::{DAY, MILLI, check, count, share, time};
use crate::common::{failing, ms, secs};

/// Builds it, and makes a call that is retried at once.
fn use_retry(builder: RetryBuilder) -> Result<(), ConfigError> {
    let policy = builder.registry(&Registry::new()).build()?;
    let service =
        ServiceBuilder::new().layer(RetryLayer::new(policy.clone()).idempotent()).service(failing().0);
    let mut call = tokio_test::task::spawn(service.oneshot(1));
    let _ = call.poll();
    assert!(!format!("{policy:?}").is_empty());
    Ok(())
}

fn new() -> RetryBuilder {
    RetryPolicy::builder("t29")
}

#[tokio::test(start_paused = true)]
async fn t29_every_setting_of_a_retry() {
    // A setting that is added does not compile here until it is tested below.
    let retry::Config {
        max_attempts: _,
        backoff: _,
        total_time: _,
        max_retry_after: _,
        not_retried: _,
        grpc_codes: _,
        retry_refusals: _,
        mode: _,
        budget: _,
    } = retry::Config::default();

    count("retry.max_attempts", 1..=100, |n| use_retry(new().max_attempts(n)));
    time("retry.total_time", MILLI..=DAY, |time| use_retry(new().total_time(time)));
    time("retry.max_retry_after", Duration::ZERO..=DAY, |time| use_retry(new().max_retry_after(time)));
    check("retry.seed", 0..=u64::MAX, &[0, u64::MAX], |seed| use_retry(new().seed(seed)));
    for kind in FailureKind::ALL {
        use_retry(new().never_after(kind)).unwrap();
    }
    for code in GrpcCode::ALL {
        use_retry(new().grpc_codes([code])).unwrap();
    }
    use_retry(new().grpc_codes(GrpcCodes::default())).unwrap();
    use_retry(new().retry_refusals()).unwrap();
    for preset in retry::Preset::ALL {
        use_retry(new().preset(preset)).unwrap();
    }
    use_retry(new().config(retry::Config { max_attempts: 0, ..Default::default() })).unwrap_err();
}

/// Both when it is built, and while it works.
#[tokio::test(start_paused = true)]
async fn t29_the_percentage_of_a_retrys_mode() {
    let working = new().registry(&Registry::new()).build().unwrap();
    let percents = [0, 1, 50, 99, 100, 101, u8::MAX];
    let field = "retry.mode.enforce_percent";

    check(field, 0..=100, &percents, |percent| use_retry(new().mode(Mode::EnforcePercent(percent))));
    check(field, 0..=100, &percents, |percent| {
        let before = working.config().mode;
        let set = working.set_mode(Mode::EnforcePercent(percent));
        assert!(set.is_ok() || working.config().mode == before, "refused, and taken");
        set
    });
}

#[tokio::test(start_paused = true)]
async fn t29_every_setting_of_a_backoff() {
    let Backoff { curve: _, base: _, factor: _, cap: _, jitter: _ } = Backoff::default();
    let backoff = |backoff| use_retry(new().backoff(backoff));
    let rest = Backoff::default;
    let curves =
        [Curve::Exponential, Curve::Linear, Curve::Fixed, Curve::Fibonacci, Curve::function(|_| DAY * 9)];

    for curve in curves {
        time("retry.backoff.base", Duration::ZERO..=DAY, |base| {
            backoff(Backoff { base, curve: curve.clone(), ..rest() })
        });
        time("retry.backoff.cap", Duration::ZERO..=DAY, |cap| {
            backoff(Backoff { cap, curve: curve.clone(), ..rest() })
        });
    }
    share("retry.backoff.factor", 1.0..=10.0, |factor| backoff(Backoff { factor, ..rest() }));
    share("retry.backoff.jitter", 0.0..=1.0, |share| backoff(rest().jitter(Jitter::Uniform(share))));
    for jitter in [Jitter::Full, Jitter::Equal, Jitter::Exponential, Jitter::Decorrelated, Jitter::None] {
        backoff(rest().jitter(jitter)).unwrap();
        backoff(Backoff { base: Duration::ZERO, ..rest() }.jitter(jitter)).unwrap();
    }
    check("retry.backoff.list", 1..=1000, &[0, 1, 999, 1000], |n: usize| {
        backoff(Backoff::list(vec![Duration::MAX; n]).cap(DAY))
    });
    // An iterator that never ends is cut.
    backoff(Backoff::list(std::iter::repeat(MILLI))).unwrap();
}

/// All clients would meet at the cap.
#[tokio::test(start_paused = true)]
async fn t29_decorrelated_jitter_needs_room() {
    let with = |cap| use_retry(new().backoff(Backoff::decorrelated(ms(50)).cap(cap)));
    with(ms(51)).unwrap();
    with(Duration::ZERO).unwrap();
    for cap in [ms(50), ms(1)] {
        assert_eq!(with(cap).unwrap_err().field(), "retry.backoff.cap");
    }
}

/// Builds it, and takes what there is.
fn use_budget(config: BudgetConfig) -> Result<(), ConfigError> {
    let registry = Registry::new();
    let budget = RetryBudget::in_registry("t29", config, &registry)?;
    use_retry(new().budget(&budget))?;
    use_retry(new().config(retry::Config { budget: config, ..Default::default() }))?;
    let policy = new().registry(&registry).budget(&budget).max_attempts(100).build()?;
    let mut call = policy.begin().idempotent(true);
    while call.next(&Failure::new(FailureKind::Timeout)).is_ok() {}
    assert!(!registry.snapshot().is_empty() && !format!("{budget:?}").is_empty());
    Ok(())
}

/// The same while it works: refused, nothing has changed.
fn change_budget(working: &RetryBudget, config: BudgetConfig) -> Result<(), ConfigError> {
    let before = working.config();
    let changed = working.reconfigure(config);
    assert_eq!(working.config(), if changed.is_ok() { config } else { before });
    changed
}

#[tokio::test(start_paused = true)]
async fn t29_every_setting_of_every_kind_of_budget() {
    let working = RetryBudget::in_registry("t29", BudgetConfig::default(), &Registry::new()).unwrap();
    let budget = |config| change_budget(&working, config).and(use_budget(config));
    let cost =
        |capacity, retry, timeout, success| budget(BudgetConfig::Cost { capacity, retry, timeout, success });
    let million = 1_000_000;

    share("budget.ratio", 0.0..=1.0, |ratio| budget(BudgetConfig::share(ratio, 10)));
    count("budget.min_per_second", 0..=million, |n| budget(BudgetConfig::share(0.2, n)));
    share("budget.ratio", 0.0..=1.0, |ratio| budget(BudgetConfig::concurrent(ratio, 3)));
    count("budget.min_concurrent", 0..=million, |n| budget(BudgetConfig::concurrent(0.2, n)));
    count("budget.max_tokens", 1..=1000, |n| budget(BudgetConfig::throttle(n, 0.1)));
    share("budget.token_ratio", 0.001..=1000.0, |ratio| budget(BudgetConfig::throttle(10, ratio)));
    count("budget.capacity", 0..=million, |n| cost(n, 5, 10, 1));
    count("budget.retry", 1..=million, |n| cost(500, n, 10, 1));
    count("budget.timeout", 1..=million, |n| cost(500, 5, n, 1));
    count("budget.success", 0..=million, |n| cost(500, 5, 10, n));
    budget(BudgetConfig::Unlimited).unwrap();
    // By the shorthand of the builder.
    share("budget.ratio", 0.0..=1.0, |ratio| use_retry(new().budget_of(ratio, 10)));
    count("budget.min_per_second", 0..=million, |n| use_retry(new().budget_of(0.2, n)));
}

fn use_keyed(builder: KeyedRetryBuilder) -> Result<(), ConfigError> {
    let keyed = builder.registry(&Registry::new()).build()?;
    for key in ["a", "b"] {
        let _ = keyed.policy(key).begin().idempotent(true).next(&Failure::new(FailureKind::Timeout));
    }
    assert!(keyed.len() <= keyed.limits().max_keys && !format!("{keyed:?}").is_empty());
    Ok(())
}

/// What it does not have by the same code as a policy for all.
#[tokio::test(start_paused = true)]
async fn t29_every_setting_of_a_keyed_retry() {
    let new = || KeyedRetry::builder("t29");
    let keys = [0, 1, 2, (1 << 24) - 1, 1 << 24, (1 << 24) + 1, usize::MAX];
    check("keyed.max_keys", 1..=1 << 24, &keys, |keys| use_keyed(new().max_keys(keys)));
    time("keyed.idle_after", MILLI..=30 * DAY, |time| use_keyed(new().idle_after(time)));
    count("retry.max_attempts", 1..=100, |n| use_keyed(new().max_attempts(n)));
    share("budget.ratio", 0.0..=1.0, |ratio| use_keyed(new().budget_of(ratio, 10)));
}

/// A hundred attempts with the steepest backoff there is: no overflow on the way.
#[tokio::test(start_paused = true)]
async fn t29_the_ends_of_a_retrys_ranges_work() {
    let steepest = Backoff::exponential(DAY).factor(10.0).cap(DAY);
    let curves = [steepest, Backoff::fibonacci(DAY), Backoff::linear(DAY), Backoff::decorrelated(DAY / 2)];
    for backoff in curves {
        let backoff = if backoff.jitter == Jitter::Full { backoff.jitter(Jitter::None) } else { backoff };
        let policy = new().registry(&Registry::new()).max_attempts(100).backoff(backoff);
        let (inner, dependency) = failing();
        let layer = RetryLayer::new(policy.budget_of(1.0, 1_000_000).build().unwrap()).idempotent();

        ServiceBuilder::new().layer(layer).service(inner).oneshot(1).await.unwrap_err();

        assert_eq!(dependency.tally().calls, 100);
    }
}

/// A deadline that is met exactly is missed, and one a nanosecond later is not.
#[tokio::test(start_paused = true)]
async fn t29_the_ends_of_a_total_time_mean_what_they_say() {
    let stops = |total| {
        let waits = Backoff::fixed(secs(1)).jitter(Jitter::None);
        let policy = new().registry(&Registry::new()).backoff(waits).total_time(total).build().unwrap();
        policy.begin().idempotent(true).next(&Failure::new(FailureKind::Timeout))
    };
    assert_eq!(stops(secs(1)), Err(retry::Stop::Deadline));
    assert_eq!(stops(secs(1) + MILLI), Ok(secs(1)));
}
