//! reqwest: the client itself, the client for `http` requests, and a middleware chain.

use ::reqwest::{Body, Client, Method, Request};
use ::tower::{Layer, Service, ServiceExt};
use portcullis::{Probe, ProbeLayer};
use portcullis_reqwest::{ReqwestReplay, ReqwestService, TowerMiddleware, TryCloneReplay};
use reqwest_middleware::ClientBuilder;

use super::{each, stack};
use crate::policies::{breaker, bulkhead, response, retry, total, whole_response};

const NOWHERE: &str = "http://127.0.0.1:1/";

fn plain() -> Request {
    Request::new(Method::GET, NOWHERE.parse().unwrap())
}

fn http() -> http::Request<Body> {
    http::Request::get(NOWHERE).body(Body::default()).unwrap()
}

fn probe<Req>(ask: fn() -> Req) -> ProbeLayer<fn() -> Req> {
    ProbeLayer::new(Probe::builder("reqwest").build().unwrap(), ask)
}

/// A call on a task of its own, of which only that it fails is known: nobody listens.
async fn assert_refused<S, Req>(service: S, request: Req)
where
    S: Service<Req, Response: Send + 'static, Error: Send + 'static, Future: Send> + Send + 'static,
    Req: Send + 'static,
{
    assert!(tokio::spawn(service.oneshot(request)).await.unwrap().is_err());
}

/// A service whose error can be boxed, as the layers have it when no protocol is chosen.
#[tokio::test]
async fn client() {
    each!(
        breaker(),
        retry().replay(TryCloneReplay),
        bulkhead(),
        total(),
        probe(plain),
        stack!(, replay TryCloneReplay);
        |layer| assert_refused(layer.layer(Client::new()), plain()).await
    );
}

macro_rules! each_layer {
    (|$name:ident| $body:expr) => {
        each!(
            breaker().http_client(),
            retry().http_client().rebody(Body::wrap),
            retry().http_client().replay(ReqwestReplay::default()),
            bulkhead().http_client(),
            total().http_client(),
            whole_response().http_client(),
            response().http_client(),
            probe(http).http_client(),
            stack!(http_client, rebody Body::wrap),
            stack!(http_client, replay ReqwestReplay::default());
            |$name| $body
        );
    };
}

#[tokio::test]
async fn client_of_http() {
    each_layer!(|layer| assert_refused(layer.layer(ReqwestService::new(Client::new())), http()).await);
}

#[tokio::test]
async fn middleware() {
    each_layer!(|layer| {
        let chain = ClientBuilder::new(Client::new()).with(TowerMiddleware::new(layer)).build();
        assert!(tokio::spawn(chain.get(NOWHERE).send()).await.unwrap().is_err());
    });
}

/// Around the connector, whose requests cannot be cloned or named. There the refusals are connect errors.
#[tokio::test]
async fn connector() {
    let client = Client::builder()
        .connector_layer(bulkhead())
        .connector_layer(breaker())
        .connector_layer(total())
        .build()
        .unwrap();
    assert!(client.execute(plain()).await.unwrap_err().is_connect());
}
