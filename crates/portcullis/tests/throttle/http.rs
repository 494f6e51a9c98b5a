//! Over HTTP and gRPC.

use std::{
    any::Any,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use ::http::{Request, Response, StatusCode};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full, combinators::BoxBody};
use portcullis::{BoxError, Throttle, ThrottleLayer};
use tokio::time::sleep;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use super::support::{SECOND, refused_by_dependency, throttle};

type Body = BoxBody<Bytes, Infallible>;

fn request() -> Request<Empty<Bytes>> {
    Request::builder().header("content-type", "application/grpc").body(Empty::new()).unwrap()
}

fn response(status: u16, grpc: Option<&str>, body: Body) -> Response<Body> {
    let mut response = Response::builder().status(status).header("content-type", "application/grpc");
    if let Some(code) = grpc {
        response = response.header("grpc-status", code);
    }
    response.body(body).unwrap()
}

/// Requests, accepted ones, and those that hang.
fn seen(throttle: &Throttle) -> (u64, u64, u64) {
    let status = throttle.status();
    (status.requests, status.accepted, status.hanging)
}

#[tokio::test(start_paused = true)]
async fn a_status_says_whether_it_was_accepted() {
    for (status, accepted) in [(200, 1), (404, 1), (500, 1), (501, 1), (429, 0), (503, 0), (504, 0)] {
        let throttle = throttle();
        let service = ServiceBuilder::new()
            .layer(ThrottleLayer::new(throttle.clone()).http_client())
            .service(service_fn(move |_: Request<Empty<Bytes>>| async move {
                Ok::<_, BoxError>(response(status, None, Full::default().boxed()))
            }));
        let answer = service.oneshot(request()).await.unwrap();
        assert_eq!((answer.status().as_u16(), seen(&throttle)), (status, (1, accepted, 0)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_grpc_status_says_it_too() {
    for (code, accepted) in [("0", 1), ("13", 1), ("5", 1), ("8", 0), ("14", 0), ("4", 0)] {
        let throttle = throttle();
        let service = ServiceBuilder::new().layer(ThrottleLayer::new(throttle.clone()).grpc()).service(
            service_fn(move |_: Request<Empty<Bytes>>| async move {
                Ok::<_, BoxError>(response(200, Some(code), Full::default().boxed()))
            }),
        );
        service.oneshot(request()).await.unwrap();
        assert_eq!(seen(&throttle), (1, accepted, 0), "{code}");
    }
}

/// A body without an end.
struct Endless;

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// Opens a stream, and keeps it.
async fn open<S>(service: S) -> Box<dyn Any>
where
    S: Service<Request<Empty<Bytes>>, Response: 'static, Error: std::fmt::Debug>,
{
    Box::new(service.oneshot(request()).await.unwrap())
}

/// What is answered is accepted, and does not hang, for however long the answer is read.
#[tokio::test(start_paused = true)]
async fn streams_that_run_for_hours_are_no_outage() {
    for grpc in [false, true] {
        let throttle = throttle();
        let inner = service_fn(|_: Request<Empty<Bytes>>| async {
            Ok::<_, BoxError>(response(200, None, Endless.boxed()))
        });
        let mut streams = Vec::new();
        for _ in 0..50 {
            let layer = ThrottleLayer::new(throttle.clone());
            streams.push(if grpc {
                open(ServiceBuilder::new().layer(layer.grpc()).service(inner)).await
            } else {
                open(ServiceBuilder::new().layer(layer.http_client()).service(inner)).await
            });
            sleep(SECOND).await;
        }
        let accepted = if grpc { 0 } else { 50 };
        assert_eq!((seen(&throttle), throttle.status().chance), ((accepted, accepted, 0), 0.0));
        drop(streams);
        assert_eq!(throttle.status().ignored_total, if grpc { 50 } else { 0 });
    }
}

#[tokio::test(start_paused = true)]
async fn on_a_server_it_answers_in_the_protocol() {
    let throttle = throttle();
    refused_by_dependency(&throttle, 50);
    let service = ServiceBuilder::new().layer(ThrottleLayer::new(throttle).http_server()).service(
        service_fn(|_: Request<Empty<Bytes>>| async {
            Ok::<_, Infallible>(response(200, None, Full::default().boxed()))
        }),
    );
    let mut refused = None;
    for _ in 0..100 {
        let plain = Request::new(Empty::new());
        let answer = service.clone().oneshot(plain).await.unwrap();
        if answer.status() != StatusCode::OK {
            refused = Some(answer);
        }
    }
    let refused = refused.unwrap();
    assert!(refused.status().is_server_error() || refused.status() == StatusCode::TOO_MANY_REQUESTS);
    let text = refused.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&text).contains("throttle"));
}
