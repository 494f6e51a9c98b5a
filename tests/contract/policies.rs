//! Policies that let ordinary traffic through, as the laws want them, each in a registry of its own.

use std::{cell::RefCell, time::Duration};

use portcullis::{
    Boxed, Breaker, BreakerLayer, Bulkhead, BulkheadLayer, Health, HealthLayer, Hedge, HedgeLayer,
    KeyedBreaker, KeyedBreakerLayer, KeyedRateLimit, KeyedRetry, RateLimit, RateLimitLayer, Registry,
    RetryLayer, RetryPolicy, Timeout, TimeoutLayer, TimeoutScope,
    keyed::KeyOf,
    rate::ByKey as LimitByKey,
    retry::{CloneReplay, Never, keyed::ByKey},
};

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
pub(crate) fn keyed_retry() -> RetryLayer<Boxed, CloneReplay, Never, ByKey<Box<str>, Same>> {
    let keyed = KeyedRetry::builder("keyed").max_attempts(ATTEMPTS as u32).budget_of(1.0, 1000).seed(1);
    RetryLayer::by(keyed.registry(&Registry::new()).build().unwrap().by(Same))
}

/// Sends up to three attempts, the second and third only after a failure: none takes as long as the delay.
pub(crate) fn hedge() -> HedgeLayer {
    let hedge = Hedge::builder("hedge").max_attempts(ATTEMPTS as u32).fixed_delay(LONG).budget_of(1.0, 1000);
    HedgeLayer::new(hedge.registry(&Registry::new()).build().unwrap())
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

/// More permits than the laws' traffic takes.
pub(crate) fn rate_limit() -> RateLimitLayer {
    let limit = RateLimit::builder("rate").rate(100_000, Duration::from_secs(1));
    RateLimitLayer::new(limit.registry(&Registry::new()).build().unwrap())
}

/// The same, for one key.
pub(crate) fn keyed_rate_limit() -> RateLimitLayer<Boxed, LimitByKey<Box<str>, Same>> {
    let limits = KeyedRateLimit::builder("rate").rate(100_000, Duration::from_secs(1));
    RateLimitLayer::by(limits.registry(&Registry::new()).build().unwrap().by(Same))
}

/// One permit at a time: nearly every call waits for its own, in line and not for long.
pub(crate) fn spaced() -> RateLimitLayer {
    let limit = RateLimit::builder("spaced").rate(1000, Duration::from_secs(1)).burst(1).queue(1000, LONG);
    RateLimitLayer::new(limit.registry(&Registry::new()).build().unwrap())
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
