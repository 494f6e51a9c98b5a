//! What bounds the attempts: the dependency, the budget, what is fatal.

use portcullis::{
    BoxError, Delivery, Failure, FailureKind, HedgeLayer, RetryBudget, Typed, Verdict, retry::BudgetConfig,
};
use std::time::Duration;
use tower::{Layer, ServiceExt};

use super::support::{Act, Dependency, Sad, failure, hedge, ms};

/// By the first attempts' error: how they are judged.
fn judging(
    judge: impl Fn(&str) -> Failure + Clone,
) -> Typed<impl Fn(Result<&u32, &Sad>) -> Option<Verdict> + Clone> {
    Typed::default().classify(move |result: Result<&u32, &Sad>| Some(judge(result.err()?.0).into()))
}

async fn run(
    hedge: &portcullis::Hedge,
    dependency: &Dependency,
    judge: impl Fn(&str) -> Failure + Clone,
) -> Result<u32, Sad> {
    let layer = HedgeLayer::new(hedge.clone()).protocol(judging(judge)).idempotent();
    layer.layer(dependency.clone()).oneshot(7).await
}

fn busy(after: Duration) -> impl Fn(&str) -> Failure + Clone {
    move |_| failure().retry_after(Some(after))
}

#[tokio::test(start_paused = true)]
async fn the_dependency_says_when_the_next_is_sent() {
    let (hedge, dependency) = (hedge().build().unwrap(), Dependency::of([Act::Fail(5, "busy"), Act::Ok(5)]));
    assert_eq!(run(&hedge, &dependency, busy(ms(70))).await.unwrap(), 2);
    assert_eq!(dependency.log.lines(), ["1 sent @0", "2 sent @75"]);
}

/// Also while another runs, when the delay would be over sooner.
#[tokio::test(start_paused = true)]
async fn a_pushback_goes_before_the_delay() {
    let hedge = hedge().max_attempts(3).build().unwrap();
    let dependency = Dependency::of([Act::Ok(200), Act::Fail(5, "busy")]);
    assert_eq!(run(&hedge, &dependency, busy(ms(70))).await.unwrap(), 1);
    assert_eq!(dependency.log.lines()[..3], ["1 sent @0", "2 sent @20", "3 sent @95"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_dependency_asks_for_is_capped() {
    let hedge = hedge().max_retry_after(ms(100)).build().unwrap();
    let dependency = Dependency::of([Act::Fail(5, "busy"), Act::Ok(5)]);
    assert_eq!(run(&hedge, &dependency, busy(Duration::from_secs(3600))).await.unwrap(), 2);
    assert_eq!(dependency.log.lines(), ["1 sent @0", "2 sent @105"]);
}

#[tokio::test(start_paused = true)]
async fn the_dependency_can_forbid_further_attempts() {
    let hedge = hedge().max_attempts(4).build().unwrap();
    let dependency = Dependency::of([Act::Ok(200), Act::Fail(5, "never again")]);
    assert_eq!(run(&hedge, &dependency, |_| failure().do_not_retry()).await.unwrap(), 1);
    assert_eq!(dependency.attempts(), 2);

    let dependency = Dependency::of([Act::Fail(5, "never again")]);
    assert_eq!(run(&hedge, &dependency, |_| failure().do_not_retry()).await.unwrap_err().0, "never again");
}

#[tokio::test(start_paused = true)]
async fn a_fatal_failure_ends_the_call() {
    let (hedge, dependency) = (hedge().build().unwrap(), Dependency::of([Act::Ok(200), Act::Fail(5, "bad")]));
    let fatal = |_: &str| Failure::new(FailureKind::Validation);
    assert_eq!(run(&hedge, &dependency, fatal).await.unwrap_err().0, "bad");
    assert_eq!(dependency.log.lines()[2..], ["1 dropped @25"]);

    let unsent = |_: &str| Failure::new(FailureKind::Validation).delivery(Delivery::NotSent);
    let dependency = Dependency::of([Act::Ok(200), Act::Fail(5, "bad")]);
    assert_eq!(run(&hedge, &dependency, unsent).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_budget_bounds_hedges() {
    let hedge = hedge().budget_of(0.2, 0).build().unwrap();
    let dependency = Dependency::new(|_| Act::Ok(100));
    for _ in 0..100 {
        dependency.call(&hedge).await.unwrap();
    }
    let status = hedge.status();
    assert_eq!((status.calls, status.sent, status.denied), (100, 20, 80));
    assert_eq!(dependency.attempts(), 120);
}

#[tokio::test(start_paused = true)]
async fn a_failure_without_budget_is_returned() {
    let hedge = hedge().budget_of(0.0, 0).build().unwrap();
    let dependency = Dependency::of([Act::Fail(5, "down")]);
    assert_eq!(dependency.call(&hedge).await.unwrap_err().0, "down");
    assert_eq!(dependency.log.lines(), ["1 sent @0", "error \"down\" @5"]);
    assert_eq!(hedge.status().denied, 1);
}

#[tokio::test(start_paused = true)]
async fn a_budget_can_be_shared() {
    let budget = RetryBudget::new("shared", BudgetConfig::share(0.5, 0)).unwrap();
    let hedges = ["one", "two"]
        .map(|name| portcullis::Hedge::builder(name).fixed_delay(ms(20)).budget(&budget).build().unwrap());
    let dependency = Dependency::new(|_| Act::Ok(100));
    for n in 0..100 {
        dependency.call(&hedges[n % 2]).await.unwrap();
    }
    let sent = hedges.map(|hedge| hedge.status().sent);
    assert_eq!(sent.iter().sum::<u64>(), 50, "{sent:?}");
}

/// gRFC A6: failures of all attempts take tokens, and below half of them nothing is hedged.
#[tokio::test(start_paused = true)]
async fn a_throttle_learns_how_attempts_end() {
    let config = BudgetConfig::Throttle { max_tokens: 4, token_ratio: 1.0 };
    let budget = RetryBudget::new("throttle", config).unwrap();
    let hedge = hedge().budget(&budget).build().unwrap();
    let failing = Dependency::new(|_| Act::Fail(5, "down"));
    failing.call(&hedge).await.unwrap_err(); // 4 tokens, and 2 afterwards
    failing.call(&hedge).await.unwrap_err();
    assert_eq!((hedge.status().sent, hedge.status().denied), (1, 1));

    let healthy = Dependency::new(|_| Act::Ok(5));
    for _ in 0..3 {
        healthy.call(&hedge).await.unwrap();
    }
    failing.call(&hedge).await.unwrap_err();
    assert_eq!((hedge.status().sent, hedge.status().denied), (2, 1));
}

/// A hedge that runs takes the place of another until it has ended, in whatever way.
#[tokio::test(start_paused = true)]
async fn hedges_at_a_time_are_bounded_and_their_places_come_back() {
    let config = BudgetConfig::Concurrent { ratio: 0.0, min_concurrent: 1 };
    let budget = RetryBudget::new("concurrent", config).unwrap();
    let hedge = hedge().budget(&budget).build().unwrap();
    let hanging = Dependency::of([]);
    let call = {
        let (hanging, hedge) = (hanging.clone(), hedge.clone());
        tokio::spawn(async move { hanging.call(&hedge).await })
    };
    tokio::time::sleep(ms(50)).await;
    let second = Dependency::of([Act::Ok(30)]);
    second.call(&hedge).await.unwrap();
    assert_eq!((hedge.status().sent, hedge.status().denied), (1, 1));

    call.abort();
    call.await.unwrap_err();
    for acts in [[Act::Ok(30), Act::Hang], [Act::Hang, Act::Ok(5)], [Act::Ok(30), Act::Fail(5, "down")]] {
        Dependency::of(acts).call(&hedge).await.unwrap();
    }
    Dependency::of([Act::Ok(50), Act::Panic(5)]).call(&hedge).await.unwrap();
    assert_eq!((hedge.status().sent, hedge.status().denied), (5, 1));
    assert_eq!(budget.available(), 1);
}

/// What an error is boxed into must not matter.
#[tokio::test(start_paused = true)]
async fn boxed_errors_are_judged_too() {
    let hedge = hedge().build().unwrap();
    let dependency = Dependency::of([Act::Fail(5, "down"), Act::Ok(5)]);
    let layer = HedgeLayer::new(hedge).idempotent();
    let answer: Result<u32, BoxError> = layer.layer(dependency).oneshot(7).await;
    assert_eq!(answer.unwrap(), 2);
}
