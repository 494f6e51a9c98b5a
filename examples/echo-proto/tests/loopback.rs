//! The service over a real connection, one test per kind of call.

use std::error::Error;

use echo_proto::echo_client::EchoClient;
use echo_proto::echo_server::EchoServer;
use echo_proto::service::EchoService;
use echo_proto::{EchoReply, EchoRequest};
use futures_util::{StreamExt as _, stream};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::Code;
use tonic::transport::Channel;

async fn connected(service: EchoService) -> Result<EchoClient<Channel>, Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tonic::transport::Server::builder().add_service(EchoServer::new(service));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    Ok(EchoClient::connect(format!("http://{address}")).await?)
}

fn saying(message: &str) -> EchoRequest {
    EchoRequest { message: message.into(), ..Default::default() }
}

#[tokio::test]
async fn unary_answers_and_fails_as_asked() {
    let mut client = connected(EchoService::default()).await.unwrap();
    let reply = client.unary(EchoRequest { delay_ms: 5, ..saying("hello") }).await.unwrap();
    assert_eq!(reply.into_inner(), EchoReply { message: "hello".into(), index: 0 });

    let refused = client.unary(EchoRequest { fail_code: Code::DataLoss.into(), ..saying("no") }).await;
    assert_eq!(refused.unwrap_err().code(), Code::DataLoss);
}

#[tokio::test]
async fn a_server_stream_fails_after_its_replies() {
    let mut client = connected(EchoService::default()).await.unwrap();
    let request = EchoRequest { count: 3, fail_code: Code::Aborted.into(), ..saying("again") };
    let items: Vec<_> = client.server_stream(request).await.unwrap().into_inner().collect().await;
    let indexes: Vec<_> = items.iter().flatten().map(|reply| reply.index).collect();
    assert_eq!(indexes, [0, 1, 2]);
    assert_eq!(items.last().unwrap().as_ref().unwrap_err().code(), Code::Aborted);
}

#[tokio::test]
async fn a_server_stream_of_nothing_fails_at_its_head() {
    let mut client = connected(EchoService::default()).await.unwrap();
    let request = EchoRequest { fail_code: Code::NotFound.into(), ..saying("none") };
    assert_eq!(client.server_stream(request).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_client_stream_is_joined() {
    let mut client = connected(EchoService::default()).await.unwrap();
    let reply = client.client_stream(stream::iter(["a", "b", "c"].map(saying))).await.unwrap();
    assert_eq!(reply.into_inner(), EchoReply { message: "a b c".into(), index: 3 });
}

#[tokio::test]
async fn the_first_calls_fail_and_all_are_counted() {
    let service = EchoService::default().fail_first(2, Code::Unavailable);
    let mut client = connected(service.clone()).await.unwrap();
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(client.unary(saying("x")).await.map_or_else(|status| status.code(), |_| Code::Ok));
    }
    assert_eq!(codes, [Code::Unavailable, Code::Unavailable, Code::Ok]);
    assert_eq!(service.calls(), 3);
}
