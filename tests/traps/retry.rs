//! Retries: what may go again, when, and how often.

use std::{collections::BTreeSet, convert::Infallible};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Method, Request, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use portcullis::{
    BoxError, Bulkhead, BulkheadLayer, RetryBudget, RetryLayer, RetryPolicy,
    retry::{Backoff, BudgetConfig, Idempotent, Jitter, ReplayBody},
};
use portcullis_testkit::script::{self, Handle, Scripted, Step};
use portcullis_tests::body::Bodies;
use tokio::time::Instant;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use crate::common::{failing, ms, secs, settle};

/// One wait of exactly this length between attempts.
fn every(wait: std::time::Duration) -> Backoff {
    Backoff::fixed(wait).jitter(Jitter::None)
}

/// The failed response is kept while waiting, and with it its connection and permit.
#[tokio::test(start_paused = true)]
async fn t21_a_failed_response_is_gone_before_the_wait() {
    let policy = RetryPolicy::builder("t21").max_attempts(2).backoff(every(secs(1))).build().unwrap();
    let (bulkhead, bodies) = (Bulkhead::new("t21"), Bodies::default());
    let made = bodies.clone();
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(policy).http_client())
        .layer(BulkheadLayer::new(bulkhead.clone()).http_client())
        .service_fn(move |_: Request<ReplayBody<String>>| {
            let answer = Response::builder().status(503).body(made.body("sorry")).unwrap();
            async { Ok::<_, BoxError>(answer) }
        });

    let call = tokio::spawn(service.oneshot(Request::get("/").body(String::new()).unwrap()));
    tokio::time::sleep(ms(500)).await;

    assert_eq!((bodies.held(), bulkhead.status().in_flight), (0, 0), "half way through the wait");
    let last = call.await.unwrap().unwrap();
    assert_eq!((bodies.held(), bulkhead.status().in_flight), (1, 1), "the last response is the caller's");
    drop(last);
    assert_eq!((bodies.held(), bulkhead.status().in_flight), (0, 0));
}

/// A budget of 51 % that grants 100 %.
#[tokio::test(start_paused = true)]
async fn t22_retries_stay_within_the_share_that_was_asked_for() {
    for percent in [0u32, 20, 51, 75, 90, 100] {
        let policy = RetryPolicy::builder("t22").max_attempts(10).backoff(Backoff::NONE);
        let policy = policy.budget_of(f64::from(percent) / 100.0, 0).build().unwrap();
        let (inner, dependency) = failing();
        let service = ServiceBuilder::new().layer(RetryLayer::new(policy).idempotent()).service(inner);

        for n in 0..1000 {
            service.clone().oneshot(n).await.unwrap_err();
        }

        let retries = dependency.tally().calls - 1000;
        assert_eq!(retries, 10 * percent as usize, "{percent} % of 1000 calls");
    }
}

/// The floor is a rate, not a right of each call; and a shared budget is one budget.
#[tokio::test(start_paused = true)]
async fn t22_the_floor_is_a_rate_and_a_shared_budget_is_one() {
    let budget = RetryBudget::new("t22", BudgetConfig::share(0.0, 10)).unwrap();
    let (inner, dependency) = failing();
    let service = |name| {
        let policy = RetryPolicy::builder(name).backoff(Backoff::NONE).budget(&budget).build().unwrap();
        ServiceBuilder::new().layer(RetryLayer::new(policy).idempotent()).service(inner.clone())
    };
    let mut services = [service("reads"), service("lists")];
    let mut retries_of_100_calls = async || {
        let before = dependency.tally().calls;
        for n in 0..100 {
            services[n % 2].ready().await.unwrap().call(1).await.unwrap_err();
        }
        dependency.tally().calls - before - 100
    };

    assert_eq!(retries_of_100_calls().await, 10, "saved up");
    assert_eq!(retries_of_100_calls().await, 0, "spent");
    tokio::time::sleep(ms(500)).await;
    assert_eq!(retries_of_100_calls().await, 5, "half a second later");
}

/// When the second attempts of so many concurrent calls came.
async fn second_attempts(calls: u32, backoff: Backoff) -> Vec<std::time::Duration> {
    let policy = RetryPolicy::builder("t23").max_attempts(2).backoff(backoff).budget_of(1.0, 1000);
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(policy.build().unwrap()).idempotent())
        .service(failing().0);
    let before = Instant::now();
    let calls = (0..calls).map(|n| tokio::spawn(service.clone().oneshot(n).map(move |_| before.elapsed())));
    futures_util::future::join_all(calls).await.into_iter().map(Result::unwrap).collect()
}

/// Five concurrent calls that all wait 151 ms.
#[tokio::test(start_paused = true)]
async fn t23_concurrent_calls_wait_differently() {
    let day = secs(24 * 60 * 60);

    let waits = second_attempts(5, Backoff { base: day, cap: day, ..Backoff::default() }).await;

    assert_eq!(waits.iter().collect::<BTreeSet<_>>().len(), 5, "{waits:?}");
}

/// Jitter that is lost at the cap: 97 % of the clients come back exactly then.
#[tokio::test(start_paused = true)]
async fn t23_waits_at_the_cap_are_spread_below_it() {
    let capped = Backoff { base: secs(1000), cap: secs(20), ..Backoff::default() };

    let waits = second_attempts(1000, capped).await;

    assert!(waits.iter().all(|wait| *wait <= secs(20) + ms(1)));
    let late = waits.iter().filter(|wait| **wait > secs(19)).count();
    assert!((10..200).contains(&late), "{late} of 1000 in the last twentieth");
}

type Shop = Scripted<Request<ReplayBody<String>>, Response<String>, BoxError>;
type ShopHandle = Handle<Request<ReplayBody<String>>, Response<String>, BoxError>;

/// A shop that answers every request by 503, with these headers.
fn unavailable(headers: &'static [(header::HeaderName, &str)]) -> (Shop, ShopHandle) {
    script::always(move |_: &Request<ReplayBody<String>>| {
        let answer = Response::builder().status(StatusCode::SERVICE_UNAVAILABLE);
        let answer = headers.iter().fold(answer, |answer, (name, value)| answer.header(name, *value));
        Step::ok(answer.body(String::new()).unwrap())
    })
}

fn request(method: Method) -> Request<String> {
    Request::builder().method(method).uri("/orders").body("order 17".into()).unwrap()
}

/// A payment that was made twice.
#[tokio::test(start_paused = true)]
async fn t34_post_goes_again_only_when_somebody_said_that_it_may() {
    let attempts = async |request| {
        let (shop, handle) = unavailable(&[]);
        let layer = RetryLayer::new(RetryPolicy::new("t34")).http_client();
        let answer = ServiceBuilder::new().layer(layer).service(shop).oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 503);
        handle.tally().calls
    };
    let mut with_key = request(Method::POST);
    with_key.headers_mut().insert("idempotency-key", "17".parse().unwrap());
    let mut marked = request(Method::POST);
    marked.extensions_mut().insert(Idempotent);

    assert_eq!(attempts(request(Method::POST)).await, 1);
    assert_eq!(attempts(request(Method::PATCH)).await, 1);
    assert_eq!(attempts(request("PROPFIND".parse().unwrap())).await, 1);
    assert_eq!(attempts(request(Method::GET)).await, 3);
    assert_eq!(attempts(request(Method::PUT)).await, 3);
    assert_eq!(attempts(with_key).await, 3);
    assert_eq!(attempts(marked).await, 3);
}

/// Nor does it go again when the connection broke half way, but it does when it never left.
#[tokio::test(start_paused = true)]
async fn t34_post_goes_again_when_it_was_never_sent() {
    for (kind, attempts) in
        [(std::io::ErrorKind::ConnectionReset, 1), (std::io::ErrorKind::ConnectionRefused, 3)]
    {
        let (shop, handle) = unavailable(&[]);
        handle.otherwise(move |_| Step::err(Box::new(std::io::Error::from(kind))));
        let layer = RetryLayer::new(RetryPolicy::new("t34")).http_client();

        let answer = ServiceBuilder::new().layer(layer).service(shop).oneshot(request(Method::POST)).await;

        assert!(answer.is_err());
        assert_eq!(handle.tally().calls, attempts, "{kind:?}");
    }
}

/// "Come back in two seconds", and it comes back in two milliseconds.
#[tokio::test(start_paused = true)]
async fn t35_retry_after_is_kept() {
    let (attempts, waited) = attempts_and_wait(&[(header::RETRY_AFTER, "2")], None).await;

    assert_eq!(attempts, 2);
    assert!((secs(2)..secs(3)).contains(&waited), "{waited:?}");
}

/// "Come back in an hour", and it sleeps for an hour.
#[tokio::test(start_paused = true)]
async fn t35_retry_after_is_not_trusted_blindly() {
    for hours in [&[(header::RETRY_AFTER, "3600")], &[(header::RETRY_AFTER, "99999999999999999999")]] {
        let (attempts, waited) = attempts_and_wait(hours, None).await;
        assert_eq!((attempts, waited.as_secs()), (2, 30), "no longer than the longest wait allowed");

        let (attempts, waited) = attempts_and_wait(hours, Some(secs(10))).await;
        assert_eq!((attempts, waited), (1, ms(0)), "it would come too late: no wait at all");
    }
}

async fn attempts_and_wait(
    headers: &'static [(header::HeaderName, &str)],
    total: Option<std::time::Duration>,
) -> (usize, std::time::Duration) {
    let policy = RetryPolicy::builder("t35").max_attempts(2).backoff(every(ms(2)));
    let policy = total.into_iter().fold(policy, portcullis::retry::RetryBuilder::total_time).build().unwrap();
    let (shop, handle) = unavailable(headers);
    let service = ServiceBuilder::new().layer(RetryLayer::new(policy).http_client()).service(shop);
    let before = Instant::now();

    assert_eq!(service.oneshot(request(Method::GET)).await.unwrap().status(), 503);

    (handle.tally().calls, before.elapsed())
}

/// A body that cannot be had twice, and the request is not sent at all.
#[tokio::test(start_paused = true)]
async fn t36_a_stream_is_sent_whole_and_once_when_it_is_too_long_to_keep() {
    let (sent, answer) = upload(100 * 1024).await;

    assert_eq!(sent, [100 * 1024]);
    assert_eq!(answer.unwrap(), StatusCode::SERVICE_UNAVAILABLE, "the answer of that one attempt");
}

/// One that is short enough goes again, whole each time.
#[tokio::test(start_paused = true)]
async fn t36_a_stream_is_sent_again_when_it_is_short() {
    let (sent, answer) = upload(60 * 1024).await;

    assert_eq!(sent, [60 * 1024; 3]);
    assert_eq!(answer.unwrap(), StatusCode::SERVICE_UNAVAILABLE);
}

/// T29: a buffer of nothing, or of everything.
#[tokio::test(start_paused = true)]
async fn t29_a_replay_buffer_may_have_any_size() {
    for (bytes, attempts) in [(0, 1), (usize::MAX, 3)] {
        let (shop, handle) = unavailable(&[]);
        let layer = RetryLayer::new(RetryPolicy::new("t29")).http_client().max_buffered(bytes);

        ServiceBuilder::new().layer(layer).service(shop).oneshot(request(Method::PUT)).await.unwrap();

        assert_eq!(handle.tally().calls, attempts);
    }
}

/// Puts a stream of so many bytes to a shop that reads it and fails; the bytes that came, by attempt.
async fn upload(bytes: usize) -> (Vec<usize>, Result<StatusCode, BoxError>) {
    let (came, mut received) = tokio::sync::mpsc::unbounded_channel();
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(RetryPolicy::new("t36")).http_client())
        .service(service_fn(move |request: Request<ReplayBody<_>>| {
            let came = came.clone();
            async move {
                came.send(request.into_body().collect().await?.to_bytes().len())?;
                Ok::<_, BoxError>(Response::builder().status(503).body(String::new())?)
            }
        }));
    let kibibytes =
        (0..bytes / 1024).map(|_| Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[7; 1024]))));
    let body = StreamBody::new(futures_util::stream::iter(kibibytes.collect::<Vec<_>>()));

    let answer = service.oneshot(Request::put("/upload").body(body).unwrap()).await;

    settle().await;
    (std::iter::from_fn(|| received.try_recv().ok()).collect(), answer.map(|answer| answer.status()))
}
