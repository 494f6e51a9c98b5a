//! Errors: of the right kind, and whole.

use std::{error::Error, fmt, io};

use portcullis::{
    BoxError, Breaker, BreakerLayer, Bulkhead, BulkheadLayer, FromRejection, PolicyKind, Reason, Rejection,
    RetryLayer, RetryPolicy, Timeout, TimeoutLayer,
};
use portcullis_testkit::script::{self, Step};
use tower::{ServiceBuilder, ServiceExt};

use crate::common::{hanging, healthy, ms, rejection, secs};

/// A full bulkhead, reported as a timeout; and a wait in its queue that took too long, too.
#[tokio::test(start_paused = true)]
async fn t13_a_refusal_says_who_refused() {
    let bulkhead = Bulkhead::builder("t13").max_in_flight(1).queue(1, ms(50)).build().unwrap();
    let stack = |limit| {
        ServiceBuilder::new()
            .layer(TimeoutLayer::new(Timeout::total("t13", limit).unwrap()))
            .layer(BulkheadLayer::new(bulkhead.clone()))
            .service(healthy().0)
    };
    let _taken = bulkhead.try_admit().unwrap();

    let queued = rejection(stack(secs(1)).oneshot(1).await);
    assert_eq!((queued.kind(), queued.reason().as_str()), (PolicyKind::Bulkhead, "queue_timeout"));

    let waiting = tokio::spawn(stack(secs(1)).oneshot(2));
    tokio::task::yield_now().await;
    let full = rejection(stack(secs(1)).oneshot(3).await);
    assert_eq!(
        (full.kind(), full.reason()),
        (PolicyKind::Bulkhead, Reason::BulkheadFull { limit: 1, queued: 1 })
    );
    assert!(waiting.await.unwrap().is_err());

    let late = rejection(stack(ms(20)).oneshot(4).await);
    assert_eq!((late.kind(), late.reason().as_str()), (PolicyKind::Timeout, "timeout"));
}

/// What went wrong, and why.
#[derive(Debug)]
struct OutOfStock(io::Error);

impl fmt::Display for OutOfStock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("out of stock")
    }
}

impl Error for OutOfStock {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// An error that is wrapped into text on its way: `source()` is `None`, and no downcast works.
#[tokio::test(start_paused = true)]
async fn t14_an_error_comes_out_of_the_stack_as_it_went_in() {
    let (inner, _dependency) =
        script::always(|_: &u32| Step::<u32, _>::err(OutOfStock(io::ErrorKind::NotFound.into())));
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Timeout::total("t14", secs(1)).unwrap()))
        .layer(RetryLayer::new(RetryPolicy::new("t14")).idempotent())
        .layer(BreakerLayer::new(Breaker::new("t14")))
        .layer(BulkheadLayer::new(Bulkhead::new("t14")))
        .layer(TimeoutLayer::new(Timeout::attempt("t14", secs(1)).unwrap()))
        .service(inner);

    let error: BoxError = service.oneshot(1).await.unwrap_err();

    assert!(error.is::<OutOfStock>(), "{error:?}");
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    assert_eq!(source.map(io::Error::kind), Some(io::ErrorKind::NotFound));
}

/// The same for a refusal from the bottom of the stack.
#[tokio::test(start_paused = true)]
async fn t14_a_refusal_comes_out_of_the_stack_as_it_went_in() {
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(RetryPolicy::builder("t14").max_attempts(1).build().unwrap()))
        .layer(BreakerLayer::new(Breaker::new("t14")))
        .layer(BulkheadLayer::new(Bulkhead::new("t14")))
        .layer(TimeoutLayer::new(Timeout::attempt("slowest", ms(10)).unwrap()))
        .service(hanging().0);

    let error = service.oneshot(1).await.unwrap_err();

    let rejection = error.downcast_ref::<Rejection>().expect("a rejection, and nothing around it");
    assert_eq!(&**rejection.policy(), "slowest");
}

#[derive(Debug, PartialEq)]
enum ShopError {
    SoldOut { item: u32 },
    Refused(Rejection),
}

impl FromRejection for ShopError {
    fn from_rejection(rejection: Rejection) -> Self {
        Self::Refused(rejection)
    }

    fn as_rejection(&self) -> Option<&Rejection> {
        match self {
            Self::Refused(rejection) => Some(rejection),
            Self::SoldOut { .. } => None,
        }
    }
}

/// Errors with a type of their own keep it, and are not nested by layer.
#[tokio::test(start_paused = true)]
async fn t14_a_typed_error_stays_what_it_is() {
    let breaker = Breaker::builder("t14").consecutive_failures(1).build().unwrap();
    let (inner, _dependency) =
        script::always(|item: &u32| Step::<u32, _>::err(ShopError::SoldOut { item: *item }));
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Timeout::total("t14", secs(1)).unwrap()).typed())
        .layer(RetryLayer::new(RetryPolicy::new("t14")).typed())
        .layer(BreakerLayer::new(breaker).typed())
        .layer(BulkheadLayer::new(Bulkhead::new("t14")).typed())
        .service(inner);

    assert_eq!(service.clone().oneshot(17).await, Err(ShopError::SoldOut { item: 17 }));

    let refused = service.oneshot(17).await.unwrap_err();
    assert_eq!(refused.as_rejection().map(Rejection::kind), Some(PolicyKind::Breaker));
}
