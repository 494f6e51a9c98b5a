//! Both stacks over real connections.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, helpers included")]

use std::time::Duration;

use http::Method;
use portcullis::{BoxError, Breaker, Bulkhead, PolicyKind, Registry, Rejection, Timeout};
use reqwest_client::{OverHttp, Plain, Policies, over_http, plain};
use tower::ServiceExt as _;
use upstream::{Upstream, soon};

/// More than enough, also on a machine that is busy with other things.
const LONG: Duration = Duration::from_secs(30);

fn policies() -> Policies {
    let mut policies = Policies::new("inventory", &Registry::new()).unwrap();
    policies.attempt = Timeout::attempt("inventory", LONG).unwrap();
    policies.total = Timeout::total("inventory", 2 * LONG).unwrap();
    policies
}

fn bare() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().retry(reqwest::retry::never()).build().unwrap()
}

/// One of the two, so that each test tells of both.
enum Stack {
    Plain(Plain),
    OverHttp(OverHttp),
}

fn both(policies: impl Fn() -> Policies) -> [(Policies, Stack); 2] {
    let (first, second) = (policies(), policies());
    let plain = Stack::Plain(plain(&first, bare()));
    let over_http = Stack::OverHttp(over_http(&second, bare()));
    [(first, plain), (second, over_http)]
}

impl Stack {
    async fn send(&self, method: Method, url: String, body: &'static str) -> Result<Answer, BoxError> {
        match self {
            Self::Plain(service) => {
                let request = bare().request(method, url).body(body).build()?;
                Ok(Answer(soon(service.clone().oneshot(request)).await?))
            }
            Self::OverHttp(service) => {
                let request = http::Request::builder().method(method).uri(url).body(body.into())?;
                Ok(Answer(soon(service.clone().oneshot(request)).await?.into()))
            }
        }
    }
}

struct Answer(reqwest::Response);

impl Answer {
    fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    async fn text(self) -> String {
        soon(self.0.text()).await.unwrap()
    }
}

#[tokio::test]
async fn what_is_idempotent_is_tried_again_with_its_body() {
    for (policies, stack) in both(policies) {
        let upstream = Upstream::start().unwrap();
        upstream.fail_next(2);
        let answer = stack.send(Method::PUT, upstream.url("/stock/7"), "twelve").await.unwrap();
        assert_eq!(answer.text().await, "PUT /stock/7 twelve");
        assert_eq!(upstream.seen(), ["PUT /stock/7 twelve"; 3]);
        assert_eq!(policies.breaker.status().failures, 2, "the breaker saw every attempt");
    }
}

#[tokio::test]
async fn a_post_is_not_tried_again() {
    for (_, stack) in both(policies) {
        let upstream = Upstream::start().unwrap();
        upstream.fail_next(1);
        let answer = stack.send(Method::POST, upstream.url("/stock/7"), "twelve").await.unwrap();
        assert_eq!(answer.status(), 503);
        assert_eq!(upstream.seen(), ["POST /stock/7 twelve"]);
    }
}

// T45
#[tokio::test]
async fn a_redirect_is_followed_with_the_body_after_a_retry_too() {
    for (_, stack) in both(policies) {
        let upstream = Upstream::start().unwrap();
        upstream.fail_next(1);
        let answer = stack.send(Method::PUT, upstream.url("/moved"), "twelve").await.unwrap();
        assert_eq!(answer.0.url().path(), "/stock");
        assert_eq!(answer.text().await, "PUT /stock twelve");
    }
}

#[tokio::test]
async fn what_was_never_sent_is_tried_again_whatever_it_is() {
    for (policies, stack) in both(policies) {
        let mut upstream = Upstream::start().unwrap();
        upstream.kill().await.unwrap();
        let result = stack.send(Method::POST, upstream.url("/stock/7"), "twelve").await;
        let error = result.err().expect("refused").downcast::<reqwest::Error>().expect("unchanged");
        assert!(error.is_connect());
        assert_eq!(policies.retry.status().retries, 2);
    }
}

#[tokio::test]
async fn a_dead_upstream_opens_the_breaker() {
    let with_breaker = || {
        let breaker = Breaker::builder("inventory").consecutive_failures(3).open_for(LONG).build().unwrap();
        Policies { breaker, ..policies() }
    };
    for (_, stack) in both(with_breaker) {
        let mut upstream = Upstream::start().unwrap();
        upstream.kill().await.unwrap();
        stack.send(Method::GET, upstream.url("/stock/7"), "").await.err().expect("nobody listens");

        upstream.restart().unwrap();
        let error = stack.send(Method::GET, upstream.url("/stock/7"), "").await.err().expect("open");
        let rejection = Rejection::find(&*error).expect("refused");
        assert_eq!((rejection.kind(), &**rejection.policy()), (PolicyKind::Breaker, "inventory"));
        assert!(upstream.seen().is_empty());
    }
}

#[tokio::test]
async fn no_call_outlives_its_deadline() {
    let with_deadline = || {
        let total = Timeout::total("inventory", Duration::from_millis(200)).unwrap();
        Policies { total, ..policies() }
    };
    for (policies, stack) in both(with_deadline) {
        let upstream = Upstream::start().unwrap();
        upstream.set_hanging(true);
        let error = stack.send(Method::GET, upstream.url("/stock/7"), "").await.err().expect("it hangs");
        assert_eq!(Rejection::find(&*error).expect("refused").kind(), PolicyKind::Timeout);
        assert_eq!(policies.bulkhead.status().in_flight, 0);
    }
}

#[tokio::test]
async fn over_http_a_permit_is_kept_until_the_answer_was_read() {
    let with_bulkhead = || {
        let bulkhead = Bulkhead::builder("inventory").max_in_flight(1).build().unwrap();
        Policies { bulkhead, ..policies() }
    };
    let [(plain_policies, plain), (policies, over_http)] = both(with_bulkhead);
    let upstream = Upstream::start().unwrap();

    let unread = plain.send(Method::GET, upstream.url("/stock/7"), "").await.unwrap();
    assert_eq!(plain_policies.bulkhead.status().in_flight, 0, "back with the head");
    drop(unread);

    let unread = over_http.send(Method::GET, upstream.url("/stock/7"), "").await.unwrap();
    assert_eq!(policies.bulkhead.status().in_flight, 1);
    let error = over_http.send(Method::GET, upstream.url("/stock/7"), "").await.err().expect("full");
    assert_eq!(Rejection::find(&*error).expect("refused").kind(), PolicyKind::Bulkhead);
    assert_eq!(unread.text().await, "GET /stock/7");
    assert_eq!(policies.bulkhead.status().in_flight, 0);
}

#[tokio::test]
async fn the_program_runs_to_its_end() {
    let program =
        tokio::process::Command::new(env!("CARGO_BIN_EXE_reqwest-client")).kill_on_drop(true).output();
    let output = soon(program).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("What the upstream saw"), "{output:?}");
}
