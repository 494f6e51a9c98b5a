//! gRPC calls that are retried by their code, and what each attempt tells of itself.

use bytes::Bytes;
use http::{HeaderName, Request, Response};
use http_body_util::Full;
use portcullis::{
    BoxError, FailureKind, GrpcCode, RetryLayer,
    protocol::{Attempt, Tried},
    retry::{ReplayBody, RetryBuilder, Stop},
};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::support::{Seen, ms, policy};

/// Makes a call that ends with this code, trailers only; how many attempts that were.
async fn attempts_at(code: GrpcCode, builder: RetryBuilder) -> (usize, portcullis::RetryPolicy) {
    let retries = builder.build().unwrap();
    let seen = Seen::default();
    let log = seen.clone();
    let response = ServiceBuilder::new()
        .layer(RetryLayer::new(retries.clone()).grpc())
        .service(service_fn(move |_: Request<ReplayBody<Full<Bytes>>>| {
            log.push(());
            let response =
                Response::builder().header("grpc-status", code as u32).body(Full::<Bytes>::default());
            async { response.map_err(BoxError::from) }
        }))
        .oneshot(Request::post("/shop.Orders/Place").body(Full::default()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.headers()["grpc-status"], (code as u8).to_string());
    (seen.all().len(), retries)
}

#[tokio::test(start_paused = true)]
async fn listed_codes_are_retried_whatever_they_mean() {
    let listed = [GrpcCode::Aborted, GrpcCode::NotFound, GrpcCode::Unavailable];
    for code in GrpcCode::ALL {
        let expected = if listed.contains(&code) { 3 } else { 1 };
        let (attempts, retries) = attempts_at(code, policy(ms(1)).grpc_codes(listed)).await;
        assert_eq!(attempts, expected, "{code}");
        let failed = !matches!(code, GrpcCode::Ok);
        if !failed {
            assert_eq!(retries.status().stopped(Stop::NotRetryable), 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_list_nothing_is_that_may_have_been_processed() {
    for code in GrpcCode::ALL {
        assert_eq!(attempts_at(code, policy(ms(1))).await.0, 1, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_tell_which_they_are() {
    let seen = Seen::default();
    let log = seen.clone();
    let header = HeaderName::from_static("x-attempts-before");
    let name = header.clone();
    let service = ServiceBuilder::new()
        .layer(
            RetryLayer::new(policy(ms(1)).build().unwrap())
                .http_client()
                .attempt_header(header)
                .avoid_tried(),
        )
        .service(service_fn(move |request: Request<ReplayBody<Full<Bytes>>>| {
            let attempt = Attempt::of(&request);
            let told = request.headers().get(&name).map(|told| told.to_str().unwrap().to_owned());
            let tried = request.extensions().get::<Tried>().expect("it was asked for");
            let before = (0..3).filter(|n| tried.contains(&n.to_string())).count();
            tried.add(before.to_string());
            log.push((attempt.number(), attempt.after(), told, before));
            async { Response::builder().status(502).body(Full::<Bytes>::default()).map_err(BoxError::from) }
        }));

    service.oneshot(Request::get("/").body(Full::default()).unwrap()).await.unwrap();

    let network = Some(FailureKind::Network);
    let told = |n: &str| Some(n.to_owned());
    assert_eq!(seen.all(), [(1, None, None, 0), (2, network, told("1"), 1), (3, network, told("2"), 2)]);
}

#[tokio::test(start_paused = true)]
async fn grpc_has_a_header_of_its_own() {
    let seen = Seen::default();
    let log = seen.clone();
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(policy(ms(1)).build().unwrap()).grpc().idempotent())
        .service(service_fn(move |request: Request<ReplayBody<Full<Bytes>>>| {
            let told = request.headers().get("grpc-previous-rpc-attempts").cloned();
            log.push(told.map(|told| told.to_str().unwrap().to_owned()));
            let response = Response::builder().header("grpc-status", "14").body(Full::<Bytes>::default());
            async { response.map_err(BoxError::from) }
        }));

    service.oneshot(Request::post("/").body(Full::default()).unwrap()).await.unwrap();

    assert_eq!(seen.all(), [None, Some("1".to_owned()), Some("2".to_owned())]);
}

/// Each layer began a list of its own, and went again to where the one above had just failed.
#[tokio::test(start_paused = true)]
async fn what_was_tried_is_known_through_layers() {
    let retry =
        || RetryLayer::new(policy(ms(1)).max_attempts(2).build().unwrap()).http_client().avoid_tried();
    let seen = Seen::default();
    let log = seen.clone();
    let service = ServiceBuilder::new().layer(retry()).layer(retry()).service(service_fn(
        move |request: Request<ReplayBody<ReplayBody<Full<Bytes>>>>| {
            let tried = request.extensions().get::<Tried>().expect("it was asked for");
            let fresh = ["a", "b", "c", "d"].into_iter().find(|endpoint| !tried.contains(endpoint));
            tried.add(fresh.unwrap());
            log.push(fresh.unwrap());
            async { Response::builder().status(502).body(Full::<Bytes>::default()).map_err(BoxError::from) }
        },
    ));

    service.oneshot(Request::get("/").body(Full::default()).unwrap()).await.unwrap();

    assert_eq!(seen.all(), ["a", "b", "c", "d"]);
}

/// Attempts of a retry within a retry were numbered anew.
#[tokio::test(start_paused = true)]
async fn retries_within_retries_go_on_counting() {
    let seen = Seen::default();
    let log = seen.clone();
    let layer = || RetryLayer::new(policy(ms(1)).max_attempts(2).build().unwrap()).grpc().idempotent();
    let service = ServiceBuilder::new().layer(layer()).layer(layer()).service(service_fn(
        move |request: Request<ReplayBody<ReplayBody<Full<Bytes>>>>| {
            log.push(Attempt::of(&request).number());
            let response = Response::builder().header("grpc-status", "14").body(Full::<Bytes>::default());
            async { response.map_err(BoxError::from) }
        },
    ));

    service.oneshot(Request::post("/").body(Full::default()).unwrap()).await.unwrap();

    assert_eq!(seen.all(), [1, 2, 2, 3]);
}

/// By gRPC's table, the statuses of HTTP that stand for UNAVAILABLE.
#[tokio::test(start_paused = true)]
async fn a_proxys_status_goes_by_the_code_that_it_stands_for() {
    for (status, attempts) in [(429, 3), (502, 3), (503, 3), (504, 3), (500, 1)] {
        let seen = Seen::default();
        let log = seen.clone();
        let service = ServiceBuilder::new()
            .layer(RetryLayer::new(policy(ms(1)).grpc_codes([GrpcCode::Unavailable]).build().unwrap()).grpc())
            .service(service_fn(move |_: Request<ReplayBody<Full<Bytes>>>| {
                log.push(());
                let response = Response::builder().status(status).body(Full::<Bytes>::default());
                async { response.map_err(BoxError::from) }
            }));
        service.oneshot(Request::post("/").body(Full::default()).unwrap()).await.unwrap();
        assert_eq!(seen.all().len(), attempts, "{status}");
    }
}
