//! Portcullis, with its budget always on, and errors that carry a rejection
//! without a box, except where the row is about boxed errors.

use std::fmt;
use std::sync::Arc;

use portcullis::breaker::{DEFAULT_MINIMUM_CALLS, TimeRule};
use portcullis::fallback::{Value, Why};
use portcullis::keyed::ByKey;
use portcullis::retry::Backoff;
use portcullis::{
    AdaptiveLimit, AdaptiveLimitLayer, Balance, Boxed, Breaker, BreakerLayer, Bulkhead, BulkheadLayer,
    Coalesce, CoalesceLayer, ConfigError, Drain, DrainLayer, Endpoints, Executor, ExecutorLayer, Fallback,
    FallbackLayer, FromRejection, Health, HealthLayer, Hedge, HedgeLayer, KeyedBreaker, KeyedBreakerLayer,
    KeyedBulkhead, KeyedBulkheadLayer, KeyedRateLimit, LoadShed, LoadShedLayer, ObserveLayer, Observer,
    Outliers, Pipeline, RateLimit, RateLimitLayer, Registry, Rejection, RetryLayer, RetryPolicy, Throttle,
    ThrottleLayer, Timeout, TimeoutLayer, keyed::KeyOf,
};
use tower::{Layer, ServiceBuilder};

use super::{
    BUCKETS, LONG_WINDOW, MANY, MOMENT, PATIENCE, RETRIES, ROOM, SHORT_WINDOW, SPAN, STAYS_OPEN, THRESHOLD,
    WINDOW, over_http,
};
use crate::inner::{Failed, fails_first, immediate, pends_once};
use crate::{EverySecond, Job, Never, Requests, Row, repeat, repeat_on_runtime, trip};

pub(super) fn job(row: Row) -> Option<Box<dyn Job>> {
    build(row).ok().flatten()
}

fn build(row: Row) -> Result<Option<Box<dyn Job>>, ConfigError> {
    let inner = immediate::<ShopError>();
    let job = match row {
        Row::Closed => repeat::<Never, _>(breaker()?.typed().layer(inner)),
        Row::Closed10 => repeat::<Never, _>(breaker_over(SHORT_WINDOW)?.typed().layer(inner)),
        Row::Closed100000 => filled::<Never, _>(breaker_over(LONG_WINDOW)?.typed().layer(inner)),
        Row::ClosedTime => repeat::<Never, _>(breaker_in_time()?.typed().layer(inner)),
        Row::Open => repeat::<Never, _>(trip(breaker()?.typed().layer(inner))),
        Row::OpenBoxed => repeat::<Never, _>(trip(breaker()?.layer(immediate::<Failed>()))),
        Row::HalfFailing => repeat::<EverySecond, _>(breaker()?.typed().layer(inner)),
        Row::Keyed1 => repeat::<Never, _>(keyed(1)?.typed().layer(inner)),
        Row::Keyed1m => repeat::<Never, _>(keyed(1_000_000)?.typed().layer(inner)),
        Row::HalfFailing10 => repeat::<EverySecond, _>(breaker_over(SHORT_WINDOW)?.typed().layer(inner)),
        Row::HalfFailing100000 => filled::<EverySecond, _>(breaker_over(LONG_WINDOW)?.typed().layer(inner)),
        Row::HalfFailingTime => repeat::<EverySecond, _>(breaker_in_time()?.typed().layer(inner)),
        // Without a budget it does not come.
        Row::RetryNone | Row::RetryOnce => return Ok(None),
        Row::RetryNoneBudget => repeat::<Never, _>(retry()?.typed().idempotent().layer(inner)),
        Row::RetryOnceBudget => {
            repeat::<Never, _>(retry()?.typed().idempotent().layer(fails_first::<ShopError>()))
        }
        Row::HedgeReady => repeat::<Never, _>(hedge()?.typed().idempotent().layer(inner)),
        Row::HedgePending => {
            repeat::<Never, _>(hedge()?.typed().idempotent().layer(pends_once::<ShopError>()))
        }
        Row::Bulkhead => repeat::<Never, _>(bulkhead()?.typed().layer(inner)),
        Row::Bulkhead1 => repeat::<Never, _>(bulkheads(1)?.typed().layer(inner)),
        Row::Bulkhead1m => repeat::<Never, _>(bulkheads(1_000_000)?.typed().layer(inner)),
        Row::AdaptiveLimit => repeat::<Never, _>(adaptive_limit()?.typed().layer(inner)),
        Row::RateLimit => repeat::<Never, _>(rate_limit()?.typed().layer(inner)),
        Row::RateLimit1 => repeat::<Never, _>(rate_limits(1)?.typed().layer(inner)),
        Row::RateLimit1m => repeat::<Never, _>(rate_limits(1_000_000)?.typed().layer(inner)),
        Row::Throttle => repeat::<Never, _>(throttle()?.typed().layer(inner)),
        Row::Drain => repeat::<Never, _>(drain()?.typed().layer(inner)),
        Row::Health => repeat::<Never, _>(over_http(HealthLayer::new(Health::new(Registry::global())))),
        Row::LoadShed => repeat::<Never, _>(load_shed()?.typed().layer(inner)),
        Row::Fallback => repeat::<Never, _>(fallback().typed().layer(inner)),
        Row::Coalesce => repeat::<Never, _>(coalesce()?.typed().layer(inner)),
        Row::Executor => return Ok(repeat_on_runtime::<Never, _>(executor()?.typed().layer(inner)).ok()),
        Row::Balance => repeat::<Never, _>(balance()),
        Row::TimeoutReady => repeat::<Never, _>(timeout()?.typed().layer(inner)),
        Row::TimeoutPending => repeat::<Never, _>(timeout()?.typed().layer(pends_once::<ShopError>())),
        Row::Stack => repeat::<Never, _>(stack()?),
        Row::Pipeline => repeat::<Never, _>(pipeline()?),
        Row::Observe => repeat::<Never, _>(ObserveLayer::calls(observer()?).typed().layer(inner)),
        Row::StackObserved => repeat::<Never, _>(observed_stack()?),
    };
    Ok(Some(job))
}

fn stack() -> Result<impl super::Service, ConfigError> {
    Ok(ServiceBuilder::new()
        .layer(timeout()?.typed())
        .layer(retry()?.typed().idempotent())
        .layer(breaker()?.typed())
        .layer(bulkhead()?.typed())
        .service(immediate::<ShopError>()))
}

fn observed_stack() -> Result<impl super::Service, ConfigError> {
    let observer = observer()?;
    Ok(ServiceBuilder::new()
        .layer(ObserveLayer::calls(observer.clone()).typed())
        .layer(timeout()?.typed())
        .layer(retry()?.typed().idempotent())
        .layer(ObserveLayer::attempts(observer).typed())
        .layer(breaker()?.typed())
        .layer(bulkhead()?.typed())
        .service(immediate::<ShopError>()))
}

/// Of spans and counts, without durations.
fn observer() -> Result<Observer, ConfigError> {
    Observer::builder("bench").build()
}

fn pipeline() -> Result<impl super::Service, ConfigError> {
    let pipeline = Pipeline::client("bench")
        .bulkhead(bulkhead()?)
        .breaker(breaker()?)
        .retry(retry()?.idempotent())
        .deadline(timeout()?)
        .typed()
        .build();
    let pipeline = pipeline.map_err(|error| ConfigError::new("pipeline", error, "a pipeline"))?;
    Ok(pipeline.layer(immediate::<ShopError>()))
}

fn breaker() -> Result<BreakerLayer, ConfigError> {
    breaker_over(u32::from(WINDOW))
}

fn breaker_over(window: u32) -> Result<BreakerLayer, ConfigError> {
    let breaker = Breaker::builder("bench")
        .window(window)
        .minimum_calls(window.min(DEFAULT_MINIMUM_CALLS))
        .failure_ratio(f64::from(THRESHOLD))
        .open_for(STAYS_OPEN)
        .build()?;
    Ok(BreakerLayer::new(breaker))
}

fn breaker_in_time() -> Result<BreakerLayer, ConfigError> {
    let rule =
        TimeRule { span: SPAN, buckets: BUCKETS, failure_ratio: THRESHOLD.into(), ..TimeRule::default() };
    let breaker = Breaker::builder("bench")
        .time_rule(rule)
        .failure_ratio(f64::from(THRESHOLD))
        .open_for(STAYS_OPEN)
        .build()?;
    Ok(BreakerLayer::new(breaker))
}

/// A job whose window is full.
fn filled<R: Requests, S: super::Service>(service: S) -> Box<dyn Job> {
    let mut job = repeat::<R, _>(service);
    job.run(u64::from(LONG_WINDOW));
    job
}

/// A breaker with so many keys.
fn keyed(keys: usize) -> Result<KeyedBreakerLayer<Box<str>, Hot>, ConfigError> {
    let breaker = KeyedBreaker::builder("bench")
        .window(u32::from(WINDOW))
        .failure_ratio(f64::from(THRESHOLD))
        .max_keys(keys)
        .build()?;
    let (names, hot) = names(keys);
    for name in &names {
        drop(breaker.try_admit(name.as_str()));
    }
    Ok(KeyedBreakerLayer::new(breaker, hot))
}

/// So many keys, and those of them that are called: far from each other, as those that are called often are.
fn names(keys: usize) -> (Vec<String>, Hot) {
    let names: Vec<_> = (0..keys).map(|key| format!("host-{key:011}")).collect();
    let hot = names.iter().step_by(keys.div_ceil(HOT_KEYS)).cloned().collect();
    (names, Hot(hot))
}

/// Keys that are called, of those there are.
const HOT_KEYS: usize = 16;

/// The keys that are called, one after the other.
#[derive(Clone)]
struct Hot(Arc<[String]>);

impl KeyOf<u64> for Hot {
    type Key = str;

    fn with_key<R>(&self, request: &u64, then: impl FnOnce(Option<&str>) -> R) -> R {
        // Those of this job are even.
        let place = (request / 2) as usize % self.0.len();
        then(self.0.get(place).map(String::as_str))
    }
}

fn retry() -> Result<RetryLayer, ConfigError> {
    let policy = RetryPolicy::builder("bench")
        .max_attempts(u32::from(RETRIES) + 1)
        .backoff(Backoff::NONE)
        .budget_of(1.0, 1000)
        .build()?;
    Ok(RetryLayer::new(policy))
}

fn hedge() -> Result<HedgeLayer, ConfigError> {
    Ok(HedgeLayer::new(Hedge::builder("bench").fixed_delay(PATIENCE).build()?))
}

fn bulkhead() -> Result<BulkheadLayer, ConfigError> {
    Ok(BulkheadLayer::new(Bulkhead::builder("bench").max_in_flight(u32::from(ROOM)).build()?))
}

/// The same for each of so many keys, within one limit.
fn bulkheads(keys: usize) -> Result<KeyedBulkheadLayer<Box<str>, Hot>, ConfigError> {
    let bulkhead = KeyedBulkhead::builder("bench").overall(u32::from(ROOM)).max_keys(keys).build()?;
    let (names, hot) = names(keys);
    for name in &names {
        drop(bulkhead.try_admit(name.as_str()));
    }
    Ok(KeyedBulkheadLayer::new(bulkhead, hot))
}

fn adaptive_limit() -> Result<AdaptiveLimitLayer, ConfigError> {
    let limit = AdaptiveLimit::builder("bench").between(1, u32::from(ROOM)).initial(u32::from(ROOM));
    Ok(AdaptiveLimitLayer::new(limit.build()?))
}

/// One permit in a nanosecond: as many as there are calls, and each is counted.
fn rate_limit() -> Result<RateLimitLayer, ConfigError> {
    Ok(RateLimitLayer::new(RateLimit::builder("bench").rate(MANY, MOMENT).build()?))
}

/// The same for each of so many keys.
fn rate_limits(keys: usize) -> Result<RateLimitLayer<Boxed, ByKey<KeyedRateLimit, Hot>>, ConfigError> {
    let limits = KeyedRateLimit::builder("bench").rate(MANY, MOMENT).max_keys(keys).build()?;
    let (names, hot) = names(keys);
    for name in &names {
        drop(limits.limit(name.as_str()));
    }
    Ok(RateLimitLayer::by(limits.by(hot)))
}

fn throttle() -> Result<ThrottleLayer, ConfigError> {
    Ok(ThrottleLayer::new(Throttle::builder("bench").build()?))
}

/// Everybody has the whole limit, and what waits is not looked at: that would need a runtime.
fn load_shed() -> Result<LoadShedLayer, ConfigError> {
    let shed = LoadShed::builder("bench").max_in_flight(u32::from(ROOM)).shares([1.0; 5]).no_queue_delay();
    Ok(LoadShedLayer::new(shed.build()?))
}

/// Serving, as it is nearly always.
fn drain() -> Result<DrainLayer, ConfigError> {
    Ok(DrainLayer::new(Drain::builder("bench").build()?))
}

/// Of a value that is never needed.
fn fallback() -> FallbackLayer<Value<impl Fn(Why) -> u64 + Copy>> {
    FallbackLayer::value(Fallback::new("bench"), |_why| 0)
}

/// By the number of the request: no two are in flight at a time.
fn coalesce() -> Result<CoalesceLayer<impl KeyOf<u64, Key = u64> + Copy>, ConfigError> {
    let by = |request: &u64| Some(*request);
    Ok(CoalesceLayer::new(Coalesce::builder("bench").build()?).by(by))
}

fn executor() -> Result<ExecutorLayer, ConfigError> {
    Ok(ExecutorLayer::new(Executor::builder("bench").build()?))
}

/// Over ten endpoints that are all well.
fn balance() -> impl super::Service {
    let endpoints = Endpoints::new(Outliers::new("bench"));
    for host in 0..10 {
        endpoints.insert(host.to_string(), immediate::<ShopError>());
    }
    Balance::new(endpoints).typed()
}

fn timeout() -> Result<TimeoutLayer, ConfigError> {
    Ok(TimeoutLayer::new(Timeout::total("bench", PATIENCE)?))
}

/// An error as a service would have it.
#[derive(Clone, Debug)]
enum ShopError {
    Failed,
    Rejected(Rejection),
}

impl From<Failed> for ShopError {
    fn from(_: Failed) -> Self {
        Self::Failed
    }
}

impl FromRejection for ShopError {
    fn from_rejection(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }

    fn as_rejection(&self) -> Option<&Rejection> {
        match self {
            Self::Failed => None,
            Self::Rejected(rejection) => Some(rejection),
        }
    }
}

impl fmt::Display for ShopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed => Failed.fmt(f),
            Self::Rejected(rejection) => rejection.fmt(f),
        }
    }
}

impl std::error::Error for ShopError {}
