//! Providers in an order.

use std::io::ErrorKind::{ConnectionRefused, InvalidData, TimedOut};

use portcullis::{
    BoxError, Breaker, BreakerLayer, Mode, Registry, Rejection, Timeout, TimeoutLayer,
    fallback::{Failover, failover::FailoverBuilder},
};
use portcullis_testkit::script::{Scripted, Step};
use tokio::time::Instant;
use tower::{ServiceBuilder, ServiceExt};

use super::support::{dependency, io, ms};

type Provider = Scripted<u32, u32, BoxError>;

fn failover<S>() -> FailoverBuilder<S> {
    Failover::builder("ai").registry(&Registry::new())
}

#[tokio::test]
async fn the_first_that_can_answers() {
    let (one, first) = dependency([io(TimedOut), Step::ok(1)]);
    let (two, second) = dependency([io(ConnectionRefused)]);
    let (three, third) = dependency([Step::ok(3)]);
    let service = failover().provider("one", one).provider("two", two).provider("three", three).build();
    let service = service.unwrap();
    assert_eq!(service.clone().oneshot(7).await.unwrap(), 3);
    assert_eq!(service.clone().oneshot(8).await.unwrap(), 1);
    assert_eq!(first.take_requests(), [7, 8]);
    assert_eq!((second.take_requests(), third.take_requests()), (vec![7], vec![7]));
    let passed_on: Vec<_> = service.status().providers.iter().map(|one| one.passed_on).collect();
    assert_eq!(passed_on, [1, 1, 0]);
}

#[tokio::test]
async fn the_last_ones_answer_is_the_calls_whatever_it_is() {
    let (one, _) = dependency([io(TimedOut)]);
    let (two, _) = dependency([io(ConnectionRefused)]);
    let service = failover().provider("one", one).provider("two", two).build().unwrap();
    let error = service.clone().oneshot(7).await.unwrap_err();
    assert_eq!(error.to_string(), "connection refused");
    assert_eq!(service.status().exhausted, 1);
}

#[tokio::test]
async fn what_the_caller_must_know_is_not_passed_on() {
    let (one, _) = dependency([io(InvalidData)]);
    let (two, second) = dependency([Step::ok(2)]);
    let service = failover().provider("one", one).provider("two", two).build().unwrap();
    service.clone().oneshot(7).await.unwrap_err();
    assert_eq!((second.tally().calls, service.status().exhausted), (0, 0));
}

/// Three providers with a breaker and a timeout each: one hangs, one is open, one is well.
#[tokio::test(start_paused = true)]
async fn hanging_and_open_ones_cost_what_their_own_policies_allow() {
    let registry = Registry::new();
    let stack = |name: &'static str, inner: Provider| {
        let breaker = Breaker::builder(name).consecutive_failures(3).registry(&registry).build().unwrap();
        let timeout = Timeout::builder(name, ms(200)).registry(&registry).build().unwrap();
        let service = ServiceBuilder::new()
            .layer(BreakerLayer::new(breaker.clone()))
            .layer(TimeoutLayer::new(timeout))
            .service(inner);
        (service, breaker)
    };
    let (hangs, _) = stack("hangs", dependency([]).0);
    let (open, breaker) = stack("open", dependency([]).0);
    breaker.isolate();
    let (well, handle) = dependency([]);
    handle.otherwise(|n| Step::ok(*n));
    let (well, _) = stack("well", well);
    let service = failover().provider("hangs", hangs).provider("open", open).provider("well", well);
    let service = service.build().unwrap();
    let mut took = Vec::new();
    for n in 0..5 {
        let start = Instant::now();
        assert_eq!(service.clone().oneshot(n).await.unwrap(), n);
        took.push(start.elapsed());
    }
    // The third timeout opens the breaker of the one that hangs.
    assert_eq!(took, [ms(200), ms(200), ms(200), ms(0), ms(0)]);
}

#[tokio::test]
async fn one_that_is_not_ready_does_not_keep_others_from_being_called() {
    let (one, first) = dependency([]);
    first.close();
    let registry = Registry::new();
    let timeout = Timeout::builder("t", ms(1)).registry(&registry).build().unwrap();
    let one = ServiceBuilder::new().layer(TimeoutLayer::new(timeout.clone())).service(one);
    let (two, _) = dependency([Step::ok(2)]);
    let two = ServiceBuilder::new().layer(TimeoutLayer::new(timeout)).service(two);
    let service = failover().provider("one", one).provider("two", two).build().unwrap();
    assert_eq!(service.oneshot(7).await.unwrap(), 2);
}

#[tokio::test]
async fn in_shadow_the_first_ones_answer_stays() {
    let (one, _) = dependency([io(TimedOut)]);
    let (two, second) = dependency([Step::ok(2)]);
    let service = failover().provider("one", one).provider("two", two).mode(Mode::Shadow).build().unwrap();
    service.clone().oneshot(7).await.unwrap_err();
    assert_eq!((second.tally().calls, service.status().shadowed), (0, 1));
}

#[test]
fn providers_need_names_of_their_own() {
    let none = failover::<Provider>().build().unwrap_err();
    assert_eq!(none.to_string(), "failover.providers is []: allowed is 1 to 100 of different names");
    let twice = failover().provider("one", dependency([]).0).provider("one", dependency([]).0);
    assert_eq!(twice.build().unwrap_err().field(), "failover.providers");
    let nothing = failover().provider("one", dependency([]).0).only([]).refusals(false).build();
    assert_eq!(nothing.unwrap_err().field(), "fallback.kinds");
}

#[tokio::test]
async fn a_refusal_by_the_last_is_told_as_it_is() {
    let breaker = Breaker::builder("b").registry(&Registry::new()).build().unwrap();
    breaker.isolate();
    let only = ServiceBuilder::new().layer(BreakerLayer::new(breaker)).service(dependency([]).0);
    let service = failover().provider("only", only).build().unwrap();
    let error = service.oneshot(7).await.unwrap_err();
    assert_eq!(&**Rejection::find(&*error).unwrap().policy(), "b");
}
