//! The client over real connections.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, helpers included")]

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_client::{Body, Client, Policies, client};
use hyper_util::client::legacy;
use portcullis::{BoxError, Bulkhead, PolicyKind, Probe, Registry, Rejection, Timeout, breaker::State};
use tower::ServiceExt as _;
use upstream::{Upstream, soon, until};

/// What each test needs: policies of its own, an upstream, and a client to it.
struct Setup {
    policies: Policies,
    upstream: Upstream,
    client: Client,
}

/// More than enough, also on a machine that is busy with other things.
const LONG: Duration = Duration::from_secs(30);

/// With the policies as they are, but for what `change` does to them, and for time limits that only a
/// test that is about them should meet.
fn setup(change: impl FnOnce(&mut Policies)) -> Setup {
    let registry = Registry::new();
    let mut policies = Policies::new("inventory", &registry).unwrap();
    policies.attempt = Timeout::attempt("inventory", LONG).unwrap();
    policies.total = Timeout::total("inventory", 2 * LONG).unwrap();
    change(&mut policies);
    let upstream = Upstream::start().unwrap();
    let client = client(&policies, upstream.url("/livez").parse().unwrap());
    Setup { policies, upstream, client }
}

impl Setup {
    async fn send(&self, method: Method, body: &'static str) -> Result<Response<Body>, BoxError> {
        let uri = self.upstream.url("/stock/7");
        let request = Request::builder().method(method).uri(uri).body(Full::new(Bytes::from(body)))?;
        soon(self.client.clone().oneshot(request)).await
    }
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(soon(response.into_body().collect()).await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn a_get_is_tried_again_until_it_succeeds() {
    let setup = setup(|_| ());
    setup.upstream.fail_next(2);
    let response = setup.send(Method::GET, "").await.unwrap();
    assert_eq!((response.status(), &*text(response).await), (StatusCode::OK, "GET /stock/7"));
    assert_eq!(setup.upstream.seen(), ["GET /stock/7"; 3]);
    assert_eq!(setup.policies.breaker.status().failures, 2, "the breaker saw every attempt");
}

#[tokio::test]
async fn a_put_is_tried_again_with_its_body() {
    let setup = setup(|_| ());
    setup.upstream.fail_next(2);
    let response = setup.send(Method::PUT, "twelve").await.unwrap();
    assert_eq!(text(response).await, "PUT /stock/7 twelve");
    assert_eq!(setup.upstream.seen(), ["PUT /stock/7 twelve"; 3]);
}

#[tokio::test]
async fn a_post_is_not_tried_again() {
    let setup = setup(|_| ());
    setup.upstream.fail_next(1);
    let response = setup.send(Method::POST, "twelve").await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(setup.upstream.seen(), ["POST /stock/7 twelve"]);
}

#[tokio::test]
async fn what_was_never_sent_is_tried_again_whatever_it_is() {
    let mut setup = setup(|_| ());
    setup.upstream.kill().await.unwrap();
    let error = setup.send(Method::POST, "twelve").await.unwrap_err();
    assert!(error.downcast::<legacy::Error>().expect("unchanged").is_connect());
    assert_eq!(setup.policies.retry.status().retries, 2);
    assert_eq!(setup.policies.breaker.status().failures, 3);
}

#[tokio::test]
async fn the_probe_opens_the_breaker_and_closes_it() {
    let mut setup = setup(|policies| {
        policies.probe = Probe::builder("inventory")
            .interval(Duration::from_millis(10))
            .interval_when_down(Duration::from_millis(10))
            .timeout(LONG)
            .feed(&policies.breaker)
            .build()
            .unwrap();
    });
    setup.upstream.kill().await.unwrap();
    until(|| setup.policies.breaker.state() == State::Open).await;

    let error = setup.send(Method::GET, "").await.unwrap_err();
    let rejection = Rejection::find(&*error).expect("refused");
    assert_eq!(rejection.kind(), PolicyKind::Breaker);
    assert!(rejection.retry_after().is_some());

    setup.upstream.restart().unwrap();
    until(|| setup.policies.breaker.state() == State::Closed).await;
    assert!(setup.upstream.seen().is_empty(), "nobody had to try");
    assert_eq!(setup.send(Method::GET, "").await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn no_call_outlives_its_deadline_and_none_keeps_its_permit() {
    let limit = Duration::from_millis(200);
    let setup = setup(|policies| policies.total = Timeout::total("inventory", limit).unwrap());
    setup.upstream.set_hanging(true);
    let error = setup.send(Method::GET, "").await.unwrap_err();
    let rejection = Rejection::find(&*error).expect("refused");
    assert_eq!(rejection.to_string(), "timeout 'inventory' had no answer within 200ms (total)");
    assert_eq!(setup.policies.bulkhead.status().in_flight, 0);
}

#[tokio::test]
async fn a_permit_is_kept_until_the_answer_was_read() {
    let setup = setup(|policies| {
        policies.bulkhead = Bulkhead::builder("inventory").max_in_flight(1).build().unwrap();
    });
    let unread = setup.send(Method::GET, "").await.unwrap();
    let error = setup.send(Method::GET, "").await.unwrap_err();
    assert_eq!(Rejection::find(&*error).expect("refused").kind(), PolicyKind::Bulkhead);

    assert_eq!(text(unread).await, "GET /stock/7");
    assert_eq!(setup.send(Method::GET, "").await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn the_program_runs_to_its_end() {
    let program =
        tokio::process::Command::new(env!("CARGO_BIN_EXE_hyper-client")).kill_on_drop(true).output();
    let output = soon(program).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("It comes back"), "{output:?}");
}
