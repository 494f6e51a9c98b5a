//! Calls that go by a document.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use portcullis::{
    BoxError, Rejection, ServiceConfig, ServiceConfigLayer, clock,
    protocol::{Attempt, Deadline},
    retry::ReplayBody,
};
use tokio::time::{Instant, sleep};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::{method, read, retry_policy, throttled};

/// What an attempt does: takes so many milliseconds and ends with a status, or without one and with a message.
type Attempted = (u64, Option<&'static str>);

/// What the attempts were, by number and `grpc-timeout`.
type Seen = Arc<Mutex<Vec<(u32, Option<String>)>>>;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A server whose attempts end like these, one after the other.
fn server<B: Send + 'static>(
    attempts: impl IntoIterator<Item = Attempted>,
) -> (
    impl Service<Request<ReplayBody<B>>, Response = Response<Full<Bytes>>, Error = Infallible, Future: Send>
    + Clone,
    Seen,
) {
    let attempts = Arc::new(Mutex::new(attempts.into_iter().collect::<Vec<_>>().into_iter()));
    let seen = Seen::default();
    let server = service_fn({
        let seen = seen.clone();
        move |request: Request<ReplayBody<B>>| {
            let told = request.headers().get("grpc-timeout").map(|value| value.to_str().unwrap().to_owned());
            seen.lock().unwrap().push((Attempt::of(&request).number(), told));
            let (millis, status) = attempts.lock().unwrap().next().expect("no more attempts");
            async move {
                sleep(ms(millis)).await;
                let mut response = Response::new(Full::default());
                match status {
                    Some(status) => {
                        response.headers_mut().insert("grpc-status", status.parse().unwrap());
                    }
                    None => *response.body_mut() = Full::new(Bytes::from("message")),
                }
                Ok(response)
            }
        }
    });
    (server, seen)
}

fn call() -> Request<Full<Bytes>> {
    Request::post("/a.B/C").body(Full::new(Bytes::from("question"))).unwrap()
}

/// The status, or the message, that a call comes to.
async fn ask(
    config: &ServiceConfig,
    attempts: &[Attempted],
    request: Request<Full<Bytes>>,
) -> (String, Seen) {
    let (server, seen) = server(attempts.to_vec());
    let response = ServiceConfigLayer::new(config.clone()).layer(server).oneshot(request).await.unwrap();
    let status = response.headers().get("grpc-status").map(|status| status.to_str().unwrap().to_owned());
    let said = match status {
        Some(status) => status,
        None => String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().into()).unwrap(),
    };
    (said, seen)
}

fn made(seen: &Seen) -> usize {
    seen.lock().unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn calls_are_retried_for_their_codes_and_no_other() {
    for (codes, ends, attempts) in
        [(r#"["UNAVAILABLE"]"#, "message", 2), (r#"["INTERNAL", "ABORTED"]"#, "14", 1)]
    {
        let config = read(&retry_policy(&format!(r#", "retryableStatusCodes": {codes}"#))).unwrap();
        let (said, seen) = ask(&config, &[(1, Some("14")), (1, None)], call()).await;
        assert_eq!((said.as_str(), made(&seen)), (ends, attempts), "{codes}");
    }
}

#[tokio::test(start_paused = true)]
async fn waits_are_those_of_the_document() {
    let config = read(&retry_policy("")).unwrap();
    let began = Instant::now();
    let (said, seen) = ask(&config, &[(0, Some("14")), (0, Some("14")), (0, Some("14"))], call()).await;
    assert_eq!((said.as_str(), made(&seen)), ("14", 3));
    let least = ms(80) + ms(160);
    assert!((least..ms(120) + ms(240) + ms(4)).contains(&began.elapsed()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn methods_without_a_policy_are_called_once_and_are_not_timed() {
    let config = read(&retry_policy("")).unwrap();
    let mut request = call();
    *request.uri_mut() = "/a.Other/C".parse().unwrap();
    let (said, seen) = ask(&config, &[(1_000_000, Some("14"))], request).await;
    assert_eq!((said.as_str(), made(&seen)), ("14", 1));
}

#[tokio::test(start_paused = true)]
async fn throttling_is_for_all_methods_together() {
    let config = read(&throttled(&retry_policy(""), 4, 0.5)).unwrap();
    let fails = [(0, Some("14")); 3];
    // 4 tokens: after two failures there is no more than half.
    assert_eq!(made(&ask(&config, &fails, call()).await.1), 2);
    let mut other = call();
    *other.uri_mut() = "/a.B/D".parse().unwrap();
    assert_eq!(made(&ask(&config, &fails, other).await.1), 1);
}

const HEDGED: &str = r#""hedgingPolicy": {
    "maxAttempts": 3, "hedgingDelay": "0.1s", "nonFatalStatusCodes": ["ABORTED", "NOT_FOUND"] }"#;

#[tokio::test(start_paused = true)]
async fn calls_are_hedged_after_the_delay() {
    let config = read(&method(HEDGED)).unwrap();
    let began = Instant::now();
    let (said, seen) = ask(&config, &[(5000, Some("13")), (20, None)], call()).await;
    assert_eq!((said.as_str(), made(&seen)), ("message", 2));
    assert!((ms(120)..ms(130)).contains(&began.elapsed()), "{:?}", began.elapsed());
    assert_eq!(seen.lock().unwrap()[1].0, 2, "the hedge says which it is");
}

/// Also a code that is no failure to anybody else.
#[tokio::test(start_paused = true)]
async fn a_status_that_is_not_fatal_sends_the_next_attempt_at_once() {
    let config = read(&method(HEDGED)).unwrap();
    for code in ["10", "5"] {
        let began = Instant::now();
        let (said, seen) = ask(&config, &[(10, Some(code)), (10, None)], call()).await;
        assert_eq!((said.as_str(), made(&seen)), ("message", 2), "{code}");
        assert!(began.elapsed() < ms(30), "{:?}", began.elapsed());
    }
}

/// Also one that another hedge would be sent for.
#[tokio::test(start_paused = true)]
async fn any_other_status_is_the_answer() {
    let config = read(&method(HEDGED)).unwrap();
    let (said, seen) = ask(&config, &[(10, Some("14"))], call()).await;
    assert_eq!((said.as_str(), made(&seen)), ("14", 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_with_its_methods_time() {
    let config = read(&method(r#""timeout": "0.2s""#)).unwrap();
    let began = Instant::now();
    let (said, seen) = ask(&config, &[(5000, None)], call()).await;
    assert_eq!((said.as_str(), began.elapsed().as_millis()), ("4", 200));
    assert_eq!(seen.lock().unwrap()[0].1.as_deref(), Some("200000u"), "the server is told");
    assert_eq!(config.timeout("/a.B/C").unwrap().expired(), 1);
}

/// Retries too: none begins that nobody waits for.
#[tokio::test(start_paused = true)]
async fn all_attempts_have_one_time() {
    let config = read(&retry_policy(r#", "maxAttempts": 5 }, "timeout": "0.2s", "other": {"#)).unwrap();
    let began = Instant::now();
    let (said, seen) = ask(&config, &[(60, Some("14")), (60, Some("14"))], call()).await;
    assert!(made(&seen) <= 2 && began.elapsed() <= ms(201), "{said} {seen:?} {:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_sooner_of_two_times_counts() {
    let config = read(&method(r#""timeout": "0.2s""#)).unwrap();
    for (told, millis) in [("50m", 50), ("1S", 200)] {
        let mut request = call();
        request.headers_mut().insert("grpc-timeout", told.parse().unwrap());
        let began = Instant::now();
        let (said, seen) = ask(&config, &[(5000, None)], request).await;
        assert_eq!((said.as_str(), began.elapsed().as_millis()), ("4", millis), "{told}");
        assert_eq!(seen.lock().unwrap()[0].1, Some(format!("{}u", millis * 1000)));
    }
    let mut untimed = call();
    *untimed.uri_mut() = "/a.Other/C".parse().unwrap();
    untimed.headers_mut().insert("grpc-timeout", "70m".parse().unwrap());
    let began = Instant::now();
    let (said, _) = ask(&config, &[(5000, None)], untimed).await;
    assert_eq!((said.as_str(), began.elapsed().as_millis()), ("4", 70), "its own, where there is no other");
    let mut late = call();
    late.extensions_mut().insert(Deadline::new(clock::now()));
    let (said, seen) = ask(&config, &[], late).await;
    assert_eq!((said.as_str(), made(&seen)), ("4", 0), "nobody waits for it");
}

/// A channel keeps the time it is told by `grpc-timeout`, ends with an error of its own, and may be the first.
#[tokio::test(start_paused = true)]
async fn an_error_with_the_end_of_the_time_is_the_end_of_the_time() {
    let config = read(&method(r#""timeout": "0.2s""#)).unwrap();
    let channel = service_fn(|_: Request<ReplayBody<Empty<Bytes>>>| async {
        sleep(ms(200)).await;
        Err::<Response<Full<Bytes>>, _>(BoxError::from("timeout expired"))
    });
    let request = Request::post("/a.B/C").body(Empty::new()).unwrap();
    let response = ServiceConfigLayer::new(config).layer(channel).oneshot(request).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "4");
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!(rejection.to_string(), "timeout 'shop/a.B' had no answer within 200ms (total)");
}

/// A service that never gets ready.
#[tokio::test(start_paused = true)]
async fn the_wait_for_readiness_is_timed() {
    #[derive(Clone)]
    struct Never;
    impl<B> Service<Request<B>> for Never {
        type Response = Response<Full<Bytes>>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Self::Response, Infallible>>;

        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
            std::task::Poll::Pending
        }

        fn call(&mut self, _: Request<B>) -> Self::Future {
            panic!("it is not ready")
        }
    }
    let config = read(&method(r#""timeout": "0.2s""#)).unwrap();
    let mut request = call();
    request.headers_mut().insert("grpc-timeout", "90m".parse().unwrap());
    let response = ServiceConfigLayer::new(config).layer(Never).oneshot(request).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "4");
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!(rejection.to_string(), "timeout 'shop/a.B' was not ready within 90ms (total)");
}

#[tokio::test(start_paused = true)]
async fn calls_that_begin_after_a_reload_go_by_it() {
    let config = read(&method(r#""timeout": "0.2s""#)).unwrap();
    let (server, seen) = server([(0, Some("14")), (0, Some("14")), (0, None)]);
    let mut service = ServiceConfigLayer::new(config.clone()).layer(server);
    let first = service.ready().await.unwrap().call(call()).await.unwrap();
    assert_eq!((first.headers()["grpc-status"].to_str().unwrap(), made(&seen)), ("14", 1));

    config.reload(&retry_policy("")).unwrap();

    assert!(service.ready().await.unwrap().call(call()).await.unwrap().headers().is_empty());
    assert_eq!(made(&seen), 3);
}

/// It had paid for a retry: only success does.
#[tokio::test(start_paused = true)]
async fn a_hedge_that_ends_with_a_fatal_code_is_no_success() {
    let policy = r#""hedgingPolicy": { "maxAttempts": 2, "hedgingDelay": "10s",
        "nonFatalStatusCodes": ["UNAVAILABLE"] }"#;
    let config = read(&throttled(&method(policy), 10, 1.0)).unwrap();
    let before = config.budget().available();
    let (said, seen) = ask(&config, &[(1, Some("14")), (1, Some("13"))], call()).await;
    assert_eq!((said.as_str(), made(&seen)), ("13", 2));
    assert_eq!(before - config.budget().available(), 1);
}

/// A proxy's answer, which has no status of gRPC, stands for one as it does in gRPC.
#[tokio::test(start_paused = true)]
async fn a_hedge_goes_by_the_code_that_an_http_status_stands_for() {
    for (codes, attempts) in [("", 1), (r#", "nonFatalStatusCodes": ["UNAVAILABLE"]"#, 2)] {
        let policy = format!(r#""hedgingPolicy": {{ "maxAttempts": 2, "hedgingDelay": "10s" {codes} }}"#);
        let (config, made) = (read(&method(&policy)).unwrap(), Arc::new(Mutex::new(0)));
        let count = made.clone();
        let proxy = service_fn(move |_: Request<ReplayBody<Full<Bytes>>>| {
            *count.lock().unwrap() += 1;
            async { Ok::<_, BoxError>(Response::builder().status(502).body(Full::<Bytes>::default())?) }
        });
        ServiceConfigLayer::new(config).layer(proxy).oneshot(call()).await.unwrap();
        assert_eq!(*made.lock().unwrap(), attempts, "{codes}");
    }
}
