//! hyper-util: the legacy client, and a server's connections.

use ::tower::{Layer, Service, ServiceExt, service_fn};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use portcullis::{Probe, ProbeLayer};

use super::{each, stack};
use crate::policies::{
    breaker, bulkhead, coalesce, executor, health, keyed, observe, response, retry, thread_pool, total,
    whole_response,
};

fn ask() -> Request<Full<Bytes>> {
    Request::get("http://127.0.0.1:1/").body(Full::default()).unwrap()
}

fn probe() -> ProbeLayer<fn() -> Request<Full<Bytes>>> {
    ProbeLayer::new(Probe::builder("hyper").build().unwrap(), ask as fn() -> _)
}

/// A call on a task of its own, of which only that it fails is known: nobody listens.
async fn assert_refused<S>(service: S)
where
    S: Service<Request<Full<Bytes>>, Response: Send + 'static, Error: Send + 'static, Future: Send>
        + Send
        + 'static,
{
    assert!(tokio::spawn(service.oneshot(ask())).await.unwrap().is_err());
}

#[tokio::test]
async fn client() {
    each!(
        breaker().http_client(),
        keyed().http_client(),
        retry().http_client(),
        bulkhead().http_client(),
        thread_pool().http_client(),
        coalesce().http_client(),
        executor().http_client(),
        observe().http_client(),
        total().http_client(),
        whole_response().http_client(),
        response().http_client(),
        probe().http_client(),
        stack!(http_client);
        // The body of the client's requests is inferred: a retry makes one of its own.
        |layer| assert_refused(layer.layer(Client::builder(TokioExecutor::new()).build_http())).await
    );
}

#[tokio::test]
async fn server() {
    each!(
        breaker().http_server(),
        retry().http_server(),
        bulkhead().http_server(),
        thread_pool().http_server(),
        coalesce().http_server(),
        executor().http_server(),
        observe().http_server(),
        total().http_server(),
        whole_response().http_server(),
        response().http_server(),
        health(),
        stack!(http_server);
        |layer| {
            let leaf = service_fn(async |_| Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default())));
            let service = TowerToHyperService::new(layer.layer(leaf));
            let (near, _far) = tokio::io::duplex(64);
            let server = auto::Builder::new(TokioExecutor::new());
            drop(server.serve_connection(TokioIo::new(near), service));
        }
    );
}
