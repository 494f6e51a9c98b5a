//! Panics of the inner service (T13, where one was reported as a timeout): recorded, and then resumed.

use std::{
    future::{Future, Ready},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use portcullis::{
    BoxError, Breaker, BreakerLayer, Bulkhead, BulkheadLayer, FailureKind, RetryLayer, RetryPolicy, Timeout,
    TimeoutLayer, breaker::State,
};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use crate::common::secs;

/// Panics in `call`, before there is a future.
#[derive(Clone)]
struct PanicsInCall;

impl Service<u32> for PanicsInCall {
    type Response = u32;
    type Error = BoxError;
    type Future = Ready<Result<u32, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: u32) -> Self::Future {
        panic!("in call");
    }
}

async fn panics_in_poll(_: u32) -> Result<u32, BoxError> {
    tokio::task::yield_now().await;
    panic!("in poll")
}

/// What a panic of `service` below a whole stack says, once it has come out at the top.
async fn panic_through_a_stack<S>(service: S, breaker: &Breaker, bulkhead: &Bulkhead) -> &'static str
where
    S: Service<u32, Response = u32, Error = BoxError, Future: Send> + Clone + Send + 'static,
{
    let stack = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Timeout::total("t13", secs(1)).unwrap()))
        .layer(RetryLayer::new(RetryPolicy::new("t13")).idempotent())
        .layer(BreakerLayer::new(breaker.clone()))
        .layer(BulkheadLayer::new(bulkhead.clone()))
        .layer(TimeoutLayer::new(Timeout::attempt("t13", secs(1)).unwrap()))
        .service(service);
    let panic = tokio::spawn(async move { stack.boxed_clone().oneshot(1).await.is_ok() }).await.unwrap_err();
    panic.into_panic().downcast_ref::<&str>().copied().expect("the same panic")
}

#[tokio::test(start_paused = true)]
async fn t13_a_panic_in_poll_is_a_failure_and_goes_on() {
    let breaker = Breaker::builder("t13").consecutive_failures(1).build().unwrap();
    let bulkhead = Bulkhead::new("t13");

    let said = panic_through_a_stack(service_fn(panics_in_poll), &breaker, &bulkhead).await;

    assert_eq!(said, "in poll");
    assert_eq!((breaker.state(), breaker.status().last_failure), (State::Open, Some(FailureKind::Panic)));
    assert_eq!((breaker.status().failures, bulkhead.status().in_flight), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn t13_a_panic_in_call_is_a_failure_and_goes_on() {
    let breaker = Breaker::builder("t13").consecutive_failures(1).build().unwrap();
    let bulkhead = Bulkhead::new("t13");

    let said = panic_through_a_stack(PanicsInCall, &breaker, &bulkhead).await;

    assert_eq!(said, "in call");
    assert_eq!((breaker.state(), breaker.status().last_failure), (State::Open, Some(FailureKind::Panic)));
    assert_eq!((breaker.status().failures, bulkhead.status().in_flight), (1, 0));
}

/// A panic once the call has its turn, for which it had to queue.
#[tokio::test(start_paused = true)]
async fn t13_a_panic_after_the_queue_gives_the_permit_back() {
    let bulkhead = Bulkhead::builder("t13").max_in_flight(1).queue(1, secs(1)).build().unwrap();
    let service = ServiceBuilder::new().layer(BulkheadLayer::new(bulkhead.clone())).service(PanicsInCall);
    let taken = bulkhead.try_admit().unwrap();
    let call = tokio::spawn(service.oneshot(1));
    tokio::task::yield_now().await;

    drop(taken);

    assert!(call.await.unwrap_err().is_panic());
    assert_eq!((bulkhead.status().in_flight, bulkhead.status().queued), (0, 0));
}

/// Without tower it is the same.
#[tokio::test(start_paused = true)]
async fn t13_a_panic_in_a_plain_call_is_a_failure_and_goes_on() {
    async fn call<Fut: Future<Output = Result<u32, BoxError>>>(
        breaker: Breaker,
        bulkhead: Bulkhead,
        inner: impl FnOnce() -> Fut,
    ) -> Result<u32, BoxError> {
        bulkhead.call(|| breaker.call(inner)).await
    }
    let (breaker, bulkhead) = (Breaker::new("t13"), Bulkhead::new("t13"));

    let in_call = call(breaker.clone(), bulkhead.clone(), || -> Ready<_> { panic!("in call") });
    assert!(tokio::spawn(in_call).await.unwrap_err().is_panic());
    let in_poll = call(breaker.clone(), bulkhead.clone(), || panics_in_poll(1));
    assert!(tokio::spawn(in_poll).await.unwrap_err().is_panic());

    assert_eq!((breaker.status().failures, bulkhead.status().in_flight), (2, 0));
}

/// A body that panics while it is read: the call had looked like a success.
#[tokio::test(start_paused = true)]
async fn t13_a_panic_in_a_body_is_a_failure_and_goes_on() {
    let breaker = Breaker::builder("t13").consecutive_failures(1).build().unwrap();
    let bulkhead = Bulkhead::new("t13");
    let service = ServiceBuilder::new()
        .layer(BreakerLayer::new(breaker.clone()).http_client())
        .layer(BulkheadLayer::new(bulkhead.clone()).http_client())
        .service_fn(async |_: Request<String>| {
            let frames =
                stream::poll_fn(|_| -> Poll<Option<Result<Frame<Bytes>, BoxError>>> { panic!("in body") });
            Ok::<_, BoxError>(Response::new(StreamBody::new(frames)))
        });
    let answer = service.oneshot(Request::default()).await.unwrap();
    assert_eq!((breaker.state(), bulkhead.status().in_flight), (State::Closed, 1));

    let reading = tokio::spawn(answer.into_body().collect());

    assert!(reading.await.unwrap_err().is_panic());
    assert_eq!((breaker.state(), breaker.status().last_failure), (State::Open, Some(FailureKind::Panic)));
    assert_eq!(bulkhead.status().in_flight, 0);
}
