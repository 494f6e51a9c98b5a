//! Where deadlines come from.

use std::{convert::Infallible, time::Duration};

use http::{HeaderName, Request, Response};
use portcullis::{BoxError, DeadlineLayer, clock, deadline, protocol::Deadline};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::support::{ms, timeout};

/// A handler that says how much time it has, by the request and by where it is.
fn handler()
-> impl Service<Request<()>, Response = Response<String>, Error = Infallible, Future: Send> + Clone {
    service_fn(|request: Request<()>| async move {
        let told = Deadline::of(&request).unwrap().at().since(clock::now());
        let current = deadline::current().unwrap().since(clock::now());
        assert_eq!(told, current);
        Ok(Response::new(format!("{}", told.as_millis())))
    })
}

/// What a server with a limit of a second has for this request.
async fn left(request: http::request::Builder) -> u64 {
    let service = DeadlineLayer::new(timeout(1000)).http_server().layer(handler());
    let Ok(response) = service.oneshot(request.body(()).unwrap()).await;
    let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
    std::str::from_utf8(&body).unwrap().parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn from_headers_the_extension_or_the_limit_whichever_is_soonest() {
    let envoy = "x-envoy-expected-rq-timeout-ms";
    assert_eq!(left(Request::builder()).await, 1000);
    assert_eq!(left(Request::builder().header(envoy, "300")).await, 300);
    assert_eq!(left(Request::builder().header(envoy, " 300 ")).await, 300);
    assert_eq!(left(Request::builder().header("grpc-timeout", "200m")).await, 200);
    assert_eq!(left(Request::builder().header(envoy, "300").header("grpc-timeout", "200m")).await, 200);
    assert_eq!(left(Request::builder().header(envoy, "300").extension(Deadline::after(ms(100)))).await, 100);
    assert_eq!(
        left(Request::builder().extension(Deadline::after(ms(5000)))).await,
        1000,
        "no more than that"
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_changes_nothing() {
    for header in ["", "-1", "soon", "1.5", "99999999999999999999999", "18446744073709551615"] {
        assert_eq!(left(Request::builder().header("x-envoy-expected-rq-timeout-ms", header)).await, 1000);
    }
}

#[tokio::test(start_paused = true)]
async fn from_a_header_of_ones_own() {
    let layer = DeadlineLayer::new(timeout(1000)).http_server().header(HeaderName::from_static("x-budget"));
    let request = Request::builder().header("x-budget", "70").header("x-envoy-expected-rq-timeout-ms", "5");
    let Ok(response) = layer.layer(handler()).oneshot(request.body(()).unwrap()).await;
    let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
    assert_eq!(body, "70");
}

#[tokio::test(start_paused = true)]
async fn from_the_call_within_which_it_is_made_and_not_for_tasks_of_their_own() {
    let seen = || deadline::current().map(|at| at.since(clock::now()));
    let inner = service_fn(move |(): ()| async move {
        tokio::time::sleep(ms(30)).await;
        let within = DeadlineLayer::new(timeout(5000))
            .layer(service_fn(move |(): ()| async move { Ok::<_, BoxError>(seen()) }));
        let spawned = tokio::spawn(async move { seen() }).await?;
        Ok::<_, BoxError>((within.oneshot(()).await?, spawned))
    });
    let server = DeadlineLayer::new(timeout(200)).layer(inner);
    assert_eq!(server.oneshot(()).await.unwrap(), (Some(ms(170)), None));
    assert_eq!(seen(), None::<Duration>);
}
