//! The gRPC upstream: the echo service of `echo-proto`, served by tonic's routes.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use echo_proto::echo_server::EchoServer;
use echo_proto::service::EchoService;
use tonic::Status;
use tonic::service::Routes;

use super::workers::{Workers, toil};

/// Workers of the gRPC upstream: about 270 calls/s when nothing is wrong.
pub(crate) const WORKERS: usize = 3;

/// The service of one life.
pub(crate) fn app(workers: Workers) -> Router {
    let broken: fn() -> Response = || Status::unavailable("the upstream is broken").into_http();
    Routes::new(EchoServer::new(EchoService::default()))
        .into_axum_router()
        .layer(from_fn_with_state((workers, broken), toil))
}
