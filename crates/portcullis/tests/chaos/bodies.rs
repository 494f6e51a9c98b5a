//! Over HTTP and gRPC, where responses have bodies.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt, Full, StreamBody};
use portcullis::{BoxError, Breaker, BreakerLayer, ChaosLayer, FailureKind, Registry};
use tokio::time::Instant;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

use super::support::{chaos, ms};

type Body = Full<Bytes>;

/// Answers with so many frames of ten bytes.
fn frames(
    count: usize,
) -> impl tower::Service<
    Request<()>,
    Response = Response<impl http_body::Body<Data = Bytes, Error = Infallible> + Unpin>,
    Error = BoxError,
    Future: Send,
> + Clone {
    service_fn(move |_: Request<()>| async move {
        let frame = || Ok(http_body::Frame::data(Bytes::from_static(b"0123456789")));
        let body = StreamBody::new(futures_util::stream::iter((0..count).map(move |_| frame())));
        Ok::<_, BoxError>(Response::new(body))
    })
}

#[tokio::test]
async fn a_body_breaks_off_and_the_breaker_sees_it() {
    let chaos = chaos().cut_body(1.0, 25).build().unwrap();
    let breaker = Breaker::builder("b").registry(&Registry::new()).build().unwrap();
    let service = ServiceBuilder::new()
        .layer(BreakerLayer::new(breaker.clone()).http_client())
        .layer(ChaosLayer::new(chaos).http_client())
        .service(frames(5));
    let mut body = service.oneshot(Request::new(())).await.unwrap().into_body();
    let mut read = 0;
    let error = loop {
        match body.frame().await.unwrap() {
            Ok(frame) => read += frame.into_data().unwrap().len(),
            Err(error) => break error,
        }
    };
    assert_eq!((read, error.to_string().as_str()), (20, "chaos 'chaos' made it fail: network"));
    assert_eq!(breaker.status().failures, 1);
}

/// A body of one frame, which ends with it.
#[tokio::test]
async fn a_short_body_breaks_off_too() {
    let inner = service_fn(|_: Request<()>| async { Ok::<_, BoxError>(Response::new(Body::from("whole"))) });
    let cut = ChaosLayer::new(chaos().cut_body(1.0, 4).build().unwrap()).http_client().layer(inner);
    cut.oneshot(Request::new(())).await.unwrap().into_body().collect().await.unwrap_err();
    let long_enough = ChaosLayer::new(chaos().cut_body(1.0, 5).build().unwrap()).http_client().layer(inner);
    let body = long_enough.oneshot(Request::new(())).await.unwrap().into_body();
    assert_eq!(body.collect().await.unwrap().to_bytes(), "whole");
}

#[tokio::test(start_paused = true)]
async fn a_body_comes_slowly() {
    let chaos = chaos().bandwidth(1.0, 100).build().unwrap();
    let service = ChaosLayer::new(chaos).http_client().layer(frames(6));
    let start = Instant::now();
    let body = service.oneshot(Request::new(())).await.unwrap().into_body();
    assert_eq!(body.collect().await.unwrap().to_bytes().len(), 60);
    // A tenth of a second for each frame that has gone through.
    assert_eq!(start.elapsed(), ms(600));
}

/// A body of one frame, which ends with it, takes as long as one of many.
#[tokio::test(start_paused = true)]
async fn a_body_of_one_frame_comes_slowly_too() {
    let chaos = chaos().bandwidth(1.0, 100).build().unwrap();
    let whole = || Body::from("0123456789".repeat(6));
    let inner = service_fn(|_: Request<()>| async move { Ok::<_, BoxError>(Response::new(whole())) });
    for service in [ChaosLayer::new(chaos.clone()).http_client(), ChaosLayer::new(chaos).http_client()] {
        let start = Instant::now();
        let mut body = service.layer(inner).oneshot(Request::new(())).await.unwrap().into_body();
        assert!(tokio::time::timeout(ms(500), body.frame()).await.is_err());
        assert!(!body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(60));
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap().len(), 60);
        assert!(body.is_end_stream() && body.frame().await.is_none());
        assert_eq!(start.elapsed(), ms(600));
    }
}

/// A dependency that pauses has not saved up for later.
#[tokio::test(start_paused = true)]
async fn what_comes_after_a_pause_comes_slowly_too() {
    let chaos = chaos().bandwidth(1.0, 100).build().unwrap();
    let inner = service_fn(|_: Request<()>| async move {
        let frames = futures_util::stream::unfold(0, |sent| async move {
            tokio::time::sleep(ms(if sent == 1 { 5000 } else { 0 })).await;
            let frame = http_body::Frame::data(Bytes::from_static(b"0123456789"));
            (sent < 3).then_some((Ok::<_, Infallible>(frame), sent + 1))
        });
        Ok::<_, BoxError>(Response::new(StreamBody::new(Box::pin(frames))))
    });
    let start = Instant::now();
    let body = ChaosLayer::new(chaos).http_client().layer(inner).oneshot(Request::new(())).await.unwrap();
    body.into_body().collect().await.unwrap();
    let took = start.elapsed();
    assert!((ms(5300)..=ms(5310)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn a_failure_has_the_status_of_its_kind() {
    let inner = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(Body::default())) });
    for (kind, status) in [
        (FailureKind::Timeout, 504),
        (FailureKind::RateLimited, 429),
        (FailureKind::Network, 502),
        (FailureKind::Unavailable, 503),
        (FailureKind::Internal, 500),
    ] {
        let layer = ChaosLayer::new(chaos().error(1.0, kind).build().unwrap()).http_server();
        let Ok(response) = layer.layer(inner).oneshot(Request::new(())).await;
        assert_eq!(response.status().as_u16(), status, "{kind:?}");
    }
}

#[tokio::test]
async fn and_the_grpc_status() {
    let inner = service_fn(|_: Request<()>| async { Ok::<_, BoxError>(Response::new(Body::default())) });
    for (kind, code) in
        [(FailureKind::Timeout, "4"), (FailureKind::Unavailable, "14"), (FailureKind::DataLoss, "15")]
    {
        let layer = ChaosLayer::new(chaos().error(1.0, kind).build().unwrap()).grpc();
        let response = layer.layer(inner).oneshot(Request::new(())).await.unwrap();
        assert_eq!(response.headers()["grpc-status"], code, "{kind:?}");
    }
}
