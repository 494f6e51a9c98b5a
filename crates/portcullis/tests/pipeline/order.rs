//! Any order of adding is one stack: of one type, and with one behaviour.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use portcullis::{
    AdaptiveLimit, Breaker, Bulkhead, Drain, Fallback, FallbackLayer, Hedge, HedgeLayer, LoadShed, Pipeline,
    PolicyKind, RateLimit, Registry, RetryLayer, RetryPolicy, Throttle, Timeout,
    pipeline::{Place, Side},
    retry::Backoff,
};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{call, failing, ms, refused_by};

/// Every permutation of these setters, after those before.
macro_rules! permutations {
    ($start:expr; $($name:ident = $value:expr),+) => {{
        let mut all = Vec::new();
        permutations!(@next all, $start; []; $($name = $value,)+);
        all
    }};
    (@next $all:ident, $built:expr; [];) => { $all.extend([$built.build().unwrap()]); };
    (@next $all:ident, $built:expr; [$($skipped:tt)*];) => {};
    // Takes the first one now, or later.
    (@next $all:ident, $built:expr; [$($sn:ident = $sv:expr,)*]; $n:ident = $v:expr, $($rn:ident = $rv:expr,)*) => {
        permutations!(@next $all, $built.$n($v); []; $($sn = $sv,)* $($rn = $rv,)*);
        permutations!(@next $all, $built; [$($sn = $sv,)* $n = $v,]; $($rn = $rv,)*);
    };
}

#[tokio::test(start_paused = true)]
async fn every_order_of_adding_is_one_stack() {
    let registry = Registry::new();
    let retry = RetryPolicy::builder("r").backoff(Backoff::NONE).budget_of(1.0, 1000).registry(&registry);
    let retry = retry.max_attempts(3).build().unwrap();
    let bulkhead = || Bulkhead::builder("b").registry(&registry).build().unwrap();
    let breaker = || Breaker::builder("c").consecutive_failures(3).registry(&registry).build().unwrap();
    let start = || Pipeline::client("shop").registry(&registry);
    // One type for all of them, or this would not be a list.
    let all = permutations!(start();
        deadline = ms(1000),
        retry = RetryLayer::new(retry.clone()).idempotent(),
        breaker = breaker(),
        bulkhead = bulkhead(),
        attempt_timeout = ms(100));
    assert_eq!(all.len(), 120);
    for pipeline in all {
        let explained = pipeline.explain();
        let order: Vec<_> = explained.order.iter().map(|step| step.place.as_str()).collect();
        assert_eq!(order, ["deadline", "retry", "breaker", "bulkhead", "attempt_timeout"]);
        let (service, asked) = failing();
        let service = pipeline.layer(service);
        // The breaker inside of the retry sees three failures of one call, and opens.
        assert_eq!(service.clone().oneshot(1).await.unwrap_err().to_string(), "broken");
        assert_eq!(asked.load(SeqCst), 3);
        // The retry outside of it does not try again what it refuses.
        assert_eq!(refused_by(&service.oneshot(1).await.unwrap_err()), "breaker");
        assert_eq!(asked.load(SeqCst), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_end_before_the_call_and_are_made_again_within_it() {
    let registry = Registry::new();
    let retry = RetryPolicy::builder("r").backoff(Backoff::NONE).budget_of(1.0, 1000).registry(&registry);
    let retry = retry.max_attempts(5).build().unwrap();
    let pipeline = Pipeline::client("slow")
        .attempt_timeout(ms(100))
        .retry(RetryLayer::new(retry).idempotent())
        .deadline(ms(250))
        .registry(&registry)
        .build()
        .unwrap();
    let hangs = service_fn(|_: u32| std::future::pending::<Result<u32, portcullis::BoxError>>());
    let began = tokio::time::Instant::now();
    let error = pipeline.layer(hangs).oneshot(1).await.unwrap_err();
    assert_eq!(refused_by(&error), "timeout");
    assert_eq!(began.elapsed(), ms(250));
    let snapshot = registry.get(PolicyKind::Retry, "r").unwrap().snapshot();
    assert!(snapshot.values.iter().any(|(name, _)| *name == "budget_available"), "{snapshot:?}");
}

/// Refuses with every policy that can, and releases who refused until somebody answers.
async fn refusing<L>(registry: &Registry, layer: &L) -> Vec<&'static str>
where
    L: Layer<tower::util::ServiceFn<fn(u32) -> std::future::Ready<Result<u32, portcullis::BoxError>>>>,
    L::Service: tower::Service<u32, Response = u32, Error = portcullis::BoxError>,
{
    registry.stop_all("to see who refuses first");
    let mut order = Vec::new();
    while let Err(error) = call(layer).await {
        let kind = portcullis::Rejection::find(&*error).unwrap().kind();
        registry.get(kind, "x").unwrap().release();
        order.push(kind.as_str());
    }
    order
}

#[tokio::test(start_paused = true)]
async fn clients_are_refused_from_the_outside_to_the_inside() {
    let registry = Registry::new();
    let pipeline = Pipeline::client("x")
        .adaptive_limit(AdaptiveLimit::builder("x").registry(&registry).build().unwrap())
        .breaker(Breaker::builder("x").registry(&registry).build().unwrap())
        .rate_limit(RateLimit::builder("x").registry(&registry).build().unwrap())
        .bulkhead(Bulkhead::builder("x").registry(&registry).build().unwrap())
        .throttle(Throttle::builder("x").registry(&registry).build().unwrap())
        .registry(&registry)
        .build()
        .unwrap();
    assert_eq!(refusing(&registry, &pipeline).await, ["rate_limit", "breaker", "bulkhead", "adaptive_limit"]);
}

#[tokio::test(start_paused = true)]
async fn servers_refuse_from_the_outside_to_the_inside() {
    let registry = Registry::new();
    let drain = Drain::builder("x").registry(&registry).build().unwrap();
    let pipeline = Pipeline::server("x")
        .bulkhead(Bulkhead::builder("x").registry(&registry).build().unwrap())
        .adaptive_limit(AdaptiveLimit::builder("x").registry(&registry).build().unwrap())
        .rate_limit(RateLimit::builder("x").registry(&registry).build().unwrap())
        .load_shed(LoadShed::builder("x").registry(&registry).build().unwrap())
        .drain(drain.clone())
        .registry(&registry)
        .build()
        .unwrap();
    let order = refusing(&registry, &pipeline).await;
    assert_eq!(order, ["load_shed", "rate_limit", "bulkhead", "adaptive_limit"]);
    // Whatever else refuses, a server that ends says so.
    registry.stop_all("again");
    drain.begin();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(refused_by(&call(&pipeline).await.unwrap_err()), "drain");
}

#[tokio::test(start_paused = true)]
async fn a_fallback_answers_whatever_refuses_below_it() {
    let registry = Registry::new();
    let fallback = Fallback::builder("f").registry(&registry).build().unwrap();
    let pipeline = Pipeline::client("x")
        .bulkhead(Bulkhead::builder("x").registry(&registry).build().unwrap())
        .fallback(FallbackLayer::value(fallback, |_| 7))
        .registry(&registry)
        .build()
        .unwrap();
    assert_eq!(call(&pipeline).await.unwrap(), 2);
    registry.stop_all("all");
    assert_eq!(call(&pipeline).await.unwrap(), 7);
}

#[test]
fn every_place_of_a_client_stands_where_it_is_said() {
    let registry = Registry::new();
    let retry = RetryPolicy::builder("x").registry(&registry).build().unwrap();
    let hedge =
        Hedge::builder("x").budget(&retry.budget().withdraw_only()).registry(&registry).build().unwrap();
    let pipeline = Pipeline::client("x")
        .chaos(portcullis::chaos::Config::default())
        .attempt_timeout(Timeout::builder("x", ms(10)).registry(&registry).build().unwrap())
        .thread_pool(portcullis::pool::Config::default())
        .executor(portcullis::Executor::builder("x").registry(&registry).build().unwrap())
        .adaptive_limit(portcullis::adaptive::Config::default())
        .bulkhead(portcullis::bulkhead::Config::default())
        .breaker(portcullis::breaker::Config::default())
        .rate_limit(portcullis::rate::Config::default())
        .throttle(portcullis::throttle::Config::default())
        .hedge(HedgeLayer::new(hedge).idempotent())
        .retry(RetryLayer::new(retry).idempotent())
        .coalesce(portcullis::coalesce::Config::default())
        .observe(portcullis::observe::Config::default())
        .deadline(ms(100))
        .fallback(FallbackLayer::value(Fallback::builder("x").registry(&registry).build().unwrap(), |_| 7))
        .registry(&registry)
        .build()
        .unwrap();
    let steps: Vec<_> = pipeline.explain().order.iter().map(|step| step.place).collect();
    let cacheless = |place: &Place| place.is_on(Side::Client) && *place != Place::Cache;
    assert_eq!(steps, Place::ALL.into_iter().filter(cacheless).collect::<Vec<_>>());
}
