//! Portcullis, with its budget always on, and errors that carry a rejection
//! without a box, except where the row is about boxed errors.

use std::fmt;

use portcullis::retry::Backoff;
use portcullis::{
    Breaker, BreakerLayer, Bulkhead, BulkheadLayer, ConfigError, FromRejection, Rejection, RetryLayer,
    RetryPolicy, Timeout, TimeoutLayer,
};
use tower::{Layer, ServiceBuilder};

use super::{PATIENCE, RETRIES, ROOM, STAYS_OPEN, THRESHOLD, WINDOW};
use crate::inner::{Failed, fails_first, immediate, pends_once};
use crate::{EverySecond, Job, Never, Row, repeat, trip};

pub(super) fn job(row: Row) -> Option<Box<dyn Job>> {
    build(row).ok().flatten()
}

fn build(row: Row) -> Result<Option<Box<dyn Job>>, ConfigError> {
    let inner = immediate::<ShopError>();
    let job = match row {
        Row::Closed => repeat::<Never, _>(breaker()?.typed().layer(inner)),
        Row::Open => repeat::<Never, _>(trip(breaker()?.typed().layer(inner))),
        Row::OpenBoxed => repeat::<Never, _>(trip(breaker()?.layer(immediate::<Failed>()))),
        Row::HalfFailing => repeat::<EverySecond, _>(breaker()?.typed().layer(inner)),
        // Without a budget it does not come.
        Row::RetryNone | Row::RetryOnce => return Ok(None),
        Row::RetryNoneBudget => repeat::<Never, _>(retry()?.typed().idempotent().layer(inner)),
        Row::RetryOnceBudget => {
            repeat::<Never, _>(retry()?.typed().idempotent().layer(fails_first::<ShopError>()))
        }
        Row::Bulkhead => repeat::<Never, _>(bulkhead()?.typed().layer(inner)),
        Row::TimeoutReady => repeat::<Never, _>(timeout()?.typed().layer(inner)),
        Row::TimeoutPending => repeat::<Never, _>(timeout()?.typed().layer(pends_once::<ShopError>())),
        Row::Stack => repeat::<Never, _>(stack()?),
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

fn breaker() -> Result<BreakerLayer, ConfigError> {
    let breaker = Breaker::builder("bench")
        .window(u32::from(WINDOW))
        .failure_ratio(f64::from(THRESHOLD))
        .open_for(STAYS_OPEN)
        .build()?;
    Ok(BreakerLayer::new(breaker))
}

fn retry() -> Result<RetryLayer, ConfigError> {
    let policy = RetryPolicy::builder("bench")
        .max_attempts(u32::from(RETRIES) + 1)
        .backoff(Backoff::NONE)
        .budget_of(1.0, 1000)
        .build()?;
    Ok(RetryLayer::new(policy))
}

fn bulkhead() -> Result<BulkheadLayer, ConfigError> {
    Ok(BulkheadLayer::new(Bulkhead::builder("bench").max_in_flight(u32::from(ROOM)).build()?))
}

fn timeout() -> Result<TimeoutLayer, ConfigError> {
    Ok(TimeoutLayer::new(Timeout::total("bench", PATIENCE)?))
}

/// An error as a service would have it.
#[derive(Debug)]
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
