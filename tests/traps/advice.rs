//! What the dependency asks for: a breaker that opens leaves it alone for as long as it said, by
//! `Retry-After` or by gRPC's pushback, and does not trust it blindly.

use std::{convert::Infallible, time::Duration};

use axum::{Router, body::Body, http::header, routing::get};
use bytes::Bytes;
use echo_proto::{echo_client::EchoClient, echo_server::EchoServer, service::EchoService};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use portcullis::{
    BoxError, Breaker, BreakerLayer,
    breaker::{BreakerBuilder, State},
};
use portcullis_reqwest::ReqwestService;
use portcullis_tests::{
    grpc::{channel, incoming, say},
    net::{Server, client, soon},
};
use tokio::time::sleep;
use tower::{ServiceBuilder, ServiceExt};

use crate::common::{secs, told};

/// Opens with the first failure, for five seconds, and for a minute at most.
fn breaker() -> BreakerBuilder {
    let builder = Breaker::builder("advice").consecutive_failures(1).open_for_exactly(secs(5));
    builder.open_cap(secs(60)).permits(1).successes(1)
}

/// Asks and waits: what is asked for, and for how long the breaker is open.
const ASKED: [(&str, u64); 5] = [("30", 30), ("5", 5), ("1", 5), ("3600", 60), ("soon", 5)];

/// One request to a router that answers with this status and `Retry-After`.
async fn call(breaker: &Breaker, status: StatusCode, retry_after: &'static str) {
    let answer = move || async move { (status, [(header::RETRY_AFTER, retry_after)]) };
    let router = Router::new().route("/", get(answer));
    let service =
        ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone()).http_client()).service(router);
    let answer = service.oneshot(Request::new(Body::empty())).await.unwrap();
    assert_eq!(answer.status(), status);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_lengthens_the_open_time_and_is_capped() {
    for status in [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS] {
        for (asked, open) in ASKED {
            let breaker = breaker().build().unwrap();
            call(&breaker, status, asked).await;
            assert_eq!(told(breaker.status().retry_in), secs(open), "{status} {asked}");
            let refused = breaker.try_admit().unwrap_err();
            assert_eq!(told(refused.retry_after()), secs(open), "and so are its callers told");
        }
    }
}

/// The same from a probe, of however many.
#[tokio::test(start_paused = true)]
async fn a_retry_after_of_a_probe_lengthens_the_next_open_time() {
    for shape in [|breaker| breaker, |breaker: BreakerBuilder| breaker.probe_ratio(0.5)] {
        let breaker = shape(breaker()).build().unwrap();
        call(&breaker, StatusCode::SERVICE_UNAVAILABLE, "1").await;
        sleep(secs(5)).await;
        call(&breaker, StatusCode::SERVICE_UNAVAILABLE, "30").await;
        assert_eq!((breaker.status().trips, told(breaker.status().retry_in)), (2, secs(30)));
    }
}

/// What one probe asked for is kept until the others have decided.
#[tokio::test(start_paused = true)]
async fn a_retry_after_of_any_probe_counts() {
    let breaker = breaker().successes(2).probe_ratio(0.5).build().unwrap();
    breaker.trip();
    sleep(secs(5)).await;
    call(&breaker, StatusCode::SERVICE_UNAVAILABLE, "30").await;
    assert_eq!(breaker.state(), State::HalfOpen);
    sleep(secs(1)).await;
    call(&breaker, StatusCode::OK, "100").await;
    assert_eq!((breaker.state(), told(breaker.status().retry_in)), (State::Open, secs(29)));
}

/// What an earlier failure asked for counts from when it did; the one that opens need not say it again.
#[tokio::test(start_paused = true)]
async fn a_retry_after_counts_from_when_it_was_said() {
    let breaker = breaker().consecutive_failures(2).build().unwrap();
    call(&breaker, StatusCode::SERVICE_UNAVAILABLE, "30").await;
    sleep(secs(10)).await;
    call(&breaker, StatusCode::SERVICE_UNAVAILABLE, "1").await;
    assert_eq!((breaker.state(), told(breaker.status().retry_in)), (State::Open, secs(20)));
}

/// Where a gRPC answer says what.
#[derive(Clone, Copy, Debug)]
enum Place {
    Head,
    Trailers,
}

async fn call_grpc(breaker: &Breaker, place: Place, pushback: &'static str) {
    let mut said = HeaderMap::new();
    said.insert("grpc-status", "14".parse().unwrap());
    said.insert("grpc-retry-pushback-ms", pushback.parse().unwrap());
    let service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone()).grpc()).service_fn(
        move |_: Request<()>| {
            let said = said.clone();
            async move {
                let mut answer = Response::default();
                let trailers = match place {
                    Place::Head => {
                        *answer.headers_mut() = said;
                        None
                    }
                    Place::Trailers => Some(Ok::<_, Infallible>(said)),
                };
                let body = Full::<Bytes>::default().with_trailers(std::future::ready(trailers));
                Ok::<_, BoxError>(answer.map(|()| body))
            }
        },
    );
    service.oneshot(Request::default()).await.unwrap().into_body().collect().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_grpc_pushback_lengthens_the_open_time_and_is_capped() {
    let asked = [("30000", 30), ("5000", 5), ("1", 5), ("3600000", 60), ("-1", 5), ("soon", 5), ("", 5)];
    for place in [Place::Head, Place::Trailers] {
        for (asked, open) in asked {
            let breaker = breaker().build().unwrap();
            call_grpc(&breaker, place, asked).await;
            assert_eq!(told(breaker.status().retry_in), secs(open), "{asked:?} in the {place:?}");
        }
    }
}

/// From one of ours to the other, over sockets: what the server's breaker says, the client's obeys.
#[tokio::test]
async fn a_breaker_obeys_the_breaker_of_the_server_that_it_calls() {
    let refusing = Breaker::new("server");
    refusing.isolate_for(secs(1_000));
    let obeys = |open: &Breaker| {
        let wait = open.status().retry_in.unwrap();
        assert!((secs(900)..=secs(1_000)).contains(&wait), "{wait:?}");
    };
    let breaker = || breaker().open_cap(Duration::from_secs(3_600)).build().unwrap();

    let over_http = breaker();
    let router = Router::new().route("/", get(async || "stock"));
    let router = router.layer(BreakerLayer::new(refusing.clone()).http_server());
    let server = Server::axum(router).await;
    let client = ServiceBuilder::new()
        .layer(BreakerLayer::new(over_http.clone()).http_client())
        .service(ReqwestService::new(client()));
    let get = Request::get(server.url("/")).body(reqwest::Body::default()).unwrap();
    soon(client.oneshot(get)).await.unwrap();
    obeys(&over_http);

    let over_grpc = breaker();
    let layer = BreakerLayer::new(refusing).grpc();
    let server = Server::start(|listener| async move {
        let mut server = tonic::transport::Server::builder().layer(layer);
        let server = server.add_service(EchoServer::new(EchoService::default()));
        server.serve_with_incoming(incoming(listener)).await.expect("it serves");
    })
    .await;
    let layered = ServiceBuilder::new()
        .layer(BreakerLayer::new(over_grpc.clone()).grpc())
        .service(channel(&server.url("")));
    soon(EchoClient::new(layered).unary(say(0))).await.unwrap_err();
    obeys(&over_grpc);
}
