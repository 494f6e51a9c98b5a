//! The span of one call.

use std::{panic::AssertUnwindSafe, task::Poll, time::Duration};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use portcullis::{
    BoxError, Breaker, BreakerLayer, Bulkhead, BulkheadLayer, FailureKind, ObserveLayer, Registry,
    protocol::Attempt,
};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tracing::info;

use crate::{
    capture::Capture,
    support::{Body, answer, get, observer},
};

/// Logs while it is called, and while its future is polled.
fn says() -> impl Service<Request<Body>, Response = Response<Body>, Error = BoxError, Future: Send> + Clone {
    service_fn(|_: Request<Body>| {
        info!("called");
        let mut polls = 0;
        std::future::poll_fn(move |cx| {
            polls += 1;
            info!("polled");
            cx.waker().wake_by_ref();
            if polls < 2 { Poll::Pending } else { Poll::Ready(Ok(answer(StatusCode::OK))) }
        })
    })
}

#[tokio::test]
async fn whatever_runs_for_a_call_is_inside_of_its_span() {
    let (capture, _guard) = Capture::start();
    let service = ObserveLayer::calls(observer(&Registry::new())).http_client().layer(says());

    let response = service.oneshot(get()).await.unwrap();
    info!("between");
    assert_eq!(capture.tree(), ["call  (open): called, polled, polled"], "its body goes on");
    response.into_body().collect().await.unwrap();

    assert_eq!(capture.tree(), ["call success: called, polled, polled"]);
    assert_eq!(capture.outside(), ["between"]);
    let span = &capture.spans()[0];
    assert_eq!(
        (span.field("policy"), span.field("request"), span.field("status")),
        ("shop", "/stock", "200")
    );
    assert_eq!((span.field("duration_ms"), span.field("otel.status_code")), ("", ""));
}

/// A body that logs when it is read.
struct Says(u32);

impl http_body::Body for Says {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        info!("read");
        self.0 -= 1;
        Poll::Ready((self.0 > 0).then(|| Ok(Frame::data(Bytes::from("tea")))))
    }
}

#[tokio::test]
async fn the_body_is_read_inside_of_both_spans_and_they_end_with_it() {
    let (capture, _guard) = Capture::start();
    let observer = observer(&Registry::new());
    let service = ServiceBuilder::new()
        .layer(ObserveLayer::calls(observer.clone()).http_server())
        .layer(ObserveLayer::attempts(observer.clone()).http_server())
        .service(service_fn(|_: Request<Body>| async { Ok::<_, BoxError>(Response::new(Says(2))) }));

    let mut body = service.oneshot(get()).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    assert_eq!(capture.tree(), ["call  (open): ", ".attempt  (open): read"]);
    assert_eq!((observer.status().calls.in_flight, observer.status().attempts.in_flight), (1, 1));
    assert!(body.frame().await.is_none());

    assert_eq!(capture.tree(), ["call success: ", ".attempt success: read, read"]);
    assert_eq!((observer.status().calls.in_flight, observer.status().calls.successes), (0, 1));
}

#[tokio::test]
async fn a_failure_is_told_with_its_kind() {
    let (capture, _guard) = Capture::start();
    let fails = service_fn(|_: Request<Body>| async { Ok::<_, BoxError>(answer(StatusCode::BAD_GATEWAY)) });
    let service = ObserveLayer::attempts(observer(&Registry::new())).http_client().layer(fails);
    let mut request = get();
    request.extensions_mut().insert(Attempt::retry(2, FailureKind::Timeout));

    drop(service.oneshot(request).await.unwrap());

    let span = &capture.spans()[0];
    assert_eq!((span.name, span.field("attempt"), span.field("after")), ("attempt", "2", "timeout"));
    assert_eq!((span.field("outcome"), span.field("failure")), ("failure", "network"));
    assert_eq!((span.field("status"), span.field("otel.status_code")), ("502", "ERROR"));
    assert!(span.closed);
}

/// The decision record is in the span of what was refused, and of what came of it.
#[tokio::test]
async fn a_refusal_is_told_with_all_that_was_known() {
    let (capture, _guard) = Capture::start();
    let registry = Registry::new();
    let breaker = Breaker::builder("stock").registry(&registry).build().unwrap();
    let service = ServiceBuilder::new()
        .layer(ObserveLayer::calls(observer(&registry)).http_client())
        .layer(BreakerLayer::new(breaker).http_client())
        .service(service_fn(|_: Request<Body>| async {
            Ok::<_, BoxError>(answer(StatusCode::GATEWAY_TIMEOUT))
        }));
    for _ in 0..5 {
        drop(service.clone().oneshot(get()).await.unwrap());
    }
    service.oneshot(get()).await.unwrap_err();

    let refused = capture.spans().pop().unwrap();
    let record = [
        ("outcome", "rejected"),
        ("refused_by", "stock"),
        ("refused_kind", "breaker"),
        ("reason", "open"),
        ("state", "open"),
        ("rule", "consecutive_failures"),
        ("limit", "5.0"),
        ("failure_ratio", "1.0"),
        ("calls", "5"),
        ("last_failure", "timeout"),
    ];
    for (field, value) in record {
        assert_eq!(refused.field(field), value, "{field}");
    }
    assert!(refused.field("retry_after_ms").parse::<u64>().unwrap() > 4000);
}

/// A server answers what it refuses by a response, and the span knows it from what the handlers answer.
#[tokio::test]
async fn a_refusal_by_a_response_is_told_too() {
    let (capture, _guard) = Capture::start();
    let registry = Registry::new();
    let bulkhead = Bulkhead::builder("room").max_in_flight(1).registry(&registry).build().unwrap();
    let _taken = bulkhead.try_admit().unwrap();
    let observer = observer(&registry);
    let service = ServiceBuilder::new()
        .layer(ObserveLayer::calls(observer.clone()).http_server())
        .layer(BulkheadLayer::new(bulkhead).http_server())
        .service(service_fn(|_: Request<Body>| async { Ok::<_, BoxError>(answer(StatusCode::OK)) }));

    drop(service.oneshot(get()).await.unwrap());

    let span = &capture.spans()[0];
    assert_eq!((span.field("outcome"), span.field("status")), ("rejected", "503"));
    assert_eq!((span.field("refused_by"), span.field("reason")), ("room", "full"));
    assert_eq!(span.field("detail"), "is full: 1 in flight, 0 queued");
    assert_eq!((observer.status().calls.rejected, observer.status().calls.failures), (1, 0));
}

#[tokio::test]
async fn a_call_that_is_dropped_is_abandoned() {
    let (capture, _guard) = Capture::start();
    let observer = observer(&Registry::new());
    let waits = service_fn(|()| std::future::pending::<Result<(), BoxError>>());
    let mut call = Box::pin(ObserveLayer::calls(observer.clone()).layer(waits).oneshot(()));
    assert!(call.as_mut().now_or_never().is_none());
    assert_eq!((capture.tree(), observer.status().calls.in_flight), (vec!["call  (open): ".to_owned()], 1));
    drop(call);
    assert_eq!(capture.tree(), ["call abandoned: "]);
    assert_eq!((observer.status().calls.abandoned, observer.status().calls.in_flight), (1, 0));
}

/// A panic leaves no span entered, nor open.
#[tokio::test]
async fn a_panic_is_a_failure_and_goes_on() {
    let (capture, _guard) = Capture::start();
    let observer = observer(&Registry::new());
    let polled = service_fn(|panics: bool| {
        assert!(!panics, "when it is called");
        async { panic!("when it is polled") as Result<(), BoxError> }
    });
    for panics in [false, true] {
        let service = ObserveLayer::calls(observer.clone()).layer(polled);
        AssertUnwindSafe(service.oneshot(panics)).catch_unwind().await.unwrap_err();
    }
    info!("after");
    assert_eq!(capture.tree(), ["call failure: ", "call failure: "]);
    assert_eq!(capture.spans()[0].field("failure"), "panic");
    assert_eq!(capture.outside(), ["after"]);
    assert_eq!((observer.status().calls.failures, observer.status().calls.in_flight), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn the_span_of_a_call_is_within_the_current_one() {
    let (capture, _guard) = Capture::start();
    let service = ObserveLayer::calls(observer(&Registry::new())).layer(service_fn(|()| async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok::<_, BoxError>(())
    }));
    let around = tracing::info_span!("around");
    tracing::Instrument::instrument(service.oneshot(()), around).await.unwrap();
    assert_eq!(capture.tree(), ["around : ", ".call success: "]);
}

/// What a subscriber does not want is not made, and nothing else is lost.
#[tokio::test]
async fn a_subscriber_may_leave_them_out() {
    let capture = Capture::default();
    let filter = tracing_subscriber::filter::LevelFilter::WARN;
    let subscriber = tracing_subscriber::layer::SubscriberExt::with(
        tracing_subscriber::registry(),
        tracing_subscriber::Layer::with_filter(capture.clone(), filter),
    );
    let _guard = tracing::subscriber::set_default(subscriber);
    let observer = observer(&Registry::new());
    observer.call(|| async { Ok::<_, BoxError>(()) }).await.unwrap();
    assert_eq!((capture.spans().len(), observer.status().calls.successes), (0, 1));
}
