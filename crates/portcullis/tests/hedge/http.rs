//! Hedging over HTTP and gRPC.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Empty, Full};
use portcullis::{
    BoxError, Bulkhead, BulkheadLayer, HedgeLayer, Registry, RetryLayer, RetryPolicy,
    protocol::{Attempt, Deadline},
    retry::{Backoff, ReplayBody},
};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use super::support::{hedge, ms};

type Answer = Response<Full<Bytes>>;

/// Attempts by number, each with how long it takes and what it answers.
fn upstream<B>(
    answer: impl Fn(u32) -> (u64, http::response::Builder) + Send + Sync + 'static,
) -> (impl Service<Request<B>, Response = Answer, Error = BoxError, Future: Send> + Clone, Arc<AtomicU32>)
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let (attempts, answer) = (Arc::new(AtomicU32::new(0)), Arc::new(answer));
    let seen = attempts.clone();
    let service = service_fn(move |request: Request<B>| {
        let attempt = seen.fetch_add(1, SeqCst) + 1;
        let (after, builder) = answer(attempt);
        async move {
            let told = Attempt::of(&request);
            let previous = request.headers().get("grpc-previous-rpc-attempts").cloned();
            let body = request.into_body().collect().await.map_err(Into::into)?.to_bytes();
            tokio::time::sleep(ms(after)).await;
            let mut response = builder.body(Full::new(body)).unwrap();
            response.extensions_mut().insert(told);
            if let Some(previous) = previous {
                response.headers_mut().insert("previous", previous);
            }
            Ok(response)
        }
    });
    (service, attempts)
}

fn status(status: u16) -> http::response::Builder {
    Response::builder().status(status)
}

fn get() -> Request<Full<Bytes>> {
    Request::get("/stock/7").body(Full::default()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_get_is_hedged_with_its_number_and_a_post_is_not() {
    let (service, attempts) = upstream(|attempt| (if attempt == 1 { 500 } else { 5 }, status(200)));
    let hedge = hedge().build().unwrap();
    let service = ServiceBuilder::new().layer(HedgeLayer::new(hedge).http_client()).service(service);
    let response = service.clone().oneshot(get()).await.unwrap();
    assert_eq!(response.extensions().get(), Some(&Attempt::hedge(2)));

    attempts.store(0, SeqCst);
    let post = |key: Option<&str>| {
        let request = Request::post("/orders").header("x", "y");
        let request = key.into_iter().fold(request, |request, key| request.header("idempotency-key", key));
        request.body(Full::new(Bytes::from("one"))).unwrap()
    };
    service.clone().oneshot(post(None)).await.unwrap();
    assert_eq!(attempts.swap(0, SeqCst), 1);

    let response = service.oneshot(post(Some("k"))).await.unwrap();
    assert_eq!(attempts.load(SeqCst), 2);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "one", "the hedge had the body too");
}

#[tokio::test(start_paused = true)]
async fn a_failed_response_is_no_answer_while_another_runs() {
    let (service, attempts) = upstream(|attempt| match attempt {
        1 => (100, status(200)),
        _ => (5, status(503)),
    });
    let service =
        ServiceBuilder::new().layer(HedgeLayer::new(hedge().build().unwrap()).http_client()).service(service);
    assert_eq!(service.oneshot(get()).await.unwrap().status(), 200);
    assert_eq!(attempts.load(SeqCst), 2);
}

/// It would hold the permit that the next one needs.
#[tokio::test(start_paused = true)]
async fn a_failed_response_is_dropped_before_the_next_attempt() {
    let (service, _) = upstream(|attempt| (5, status(if attempt == 1 { 503 } else { 200 })));
    let bulkhead =
        Bulkhead::builder("one").max_in_flight(1).queue(1, Duration::from_secs(1)).build().unwrap();
    let service = ServiceBuilder::new()
        .layer(HedgeLayer::new(hedge().build().unwrap()).http_client())
        .layer(BulkheadLayer::new(bulkhead.clone()).http_client())
        .service(service);
    let put = Request::put("/stock/7").body(Full::new(Bytes::from("eight"))).unwrap();
    let response = service.oneshot(put).await.unwrap();
    assert_eq!((response.status().as_u16(), bulkhead.status().in_flight), (200, 1));
}

#[tokio::test(start_paused = true)]
async fn retry_after_says_when_the_next_is_sent() {
    let (service, _) = upstream(|attempt| match attempt {
        1 => (0, status(503).header("retry-after", "2")),
        _ => (0, status(200)),
    });
    let service =
        ServiceBuilder::new().layer(HedgeLayer::new(hedge().build().unwrap()).http_client()).service(service);
    let start = tokio::time::Instant::now();
    assert_eq!(service.oneshot(get()).await.unwrap().status(), 200);
    assert_eq!(start.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_past_the_deadline() {
    let (service, attempts) = upstream(|_| (100, status(200)));
    let hedge = hedge().build().unwrap();
    let service = ServiceBuilder::new().layer(HedgeLayer::new(hedge.clone()).http_client()).service(service);
    for (deadline, sent) in [(15, 1), (20, 1), (25, 2)] {
        attempts.store(0, SeqCst);
        let mut request = get();
        request.extensions_mut().insert(Deadline::after(ms(deadline)));
        service.clone().oneshot(request).await.unwrap();
        assert_eq!(attempts.load(SeqCst), sent, "{deadline} ms");
    }
    assert_eq!(hedge.status().over_time, 2);
}

/// And a wait that would end after it is not begun: the failure is returned at once.
#[tokio::test(start_paused = true)]
async fn nothing_is_waited_for_past_the_deadline() {
    let (service, attempts) = upstream(|_| (0, status(503).header("retry-after", "2")));
    let service =
        ServiceBuilder::new().layer(HedgeLayer::new(hedge().build().unwrap()).http_client()).service(service);
    let mut request = get();
    request.extensions_mut().insert(Deadline::after(Duration::from_secs(1)));
    let start = tokio::time::Instant::now();
    assert_eq!(service.oneshot(request).await.unwrap().status(), 503);
    assert_eq!((attempts.load(SeqCst), start.elapsed().as_millis() < 5), (1, true));
}

#[tokio::test(start_paused = true)]
async fn a_grpc_hedge_says_how_many_were_before_it() {
    let (service, attempts) = upstream(|attempt| {
        let builder = status(200).header(CONTENT_TYPE, "application/grpc");
        (if attempt == 1 { 500 } else { 5 }, builder)
    });
    let layer = HedgeLayer::new(hedge().build().unwrap()).grpc();
    let call = || Request::post("/shop.Shop/Get").header(CONTENT_TYPE, "application/grpc");
    let request = || call().body(Empty::<Bytes>::new()).unwrap();
    let service = ServiceBuilder::new().layer(layer.clone().idempotent()).service(service);
    let response = service.oneshot(request()).await.unwrap();
    assert_eq!((attempts.load(SeqCst), &response.headers()["previous"]), (2, &"1".parse().unwrap()));

    let (service, attempts) = upstream(|_| (100, status(200)));
    ServiceBuilder::new().layer(layer).service(service).oneshot(request()).await.unwrap();
    assert_eq!(attempts.load(SeqCst), 1, "no gRPC call says of itself that it is idempotent");
}

/// Trailers-only: a status in the head is judged; a negative pushback forbids the next.
#[tokio::test(start_paused = true)]
async fn a_grpc_status_in_the_head_is_judged() {
    for (pushback, expected) in [(None, 3), (Some("-1"), 1)] {
        let (service, attempts) = upstream(move |_| {
            let builder = status(200).header(CONTENT_TYPE, "application/grpc").header("grpc-status", "14");
            (
                0,
                pushback
                    .into_iter()
                    .fold(builder, |builder, ms| builder.header("grpc-retry-pushback-ms", ms)),
            )
        });
        let layer = HedgeLayer::new(hedge().max_attempts(3).build().unwrap()).grpc().idempotent();
        let request = Request::post("/shop.Shop/Get").body(Empty::<Bytes>::new()).unwrap();
        let response = ServiceBuilder::new().layer(layer).service(service).oneshot(request).await.unwrap();
        assert_eq!(response.headers()["grpc-status"], "14");
        assert_eq!(attempts.load(SeqCst), expected, "{pushback:?}");
    }
}

/// Inside a retry, the number goes on where the retry's ended.
#[tokio::test(start_paused = true)]
async fn inside_a_retry_the_numbers_go_on() {
    let (service, _) = upstream::<ReplayBody<ReplayBody<Full<Bytes>>>>(|attempt| match attempt {
        1 => (0, status(503)),
        2 => (0, status(503)),
        3 => (500, status(200)),
        _ => (0, status(200)),
    });
    let retry = RetryPolicy::builder("outer").backoff(Backoff::NONE).build().unwrap();
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(retry).http_client())
        .layer(HedgeLayer::new(hedge().build().unwrap()).http_client())
        .service(service);
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!(response.extensions().get(), Some(&Attempt::hedge(3)));
}

/// A server's own error type stays.
#[tokio::test(start_paused = true)]
async fn a_gateway_hedges_too() {
    let attempts = Arc::new(AtomicU32::new(0));
    let seen = attempts.clone();
    let inner = service_fn(move |_: Request<ReplayBody<Full<Bytes>>>| {
        let attempt = seen.fetch_add(1, SeqCst) + 1;
        async move {
            tokio::time::sleep(ms(if attempt == 1 { 500 } else { 5 })).await;
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("here"))))
        }
    });
    let layer = HedgeLayer::new(hedge().build().unwrap()).http_server();
    let response: Result<_, Infallible> =
        ServiceBuilder::new().layer(layer).service(inner).oneshot(get()).await;
    assert_eq!((response.unwrap().status().as_u16(), attempts.load(SeqCst)), (200, 2));
}

/// It was forgotten for the response that failed after it, which cannot be kept.
#[tokio::test(start_paused = true)]
async fn an_error_is_returned_rather_than_a_refusal() {
    let full = Bulkhead::builder("full").max_in_flight(1).registry(&Registry::new()).build().unwrap();
    let _taken = full.try_admit().unwrap();
    let hedge = hedge().fixed_delay(ms(10)).max_attempts(3).build().unwrap();
    let service = HedgeLayer::new(hedge).http_client().layer(service_fn(
        move |request: Request<ReplayBody<Full<Bytes>>>| {
            let full = full.clone();
            async move {
                let number = Attempt::of(&request).number();
                tokio::time::sleep(ms(50 * u64::from(number))).await;
                match number {
                    1 => Err(BoxError::from(std::io::Error::from(std::io::ErrorKind::ConnectionReset))),
                    2 => Ok(status(500).body(Full::<Bytes>::default())?),
                    _ => Err(full.try_admit().unwrap_err().into()),
                }
            }
        },
    ));
    let error = service.oneshot(get()).await.unwrap_err();
    assert_eq!(error.to_string(), "connection reset");
}
