//! The gateway as it is written first: a client, and hope.

use std::net::SocketAddr;

use echo_proto::echo_client::EchoClient;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use portcullis::protocol::CallError;
use tonic::transport::Endpoint;
use tower::BoxError;
use tower::util::{BoxCloneSyncService, ServiceExt as _};

use super::Backends;

/// Both clients as they come.
pub(crate) fn backends(http: SocketAddr, grpc: SocketAddr) -> Result<Backends, BoxError> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let client = client.map_response(|answer| answer.map(axum::body::Body::new)).map_err(BoxError::from);

    let channel = Endpoint::from_shared(format!("http://{grpc}"))?.connect_lazy();

    Ok(Backends {
        http: BoxCloneSyncService::new(client),
        stock: format!("http://{http}/stock").parse()?,
        grpc: EchoClient::new(BoxCloneSyncService::new(channel.map_err(CallError::new))),
        probe: None,
    })
}
