//! Layers that go on by themselves: it lasts as long as the caller waits.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use axum::{Router, routing::get};
use portcullis_reqwest::{LinkError, NextError, NextFuture, NextService, TowerMiddleware};
use reqwest::Body;
use tokio::sync::{Notify, mpsc};
use tower::{Service, layer::layer_fn};

use crate::support::{Gate, Server, chain, copy, find, soon};

type Answer = Result<http::Response<Body>, NextError>;

/// Sends each request on, and a copy of it to `/other` from a task, when told to.
#[derive(Clone)]
struct Mirror {
    inner: NextService,
    start: Arc<Notify>,
    answers: mpsc::UnboundedSender<Answer>,
}

impl Service<http::Request<Body>> for Mirror {
    type Response = http::Response<Body>;
    type Error = NextError;
    type Future = NextFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), NextError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> NextFuture {
        let (mut mirror, mut other) = (self.clone(), copy(&mut request));
        *other.uri_mut() = format!("{}other", request.uri()).parse().expect("a URI");
        tokio::spawn(async move {
            mirror.start.notified().await;
            let answer = mirror.inner.call(other).await;
            mirror.answers.send(answer).expect("the test waits");
        });
        self.inner.call(request)
    }
}

struct Mirrored {
    middleware: TowerMiddleware<Mirror>,
    start: Arc<Notify>,
    answers: mpsc::UnboundedReceiver<Answer>,
}

fn mirrored() -> Mirrored {
    let (sender, answers) = mpsc::unbounded_channel();
    let start = Arc::new(Notify::new());
    let made = start.clone();
    let layer = layer_fn(move |inner| Mirror { inner, start: made.clone(), answers: sender.clone() });
    Mirrored { middleware: TowerMiddleware::new(layer), start, answers }
}

fn abandoned(answer: Answer) -> bool {
    find(&answer.expect_err("nobody waits")) == Some(&LinkError::Abandoned)
}

#[tokio::test]
async fn a_call_after_the_answer_ends_with_a_clear_error() {
    let server = Server::start(Router::new().route("/", get(async || "answered"))).await;
    let Mirrored { middleware, start, mut answers } = mirrored();
    let client = chain().with(middleware).build();

    soon(client.get(server.url("/")).send()).await.expect("an answer");
    start.notify_one();

    assert!(abandoned(soon(answers.recv()).await.expect("an answer")));
}

#[tokio::test]
async fn a_call_under_way_ends_with_the_answer() {
    let gate = Gate::new();
    let (pass, wait) = (gate.clone(), gate.clone());
    let router = Router::new()
        .route("/", get(async move || wait.arrival().await))
        .route("/other", get(async move || pass.pass().await));
    let server = Server::start(router).await;
    let Mirrored { middleware, start, mut answers } = mirrored();
    let client = chain().with(middleware).build();

    start.notify_one();
    soon(client.get(server.url("/")).send()).await.expect("an answer, once the other call is under way");

    assert!(abandoned(soon(answers.recv()).await.expect("an answer")));
    gate.departure().await;
}
