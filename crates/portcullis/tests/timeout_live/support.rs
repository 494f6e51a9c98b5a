//! A dependency that takes as long as its request says.

use std::time::Duration;

use portcullis::{BoxError, Reason, Registry, Rejection, Timeout, timeout::Config};
use tower::{Service, service_fn};

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn timeout(config: impl Into<Config>) -> Timeout {
    Timeout::builder("shop", config).registry(&Registry::new()).build().unwrap()
}

/// Answers after so many milliseconds.
pub(crate) fn takes()
-> impl Service<u64, Response = u64, Error = BoxError, Future: Send> + Clone + Send + 'static {
    service_fn(|millis: u64| async move {
        tokio::time::sleep(ms(millis)).await;
        Ok::<_, BoxError>(millis)
    })
}

/// The limit of the call that was refused.
pub(crate) fn limit_of(end: Result<u64, BoxError>) -> Option<Duration> {
    match Rejection::find(&*end.err()?)?.reason() {
        Reason::Timeout { limit, .. } => Some(limit),
        other => panic!("{other:?}"),
    }
}
