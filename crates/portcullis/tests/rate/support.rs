//! What the tests share.

use std::time::Duration;

use portcullis::{BoxError, RateLimit, RateLimitLayer, Registry, Rejection, rate::RateLimitBuilder};
use tower::{Layer, Service, service_fn};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// So many in a second, one at a time, in a registry of its own.
pub(crate) fn limit(permits: u32) -> RateLimitBuilder {
    RateLimit::builder("limit").rate(permits, SECOND).burst(1).registry(&Registry::new())
}

/// A service behind it that gives a number back.
pub(crate) fn echo(
    limit: &RateLimit,
) -> impl Service<u32, Response = u32, Error = BoxError, Future: Send> + Clone + Send + 'static + use<> {
    RateLimitLayer::new(limit.clone()).layer(service_fn(|n: u32| async move { Ok::<_, BoxError>(n) }))
}

/// The rejection that a call ended with.
pub(crate) fn rejection<T: std::fmt::Debug>(result: Result<T, BoxError>) -> Rejection {
    Rejection::find(&*result.unwrap_err()).unwrap().clone()
}
