//! What travels beside the request: extensions both ways, and the request's timeout.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use axum::{Router, routing::get};
use http::{Extensions, StatusCode};
use portcullis_reqwest::{StackError, TowerMiddleware};
use reqwest::{Body, Request, Response};
use reqwest_middleware::{Middleware, Next, Result};
use tower::{ServiceBuilder, layer::util::Identity, retry::RetryLayer};

use crate::support::{Again, Around, Counter, Server, chain, soon};

#[derive(Clone, Copy, Debug, PartialEq)]
struct Caller(&'static str);
#[derive(Clone, Copy, Debug, PartialEq)]
struct AttemptNo(usize);
#[derive(Clone, Copy, Debug, PartialEq)]
struct Later(usize);

type Seen<T> = Arc<Mutex<Vec<T>>>;

fn note<T: Copy + Send + Sync + 'static>(extensions: &Extensions, seen: &Seen<Option<T>>) {
    seen.lock().expect("not poisoned").push(extensions.get::<T>().copied());
}

async fn flaky(failures: usize) -> Server {
    let requests = Counter::default();
    let handler = async move || match requests.next() < failures {
        true => StatusCode::SERVICE_UNAVAILABLE,
        false => StatusCode::OK,
    };
    Server::start(Router::new().route("/", get(handler))).await
}

/// Inserts the number of the attempt, from zero.
fn numbered(request: &mut http::Request<Body>, counter: &Counter) {
    request.extensions_mut().insert(AttemptNo(counter.next()));
}

#[tokio::test]
async fn extensions_go_in_and_those_of_the_last_attempt_come_out() {
    let server = flaky(2).await;
    let (callers, numbers, after) = (Seen::default(), Seen::default(), Seen::default());
    let counter = Counter::default();
    let stack = ServiceBuilder::new().retry(Again(5)).map_request(move |mut request| {
        numbered(&mut request, &counter);
        request
    });
    let (seen_callers, seen_numbers, seen_after) = (callers.clone(), numbers.clone(), after.clone());
    let client = chain()
        .with(Around(
            |_: &mut _, _: &mut _| (),
            move |extensions: &mut _| note::<Later>(extensions, &seen_after),
        ))
        .with(TowerMiddleware::new(stack))
        .with(Around(
            move |_: &mut _, extensions: &mut Extensions| {
                note::<Caller>(extensions, &seen_callers);
                note::<AttemptNo>(extensions, &seen_numbers);
            },
            |extensions: &mut Extensions| {
                let number = extensions.get::<AttemptNo>().expect("numbered").0;
                extensions.insert(Later(number * 10));
            },
        ))
        .build();

    let response =
        soon(client.get(server.url("/")).with_extension(Caller("me")).send()).await.expect("an answer");

    assert_eq!(response.status(), 200);
    assert_eq!(*callers.lock().expect("not poisoned"), [Some(Caller("me")); 3]);
    assert_eq!(*numbers.lock().expect("not poisoned"), [0, 1, 2].map(|n| Some(AttemptNo(n))));
    assert_eq!(*after.lock().expect("not poisoned"), [Some(Later(20))]);
}

#[tokio::test]
async fn extensions_come_out_of_a_failed_attempt_too() {
    let after = Seen::default();
    let seen = after.clone();
    let client = chain()
        .with(Around(|_: &mut _, _: &mut _| (), move |extensions: &mut _| note::<Later>(extensions, &seen)))
        .with(TowerMiddleware::new(Identity::new()))
        .with(Around(
            |_: &mut _, _: &mut _| (),
            |extensions: &mut Extensions| {
                extensions.insert(Later(1));
            },
        ))
        .build();

    let error = soon(client.get(crate::support::nowhere()).send()).await.expect_err("nobody listens");

    assert!(error.is_connect());
    assert_eq!(*after.lock().expect("not poisoned"), [Some(Later(1))]);
}

#[tokio::test]
async fn two_stacks_in_one_chain_keep_their_ways_apart() {
    let server = flaky(3).await;
    let (between, last) = (Counter::default(), Counter::default());
    let numbers = Seen::default();
    let (counter, seen) = (Counter::default(), numbers.clone());
    let outer = ServiceBuilder::new().retry(Again(1)).map_request(move |mut request| {
        numbered(&mut request, &counter);
        request
    });
    let client = chain()
        .with(TowerMiddleware::new(outer))
        .with(between.clone())
        .with(TowerMiddleware::new(RetryLayer::new(Again(1))))
        .with(last.clone())
        .with(Around(
            move |_: &mut _, extensions: &mut _| note::<AttemptNo>(extensions, &seen),
            |_: &mut _| (),
        ))
        .build();

    let response = soon(client.get(server.url("/")).send()).await.expect("an answer");

    assert_eq!(response.status(), 200);
    assert_eq!((between.count(), last.count()), (2, 4));
    assert_eq!(*numbers.lock().expect("not poisoned"), [0, 0, 1, 1].map(|n| Some(AttemptNo(n))));
}

/// Notes the timeout that the request has where it stands.
struct Timeouts(Seen<Option<Duration>>);

#[async_trait]
impl Middleware for Timeouts {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        self.0.lock().expect("not poisoned").push(request.timeout().copied());
        next.run(request, extensions).await
    }
}

// The chain's copy of the first stack's extensions holds the old timeout.
#[tokio::test]
async fn a_timeout_set_between_two_stacks_is_the_one_that_counts() {
    let server = flaky(0).await;
    for new in [Some(Duration::from_secs(77)), None] {
        let seen = Seen::default();
        let client = chain()
            .with(TowerMiddleware::new(Identity::new()))
            .with(Timeouts(seen.clone()))
            .with(Around(
                move |request: &mut Request, _: &mut _| *request.timeout_mut() = new,
                |_: &mut _| (),
            ))
            .with(TowerMiddleware::new(Identity::new()))
            .with(Timeouts(seen.clone()))
            .build();

        let old = Duration::from_secs(99);
        soon(client.get(server.url("/")).timeout(old).send()).await.expect("an answer");

        assert_eq!(*seen.lock().expect("not poisoned"), [Some(old), new]);
    }
}

// A layer may answer from a cache, or give one answer to several callers.
#[tokio::test]
async fn an_answer_made_for_another_request_brings_no_extensions_along() {
    let server = flaky(0).await;
    let after = Seen::default();
    let (kept, seen) = (Arc::new(Mutex::new(Extensions::new())), after.clone());
    let stack = ServiceBuilder::new().map_response(move |mut response: http::Response<Body>| {
        let mut kept = kept.lock().expect("not poisoned");
        if kept.is_empty() {
            *kept = response.extensions().clone();
        }
        *response.extensions_mut() = kept.clone();
        response
    });
    let client = chain()
        .with(Around(|_: &mut _, _: &mut _| (), move |extensions: &mut _| note::<Caller>(extensions, &seen)))
        .with(TowerMiddleware::new(stack))
        .build();

    for caller in ["first", "second"] {
        let request = client.get(server.url("/")).with_extension(Caller(caller));
        soon(request.send()).await.expect("an answer");
    }

    let expected = ["first", "second"].map(|caller| Some(Caller(caller)));
    assert_eq!(*after.lock().expect("not poisoned"), expected);
}

#[tokio::test]
async fn a_layer_that_drops_the_extensions_gets_a_clear_error() {
    let server = flaky(0).await;
    let stack = ServiceBuilder::new().map_request(|request: http::Request<Body>| {
        let (parts, body) = request.into_parts();
        http::Request::builder().uri(parts.uri).body(body).expect("a request")
    });
    let client = chain().with(TowerMiddleware::new(stack)).build();

    let error = soon(client.get(server.url("/")).send()).await.expect_err("no way back");

    let reqwest_middleware::Error::Middleware(error) = error else { panic!("not from reqwest: {error}") };
    assert!(!error.is::<StackError>());
    assert_eq!(error.downcast_ref(), Some(&portcullis_reqwest::LinkError::Missing));
    assert!(error.to_string().contains("must copy the extensions"), "{error}");
}
