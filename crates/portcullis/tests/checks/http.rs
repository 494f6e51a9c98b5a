//! A question over a client.

use std::{convert::Infallible, future::ready, time::Duration};

use http::{Request, Response, StatusCode};
use portcullis::{
    Breaker, BreakerLayer, Level, Registry,
    check::{Http, Outcome},
    monitor::Grades,
};
use tower::{ServiceBuilder, service_fn};

use crate::found;

fn question() -> Request<String> {
    Request::get("/health").body(String::new()).unwrap()
}

fn says(
    status: u16,
) -> impl Fn(Request<String>) -> std::future::Ready<Result<Response<String>, Infallible>> + Clone {
    move |request| {
        assert_eq!(request.uri(), "/health");
        ready(Ok(Response::builder().status(status).body(String::new()).unwrap()))
    }
}

#[tokio::test(start_paused = true)]
async fn success_is_well_and_all_else_is_not() {
    for (status, outcome) in
        [(200, Outcome::Success), (204, Outcome::Success), (302, Outcome::Failure), (503, Outcome::Failure)]
    {
        let status = found(Http::through(service_fn(says(status)), question)).await;
        assert_eq!(status.outcome, Some(outcome), "{status:?}");
    }
    let status = found(Http::through(service_fn(says(503)), question)).await;
    assert_eq!(status.message.as_deref(), Some("503 Service Unavailable"));
    let locked = Http::through(service_fn(says(401)), question);
    let status = found(locked.accept(|status| status == StatusCode::UNAUTHORIZED)).await;
    assert_eq!(status.outcome, Some(Outcome::Success));
}

#[tokio::test(start_paused = true)]
async fn slow_is_as_bad_as_one_says() {
    let client = service_fn(|_: Request<String>| async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        Ok::<_, Infallible>(Response::new(String::new()))
    });
    let check = Http::through(client, question).slow(Grades::of(0.2, 0.5, 1.0)).unwrap();
    let status = found(check).await;
    assert_eq!((status.level, status.message.as_deref()), (Level::Degraded, Some("answered after 700.0ms")));
    let error = Http::through(client, question).slow(Grades::of(5.0, 0.5, 1.0)).unwrap_err();
    assert_eq!(error.field(), "http.slow.degraded");
}

#[tokio::test(start_paused = true)]
async fn a_breaker_on_the_way_sees_it_as_any_call_and_its_refusal_says_nothing() {
    let breaker = Breaker::builder("way").consecutive_failures(1).registry(&Registry::new()).build().unwrap();
    let client = ServiceBuilder::new()
        .layer(BreakerLayer::new(breaker.clone()).http_client())
        .service(service_fn(says(503)));
    let check = || Http::through(client.clone(), question);
    assert_eq!(found(check()).await.outcome, Some(Outcome::Failure));
    assert!(breaker.is_refusing());
    assert_eq!(found(check()).await.outcome, Some(Outcome::Refused));
}
