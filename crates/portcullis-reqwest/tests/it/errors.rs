//! Errors: those of the chain come out as they went in, those of layers can be found.

use std::{
    error::Error,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use http::Extensions;
use portcullis_reqwest::{NextError, StackError, TowerMiddleware};
use reqwest::{Body, Request, Response};
use reqwest_middleware::{Middleware, Next};
use tower::{BoxError, ServiceBuilder, layer::util::Identity, service_fn};

use crate::support::{chain, find, nowhere, soon};

#[derive(Debug, PartialEq)]
struct Refused(&'static str);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused: {}", self.0)
    }
}

impl Error for Refused {}

/// A middleware that refuses everything.
struct Refuse;

#[async_trait]
impl Middleware for Refuse {
    async fn handle(
        &self,
        _: Request,
        _: &mut Extensions,
        _: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        Err(reqwest_middleware::Error::middleware(Refused("by middleware")))
    }
}

async fn failure(middleware: impl Middleware) -> reqwest_middleware::Error {
    let client = chain().with(middleware).build();
    soon(client.get(nowhere()).send()).await.expect_err("nobody listens")
}

fn stack_error(error: reqwest_middleware::Error) -> StackError {
    let reqwest_middleware::Error::Middleware(error) = error else { panic!("not from reqwest: {error}") };
    error.downcast().expect("of a layer")
}

#[tokio::test]
async fn an_error_of_reqwest_is_still_itself() {
    let plain = failure(TowerMiddleware::new(Identity::new())).await;
    assert!(plain.is_connect() && !plain.is_middleware(), "{plain:?}");

    let boxed = failure(TowerMiddleware::new(ServiceBuilder::new().timeout(Duration::from_secs(60)))).await;
    assert!(boxed.is_connect() && boxed.url().is_some(), "{boxed:?}");

    // A layer may have taken it out of its wrapping.
    let unwrapped = failure(TowerMiddleware::new(ServiceBuilder::new().map_err(NextError::into_inner))).await;
    assert!(unwrapped.is_connect(), "{unwrapped:?}");

    let bare = |error: NextError| match error.into_inner() {
        reqwest_middleware::Error::Reqwest(error) => BoxError::from(error),
        reqwest_middleware::Error::Middleware(error) => error.into(),
    };
    let bare = failure(TowerMiddleware::new(ServiceBuilder::new().map_err(bare))).await;
    assert!(bare.is_connect(), "{bare:?}");
}

#[tokio::test]
async fn an_error_of_a_later_middleware_is_still_itself() {
    let client = chain()
        .with(TowerMiddleware::new(ServiceBuilder::new().timeout(Duration::from_secs(60))))
        .with(Refuse)
        .build();

    let error = soon(client.get(nowhere()).send()).await.expect_err("refused");

    let reqwest_middleware::Error::Middleware(error) = error else { panic!("not from reqwest: {error}") };
    assert_eq!(error.downcast_ref(), Some(&Refused("by middleware")));
}

// `reqwest_middleware::Error` leaves what it holds out of its own chain of sources.
#[tokio::test]
async fn a_layer_finds_the_errors_of_the_chain_among_the_sources() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = seen.clone();
    let note = move |error: NextError| {
        let found = (find::<Refused>(&error).is_some(), find::<reqwest::Error>(&error).is_some());
        notes.lock().expect("not poisoned").push((found, error.error().is_connect()));
        error
    };
    let stack = ServiceBuilder::new().map_err(note);

    let refused = chain().with(TowerMiddleware::new(stack.clone())).with(Refuse).build();
    soon(refused.get(nowhere()).send()).await.expect_err("refused");
    failure(TowerMiddleware::new(stack)).await;

    let seen = seen.lock().expect("not poisoned");
    assert_eq!(*seen, [((true, false), false), ((false, true), true)]);
}

#[tokio::test]
async fn an_error_of_a_layer_can_be_found_in_every_way() {
    let refuse = |_: NextError| Refused("by layer");
    let error = failure(TowerMiddleware::new(ServiceBuilder::new().map_err(refuse))).await;

    assert_eq!(error.to_string(), "refused: by layer");
    assert_eq!(find(&error), Some(&Refused("by layer")));
    let reqwest_middleware::Error::Middleware(held) = &error else { panic!("not from reqwest: {error}") };
    assert!(held.chain().any(|error| error.is::<Refused>()));
    let error = stack_error(error);
    assert!(error.inner().is::<Refused>());
    assert_eq!(*error.into_inner().downcast::<Refused>().expect("itself"), Refused("by layer"));
}

// A refusal of a stack further in must not look like a failure of the dependency further out.
#[tokio::test]
async fn an_error_of_an_inner_stack_can_be_found_by_an_outer_one() {
    let seen = Arc::new(Mutex::new(None));
    let notes = seen.clone();
    let outer = ServiceBuilder::new().map_err(move |error: NextError| {
        *notes.lock().expect("not poisoned") = find::<Refused>(&error).map(|refused| refused.0);
        error
    });
    let inner = ServiceBuilder::new().map_err(|_: NextError| Refused("further in"));
    let client = chain().with(TowerMiddleware::new(outer)).with(TowerMiddleware::new(inner)).build();

    let error = soon(client.get(nowhere()).send()).await.expect_err("refused");

    assert_eq!(*seen.lock().expect("not poisoned"), Some("further in"));
    assert!(stack_error(error).inner().is::<Refused>());
}

/// Never ready.
#[derive(Clone)]
struct Broken;

impl tower::Service<http::Request<Body>> for Broken {
    type Response = http::Response<Body>;
    type Error = Refused;
    type Future = std::future::Pending<Result<http::Response<Body>, Refused>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Refused>> {
        std::task::Poll::Ready(Err(Refused("not ready")))
    }

    fn call(&mut self, _: http::Request<Body>) -> Self::Future {
        std::future::pending()
    }
}

#[tokio::test]
async fn an_error_of_readiness_is_an_error_of_the_call() {
    let stack = tower::layer::layer_fn(|_| Broken);
    let error = failure(TowerMiddleware::new(stack)).await;
    assert_eq!(find(&error), Some(&Refused("not ready")));
}

#[tokio::test]
async fn a_request_that_a_layer_broke_is_an_error_of_reqwest() {
    let relative = |mut request: http::Request<Body>| {
        *request.uri_mut() = http::Uri::from_static("/only/a/path");
        request
    };
    let error = failure(TowerMiddleware::new(ServiceBuilder::new().map_request(relative))).await;
    assert!(error.is_builder(), "{error:?}");
}

#[tokio::test]
async fn a_stack_may_ignore_the_chain() {
    let stack = tower::layer::layer_fn(|_| {
        service_fn(|_: http::Request<Body>| async {
            Err::<http::Response<Body>, _>(BoxError::from("just no"))
        })
    });
    let error = failure(TowerMiddleware::new(stack)).await;
    assert_eq!(error.to_string(), "just no");
}
