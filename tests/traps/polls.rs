//! Waiting costs nothing: T04, where one waiter was polled three million times a second.

use std::{convert::Infallible, future::pending};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use portcullis::{
    BoxError, Breaker, BreakerLayer, Bulkhead, BulkheadLayer, RetryLayer, RetryPolicy, Timeout, TimeoutLayer,
    retry::{Backoff, Jitter},
};
use portcullis_testkit::script::Step;
use portcullis_tests::{net::soon, polls::count_polls};
use tower::{ServiceBuilder, ServiceExt};

use crate::common::{failing, hanging, healthy, ms, rejection, secs};

/// More than a second of waiting must not cost.
const FEW: usize = 10;

/// A queue that asks again and again whether a permit is free.
#[tokio::test(start_paused = true)]
async fn t04_waiting_in_a_bulkheads_queue() {
    let bulkhead = Bulkhead::builder("t04").max_in_flight(1).queue(1, secs(2)).build().unwrap();
    let service = ServiceBuilder::new().layer(BulkheadLayer::new(bulkhead.clone())).service(healthy().0);

    let taken = bulkhead.try_admit().unwrap();
    let release = async {
        tokio::time::sleep(secs(1)).await;
        drop(taken);
    };
    let ((result, polls), ()) = tokio::join!(count_polls(service.clone().oneshot(7)), release);
    assert_eq!((result.unwrap(), polls < FEW), (7, true), "{polls} polls");

    let _taken = bulkhead.try_admit().unwrap();
    let (result, polls) = count_polls(service.oneshot(8)).await;
    assert_eq!((rejection(result).reason().as_str(), polls < FEW), ("queue_timeout", true), "{polls} polls");
}

/// A retry that spins until its backoff is over.
#[tokio::test(start_paused = true)]
async fn t04_waiting_for_the_next_attempt() {
    let backoff = Backoff { base: secs(1), jitter: Jitter::None, ..Backoff::default() };
    let policy = RetryPolicy::builder("t04").max_attempts(2).backoff(backoff).build().unwrap();
    let (inner, dependency) = failing();
    let service = ServiceBuilder::new().layer(RetryLayer::new(policy).idempotent()).service(inner);
    let before = tokio::time::Instant::now();

    let (result, polls) = count_polls(service.oneshot(7)).await;

    assert!(result.is_err());
    assert_eq!((dependency.tally().calls, before.elapsed()), (2, secs(1)));
    assert!(polls < FEW, "{polls} polls");
}

/// A timeout that looks at the clock until it is late, waiting for an answer or for readiness.
#[tokio::test(start_paused = true)]
async fn t04_waiting_for_the_end_of_the_time() {
    let timeout = Timeout::total("t04", secs(1)).unwrap();
    let unready = healthy();
    unready.1.close();
    for (inner, _dependency) in [hanging(), unready] {
        let service = ServiceBuilder::new().layer(TimeoutLayer::new(timeout.clone())).service(inner);

        let (result, polls) = soon(count_polls(service.oneshot(7))).await;

        assert_eq!((rejection(result).reason().as_str(), polls < FEW), ("timeout", true), "{polls} polls");
    }
}

/// The same while a body is read.
#[tokio::test(start_paused = true)]
async fn t04_waiting_for_the_rest_of_a_body() {
    let timeout = Timeout::builder("t04", secs(1)).whole_response(true).build().unwrap();
    let service = ServiceBuilder::new().layer(TimeoutLayer::new(timeout).http_client()).service_fn(
        async |_: http::Request<String>| {
            let never = futures_util::stream::once(pending::<Result<Frame<Bytes>, Infallible>>());
            Ok::<_, BoxError>(http::Response::new(Box::pin(StreamBody::new(never))))
        },
    );
    let answer = service.oneshot(http::Request::new(String::new())).await.unwrap();

    let (result, polls) = count_polls(answer.into_body().collect()).await;

    assert!(result.is_err());
    assert!(polls < FEW, "{polls} polls");
}

/// All of it at once, in a stack.
#[tokio::test(start_paused = true)]
async fn t04_waiting_in_a_whole_stack() {
    let bulkhead = Bulkhead::builder("t04").max_in_flight(1).queue(1, secs(60)).build().unwrap();
    let (inner, dependency) = healthy();
    dependency.push(Step::err("down".into()));
    dependency.push(Step::ok(7).after(secs(1)));
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Timeout::total("t04", secs(60)).unwrap()))
        .layer(RetryLayer::new(RetryPolicy::new("t04")).idempotent())
        .layer(BreakerLayer::new(Breaker::new("t04")))
        .layer(BulkheadLayer::new(bulkhead.clone()))
        .layer(TimeoutLayer::new(Timeout::attempt("t04", secs(10)).unwrap()))
        .service(inner);
    let taken = bulkhead.try_admit().unwrap();
    let release = async {
        tokio::time::sleep(ms(1_000)).await;
        drop(taken);
    };

    let ((result, polls), ()) = tokio::join!(count_polls(service.oneshot(7)), release);

    assert_eq!((result.unwrap(), dependency.tally().calls), (7, 2));
    assert!(polls < 2 * FEW, "{polls} polls");
}
