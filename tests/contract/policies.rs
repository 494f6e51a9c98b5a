//! Policies that let ordinary traffic through, as the laws want them, each in a registry of its own.

use std::{
    cell::RefCell,
    convert::Infallible,
    future::{Ready, ready},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::Response;
use portcullis::{
    AdaptiveLimit, AdaptiveLimitLayer, Boxed, Breaker, BreakerLayer, Bulkhead, BulkheadLayer, Chaos,
    ChaosLayer, Coalesce, CoalesceLayer, DeadlineLayer, Drain, DrainLayer, Executor, ExecutorLayer,
    FailureKind, Fallback, FallbackLayer, Health, HealthLayer, Hedge, HedgeLayer, KeyedAdaptiveLimit,
    KeyedBreaker, KeyedBreakerLayer, KeyedBulkhead, KeyedBulkheadLayer, KeyedRateLimit, KeyedRetry,
    KeyedThrottle, LoadShed, LoadShedLayer, ObserveLayer, Observer, Probe, RateLimit, RateLimitLayer,
    Reconnect, Registry, RetryLayer, RetryPolicy, ThreadPool, ThreadPoolLayer, Throttle, ThrottleLayer,
    Timeout, TimeoutLayer, TimeoutScope,
    chaos::Latency,
    fallback::{self, Failover, ResponseLayer},
    hedge::KeyedHedge,
    keyed::{ByKey, KeyOf},
    probe::PassiveLayer,
    reconnect::ReconnectService,
    retry::{CloneReplay, Never},
};
use tower::{Layer, Service, layer::layer_fn};

/// Longer than the laws let a call wait.
const LONG: Duration = Duration::from_secs(30);

/// Calls that may run at once where the laws are told of a limit.
pub(crate) const LIMIT: usize = 4;

/// What the laws are told of a retry.
pub(crate) const ATTEMPTS: usize = 3;

/// Opens after twenty failures in a row: more than one experiment makes, unless it is about refusals.
pub(crate) fn breaker() -> BreakerLayer {
    let breaker = Breaker::builder("breaker").consecutive_failures(20).no_failure_ratio();
    BreakerLayer::new(breaker.registry(&Registry::new()).build().unwrap())
}

/// Every request has the same key.
#[derive(Clone, Debug)]
pub(crate) struct Same;

impl<Req> KeyOf<Req> for Same {
    type Key = str;

    fn with_key<R>(&self, _: &Req, then: impl FnOnce(Option<&str>) -> R) -> R {
        then(Some("same"))
    }
}

/// Opens as [`breaker`] does.
pub(crate) fn keyed() -> KeyedBreakerLayer<Box<str>, Same> {
    let breaker = KeyedBreaker::builder("keyed").consecutive_failures(20).no_failure_ratio();
    KeyedBreakerLayer::new(breaker.registry(&Registry::new()).build().unwrap(), Same)
}

/// Makes layers as [`half_open`] does.
pub(crate) fn keyed_half_open() -> impl Fn() -> KeyedBreakerLayer<Box<str>, Same> {
    let open = |_| {
        let breaker = KeyedBreaker::builder("half-open").permits(8).successes(1000).lease(LONG);
        let breaker = breaker.open_for(Duration::from_millis(1)).registry(&Registry::new()).build().unwrap();
        breaker.get_or_make("same").unwrap().trip();
        breaker
    };
    let breakers: Vec<_> = (0..100).map(open).collect();
    // Each turns half-open by a call, of which nothing becomes known.
    while breakers.iter().any(|breaker| breaker.try_admit("same").is_err()) {
        std::thread::yield_now();
    }
    let breakers = RefCell::new(breakers.into_iter());
    move || KeyedBreakerLayer::new(breakers.borrow_mut().next().unwrap(), Same)
}

/// Makes layers whose breakers stay half-open while nothing fails: every call is a probe, eight at a time.
///
/// A breaker turns half-open by time, which stands still in the laws, so all are opened beforehand.
pub(crate) fn half_open() -> impl Fn() -> BreakerLayer {
    let open = |_| {
        let breaker = Breaker::builder("half-open").permits(8).successes(1000).lease(LONG);
        let breaker = breaker.open_for(Duration::from_millis(1)).registry(&Registry::new()).build().unwrap();
        breaker.trip();
        breaker
    };
    // More than any one law makes.
    let breakers: Vec<_> = (0..100).map(open).collect();
    while breakers.iter().any(Breaker::is_refusing) {
        std::thread::yield_now();
    }
    let breakers = RefCell::new(breakers.into_iter());
    move || BreakerLayer::new(breakers.borrow_mut().next().unwrap())
}

/// Makes three attempts, after short waits.
pub(crate) fn retry() -> RetryLayer {
    let policy = RetryPolicy::builder("retry").max_attempts(ATTEMPTS as u32).budget_of(1.0, 1000).seed(1);
    RetryLayer::new(policy.registry(&Registry::new()).build().unwrap())
}

/// The same, with the policy of one key.
pub(crate) fn keyed_retry() -> RetryLayer<Boxed, CloneReplay, Never, ByKey<KeyedRetry, Same>> {
    let keyed = KeyedRetry::builder("keyed").max_attempts(ATTEMPTS as u32).budget_of(1.0, 1000).seed(1);
    RetryLayer::by(keyed.registry(&Registry::new()).build().unwrap().by(Same))
}

/// Sends up to three attempts, the second and third only after a failure: none takes as long as the delay.
pub(crate) fn hedge() -> HedgeLayer {
    let hedge = Hedge::builder("hedge").max_attempts(ATTEMPTS as u32).fixed_delay(LONG).budget_of(1.0, 1000);
    HedgeLayer::new(hedge.registry(&Registry::new()).build().unwrap())
}

/// The same, with the hedge of one key.
pub(crate) fn keyed_hedge() -> HedgeLayer<Boxed, CloneReplay, Never, ByKey<KeyedHedge, Same>> {
    let keyed =
        KeyedHedge::builder("keyed").max_attempts(ATTEMPTS as u32).fixed_delay(LONG).budget_of(1.0, 1000);
    HedgeLayer::by(keyed.registry(&Registry::new()).build().unwrap().by(Same))
}

/// Room for all ordinary traffic; a flood fills the queue too.
pub(crate) fn bulkhead() -> BulkheadLayer {
    bulkhead_of(LIMIT as u32)
}

/// One call at a time, the others wait.
pub(crate) fn single_file() -> BulkheadLayer {
    bulkhead_of(1)
}

fn bulkhead_of(calls: u32) -> BulkheadLayer {
    let bulkhead = Bulkhead::builder("bulkhead").max_in_flight(calls).queue(8, LONG);
    BulkheadLayer::new(bulkhead.registry(&Registry::new()).build().unwrap())
}

/// As [`bulkhead`], by a key that all calls have.
pub(crate) fn keyed_bulkhead() -> KeyedBulkheadLayer<Box<str>, Same> {
    keyed_bulkhead_of(LIMIT as u32)
}

/// As [`single_file`], by a key that all calls have.
pub(crate) fn keyed_single_file() -> KeyedBulkheadLayer<Box<str>, Same> {
    keyed_bulkhead_of(1)
}

fn keyed_bulkhead_of(calls: u32) -> KeyedBulkheadLayer<Box<str>, Same> {
    let bulkhead = KeyedBulkhead::builder("bulkhead").overall(calls).queue(8, LONG);
    KeyedBulkheadLayer::new(bulkhead.registry(&Registry::new()).build().unwrap(), Same)
}

/// Room for all ordinary traffic, and a limit that does not move.
pub(crate) fn adaptive() -> AdaptiveLimitLayer {
    let calls = LIMIT as u32;
    let limit = AdaptiveLimit::builder("adaptive").between(calls, calls).initial(calls);
    AdaptiveLimitLayer::new(limit.registry(&Registry::new()).build().unwrap())
}

/// The same, for one key.
pub(crate) fn keyed_adaptive() -> AdaptiveLimitLayer<ByKey<KeyedAdaptiveLimit, Same>> {
    let calls = LIMIT as u32;
    let limits = KeyedAdaptiveLimit::builder("adaptive").between(calls, calls).initial(calls);
    AdaptiveLimitLayer::by(limits.registry(&Registry::new()).build().unwrap().by(Same))
}

/// More permits than the laws' traffic takes.
pub(crate) fn rate_limit() -> RateLimitLayer {
    let limit = RateLimit::builder("rate").rate(100_000, Duration::from_secs(1));
    RateLimitLayer::new(limit.registry(&Registry::new()).build().unwrap())
}

/// The same, for one key.
pub(crate) fn keyed_rate_limit() -> RateLimitLayer<Boxed, ByKey<KeyedRateLimit, Same>> {
    let limits = KeyedRateLimit::builder("rate").rate(100_000, Duration::from_secs(1));
    RateLimitLayer::by(limits.registry(&Registry::new()).build().unwrap().by(Same))
}

/// One permit at a time: nearly every call waits for its own, in line and not for long.
pub(crate) fn spaced() -> RateLimitLayer {
    let limit = RateLimit::builder("spaced").rate(1000, Duration::from_secs(1)).burst(1).queue(1000, LONG);
    RateLimitLayer::new(limit.registry(&Registry::new()).build().unwrap())
}

/// Threads for all ordinary traffic; a flood fills the queue too.
pub(crate) fn thread_pool() -> ThreadPoolLayer {
    let pool = ThreadPool::builder("pool").threads(LIMIT as u32).max_queued(8).max_wait(LONG);
    ThreadPoolLayer::new(pool.registry(&Registry::new()).build().unwrap())
}

/// Holds nothing back: the laws' traffic is mostly accepted, and less than it asks for.
pub(crate) fn throttle() -> ThrottleLayer {
    let throttle = Throttle::builder("throttle").min_requests(1_000_000);
    ThrottleLayer::new(throttle.registry(&Registry::new()).build().unwrap())
}

/// Takes part in a probe that asks nobody.
pub(crate) fn passive() -> PassiveLayer {
    PassiveLayer::new(Probe::builder("probe").registry(&Registry::new()).build().unwrap())
}

/// The same, for one key.
pub(crate) fn keyed_throttle() -> ThrottleLayer<ByKey<KeyedThrottle, Same>> {
    let throttles = KeyedThrottle::builder("throttle").min_requests(1_000_000);
    ThrottleLayer::by(throttles.registry(&Registry::new()).build().unwrap().by(Same))
}

/// Room for all ordinary traffic, whatever its class.
pub(crate) fn load_shed() -> LoadShedLayer {
    let shed = LoadShed::builder("shed").max_in_flight(LIMIT as u32).shares([1.0; 5]);
    LoadShedLayer::new(shed.registry(&Registry::new()).build().unwrap())
}

/// That has not begun.
pub(crate) fn drain() -> DrainLayer {
    DrainLayer::new(Drain::builder("drain").registry(&Registry::new()).build().unwrap())
}

/// On the whole call.
pub(crate) fn total() -> TimeoutLayer {
    timeout(TimeoutScope::Total, false)
}

/// On each attempt, and shorter than a total one.
pub(crate) fn attempt() -> TimeoutLayer {
    timeout(TimeoutScope::Attempt, false)
}

/// On the call and the response's body.
pub(crate) fn whole_response() -> TimeoutLayer {
    timeout(TimeoutScope::Total, true)
}

fn timeout(scope: TimeoutScope, whole: bool) -> TimeoutLayer {
    let limit = if scope == TimeoutScope::Total { 4 * LONG } else { LONG };
    let timeout = Timeout::builder("timeout", limit).scope(scope).whole_response(whole);
    TimeoutLayer::new(timeout.registry(&Registry::new()).build().unwrap())
}

/// Of nothing, so that it is healthy.
pub(crate) fn health() -> HealthLayer {
    HealthLayer::new(Health::new(&Registry::new()))
}

/// Never asked.
type Nothing<Res> = fn(fallback::Why) -> Res;

/// Answers nothing instead of what the laws make.
pub(crate) fn fallback<Res>() -> FallbackLayer<fallback::Value<Nothing<Res>>> {
    FallbackLayer::value(never(), |why| unreachable!("{why}"))
}

/// The same, with responses of its own over HTTP.
pub(crate) fn response() -> ResponseLayer<Nothing<Response<Bytes>>> {
    FallbackLayer::response(never(), |why| unreachable!("{why}"))
}

/// Has nothing to do: nothing that the laws make panics.
fn never() -> Fallback {
    let fallback = Fallback::builder("fallback").only([FailureKind::Panic]).refusals(false);
    fallback.registry(&Registry::new()).build().unwrap()
}

/// Goes on to another instance of the same service.
pub(crate) fn failover<S: Clone, T>(
    then: impl Fn(Failover<S>) -> T + Clone,
) -> impl Layer<S, Service = T> + Clone {
    layer_fn(move |service: S| {
        let failover = Failover::builder("failover").registry(&Registry::new());
        let failover = failover.provider("one", service.clone()).provider("two", service);
        then(failover.build().unwrap())
    })
}

/// Every request has a key of its own.
#[derive(Clone, Debug)]
pub(crate) struct Own;

impl<Req> KeyOf<Req> for Own {
    type Key = u64;

    fn with_key<R>(&self, _: &Req, then: impl FnOnce(Option<&u64>) -> R) -> R {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        then(Some(&NEXT.fetch_add(1, Relaxed)))
    }
}

/// Every call leads, and nobody waits.
pub(crate) fn coalesce() -> CoalesceLayer<Own> {
    CoalesceLayer::new(Coalesce::builder("coalesce").registry(&Registry::new()).build().unwrap()).by(Own)
}

/// Tasks of the runtime that is there.
pub(crate) fn executor() -> ExecutorLayer {
    ExecutorLayer::new(Executor::builder("executor").registry(&Registry::new()).build().unwrap())
}

/// Sees calls, and measures them.
pub(crate) fn observe() -> ObserveLayer {
    ObserveLayer::calls(observer())
}

/// Sees attempts.
pub(crate) fn observe_attempts() -> ObserveLayer {
    ObserveLayer::attempts(observer())
}

fn observer() -> Observer {
    Observer::builder("observer").durations(true).registry(&Registry::new()).build().unwrap()
}

/// Off.
pub(crate) fn chaos() -> ChaosLayer {
    ChaosLayer::new(
        Chaos::builder("chaos").error(1.0, FailureKind::Other).registry(&Registry::new()).build().unwrap(),
    )
}

/// Lets answers come later, and bodies slowly.
pub(crate) fn slow_chaos() -> ChaosLayer {
    let slow = Chaos::builder("slow").latency(1.0, Latency::Fixed(Duration::from_millis(1)));
    let slow = slow.bandwidth(1.0, 1_000_000).enabled(true).registry(&Registry::new());
    ChaosLayer::new(slow.build().unwrap())
}

/// Connects to the service itself.
pub(crate) fn reconnect<S: Clone>() -> impl Layer<S, Service = Reconnected<S>> + Clone {
    layer_fn(|service: S| {
        let reconnect = Reconnect::builder("reconnect").registry(&Registry::new()).build().unwrap();
        reconnect.service(Connector(service), ())
    })
}

/// A service over a connection that is another service.
pub(crate) type Reconnected<S> = ReconnectService<Connector<S>, (), S>;

/// Gives the service to everybody who connects.
pub(crate) struct Connector<S>(S);

impl<S: Clone> Service<()> for Connector<S> {
    type Response = S;
    type Error = Infallible;
    type Future = Ready<Result<S, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        ready(Ok(self.0.clone()))
    }
}

/// Far away.
pub(crate) fn deadline() -> DeadlineLayer {
    let timeout = Timeout::builder("deadline", 4 * LONG).registry(&Registry::new());
    DeadlineLayer::new(timeout.build().unwrap())
}

/// Nothing that is asked for is there.
pub(crate) fn cache<V: portcullis::cache::Value>() -> portcullis::CacheLayer<u64, V, Own> {
    let cache = portcullis::Cache::builder("cache").registry(&Registry::new()).build().unwrap();
    portcullis::CacheLayer::new(cache).by(Own)
}

/// Everything that is asked for is there, and counted only.
pub(crate) fn shadow_cache<V: portcullis::cache::Value>() -> portcullis::CacheLayer<Box<str>, V, Same> {
    let cache = portcullis::Cache::builder("cache").mode(portcullis::Mode::Shadow);
    portcullis::CacheLayer::new(cache.registry(&Registry::new()).build().unwrap()).by(Same)
}
