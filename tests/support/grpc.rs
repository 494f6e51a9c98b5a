//! A real gRPC server, and the way to it.

use echo_proto::{EchoRequest, echo_server::EchoServer, service::EchoService};
use tokio::net::TcpListener;
use tonic::transport::{Channel, Endpoint, server::TcpIncoming};

use crate::net::Server;

/// Serves the echo service over a socket.
pub async fn serve(service: EchoService) -> Server {
    Server::start(|listener| async move {
        let server = tonic::transport::Server::builder().add_service(EchoServer::new(service));
        server.serve_with_incoming(incoming(listener)).await.expect("it serves");
    })
    .await
}

/// The connections that tonic serves.
pub fn incoming(listener: TcpListener) -> TcpIncoming {
    TcpIncoming::from(listener)
}

/// A channel that connects when it is first used.
///
/// # Panics
///
/// When `url` is none.
pub fn channel(url: &str) -> Channel {
    Endpoint::from_shared(url.to_owned()).expect("a url").connect_lazy()
}

/// A request for one reply, after so many milliseconds.
pub fn say(delay_ms: u32) -> EchoRequest {
    EchoRequest { message: "hello".into(), delay_ms, ..EchoRequest::default() }
}

/// A request for `count` replies, one every so many milliseconds.
pub fn say_often(count: u32, delay_ms: u32) -> EchoRequest {
    EchoRequest { count, ..say(delay_ms) }
}
