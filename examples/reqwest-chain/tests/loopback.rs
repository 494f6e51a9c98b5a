//! The chain over real connections.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, helpers included")]

use std::time::Duration;

use portcullis::{Breaker, PolicyKind, Registry, Rejection, Timeout};
use reqwest_chain::{ATTEMPT_HEADER, CountCalls, Policies, client};
use reqwest_middleware::ClientWithMiddleware;
use upstream::{Upstream, soon};

/// More than enough, also on a machine that is busy with other things.
const LONG: Duration = Duration::from_secs(30);

struct Setup {
    policies: Policies,
    calls: CountCalls,
    upstream: Upstream,
    client: ClientWithMiddleware,
}

/// With the policies as they are, but for what `change` does to them, and for time limits that only a
/// test that is about them should meet.
fn setup(change: impl FnOnce(&mut Policies)) -> Setup {
    let mut policies = Policies::new("inventory", &Registry::new()).unwrap();
    policies.attempt = Timeout::attempt("inventory", LONG).unwrap();
    policies.total = Timeout::total("inventory", 2 * LONG).unwrap();
    change(&mut policies);
    let calls = CountCalls::default();
    let bare = reqwest::Client::builder().no_proxy().retry(reqwest::retry::never()).build().unwrap();
    let client = client(&policies, bare, &calls);
    Setup { policies, calls, upstream: Upstream::start().unwrap(), client }
}

#[tokio::test]
async fn the_middleware_before_runs_once_and_the_one_after_for_each_attempt() {
    let Setup { calls, upstream, client, .. } = setup(|_| ());
    upstream.fail_next(2);
    let response = soon(client.put(upstream.url("/stock/7")).body("twelve").send()).await.unwrap();

    assert_eq!(response.url().as_str(), upstream.url("/stock/7"));
    assert_eq!(response.headers()[ATTEMPT_HEADER], "3");
    assert_eq!(soon(response.text()).await.unwrap(), "PUT /stock/7 twelve");
    assert_eq!(upstream.seen(), ["PUT /stock/7 twelve"; 3]);
    assert_eq!(calls.count(), 1);
}

// T45
#[tokio::test]
async fn a_redirect_is_followed_with_the_body_after_a_retry_too() {
    let Setup { upstream, client, .. } = setup(|_| ());
    upstream.fail_next(1);
    let response = soon(client.put(upstream.url("/moved")).body("twelve").send()).await.unwrap();
    assert_eq!(response.url().path(), "/stock");
    assert_eq!(soon(response.text()).await.unwrap(), "PUT /stock twelve");
}

#[tokio::test]
async fn a_post_is_not_tried_again() {
    let Setup { policies, upstream, client, .. } = setup(|_| ());
    upstream.fail_next(1);
    let response = soon(client.post(upstream.url("/stock/7")).send()).await.unwrap();
    assert_eq!((response.status().as_u16(), policies.retry.status().retries), (503, 0));
    assert_eq!(upstream.seen(), ["POST /stock/7"]);
}

// Without a connection from before: whether a request goes out on one that just died is a matter of luck.
#[tokio::test]
async fn a_post_that_was_never_sent_is_tried_again() {
    let Setup { policies, mut upstream, client, .. } = setup(|_| ());
    upstream.kill().await.unwrap();
    let error = soon(client.post(upstream.url("/stock/7")).send()).await.unwrap_err();
    assert!(error.is_connect(), "an error of reqwest is still itself");
    assert_eq!(policies.retry.status().retries, 2);
}

#[tokio::test]
async fn an_open_breaker_refuses_before_the_later_middleware() {
    let Setup { policies, calls, mut upstream, client } = setup(|policies| {
        let breaker = Breaker::builder("inventory").consecutive_failures(3).open_for(LONG);
        policies.breaker = breaker.build().unwrap();
    });
    upstream.kill().await.unwrap();
    soon(client.get(upstream.url("/stock/7")).send()).await.unwrap_err();

    upstream.restart().unwrap();
    let error = soon(client.get(upstream.url("/stock/7")).send()).await.unwrap_err();
    assert_eq!(Rejection::find(&error).expect("among the sources").kind(), PolicyKind::Breaker);
    assert_eq!((calls.count(), policies.breaker.status().refused), (2, 1));
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn no_call_outlives_its_deadline_and_none_keeps_its_permit() {
    let Setup { policies, upstream, client, .. } = setup(|policies| {
        policies.total = Timeout::total("inventory", Duration::from_millis(200)).unwrap();
    });
    upstream.set_hanging(true);
    let error = soon(client.get(upstream.url("/stock/7")).send()).await.unwrap_err();
    assert_eq!(Rejection::find(&error).expect("among the sources").kind(), PolicyKind::Timeout);
    assert_eq!(policies.bulkhead.status().in_flight, 0);
}

#[tokio::test]
async fn a_permit_is_kept_until_the_answer_was_read() {
    let Setup { policies, upstream, client, .. } = setup(|_| ());
    let response = soon(client.get(upstream.url("/stock/7")).send()).await.unwrap();
    assert_eq!(policies.bulkhead.status().in_flight, 1);
    soon(response.text()).await.unwrap();
    assert_eq!(policies.bulkhead.status().in_flight, 0);
}

#[tokio::test]
async fn the_program_runs_to_its_end() {
    let program =
        tokio::process::Command::new(env!("CARGO_BIN_EXE_reqwest-chain")).kill_on_drop(true).output();
    let output = soon(program).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("4 calls"), "{output:?}");
}
