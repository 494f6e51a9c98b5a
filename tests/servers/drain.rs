//! The end of a server, seen by a client that speaks HTTP/2 by hand.

use std::time::Duration;

use axum::{Router, routing::get};
use bytes::Bytes;
use echo_proto::{echo_server::EchoServer, service::EchoService};
use h2::{Reason, client::SendRequest};
use http::{Request, StatusCode};
use portcullis::{Drain, DrainLayer, Registry, drain::Report};
use portcullis_tests::{
    grpc::incoming,
    net::{Gate, Server, soon},
};
use tokio::{net::TcpStream, sync::oneshot, task::JoinHandle};
use tower::util::MapFutureLayer;

/// A server whose calls wait at a gate, and what its end was.
struct Peer {
    server: Server,
    gate: Gate,
    drain: Drain,
    ended: oneshot::Receiver<Report>,
}

async fn axum(announce: Duration) -> Peer {
    let (drain, gate, (end, ended)) = (drain(announce), Gate::default(), oneshot::channel());
    let router = Router::new().route("/stock", get(async || "12 in stock"));
    let router = router.layer(waits(&gate)).layer(DrainLayer::new(drain.clone()).http_server());
    let host = drain.clone();
    let server = Server::start(|listener| async move {
        let serving = axum::serve(listener, router).with_graceful_shutdown(host.signal());
        end.send(host.serve(serving).await.unwrap()).unwrap();
    });
    Peer { server: server.await, gate, drain, ended }
}

async fn tonic(announce: Duration) -> Peer {
    let (drain, gate, (end, ended)) = (drain(announce), Gate::default(), oneshot::channel());
    let (host, waits) = (drain.clone(), waits(&gate));
    let server = Server::start(|listener| async move {
        let serving = tonic::transport::Server::builder()
            .layer(DrainLayer::new(host.clone()).grpc())
            .layer(waits)
            .add_service(EchoServer::new(EchoService::default()))
            .serve_with_incoming_shutdown(incoming(listener), host.signal());
        end.send(host.serve(serving).await.unwrap()).unwrap();
    });
    Peer { server: server.await, gate, drain, ended }
}

fn drain(announce: Duration) -> Drain {
    Drain::builder("shop").announce(announce).registry(&Registry::new()).build().unwrap()
}

fn waits<F: Future + Send + 'static>(
    gate: &Gate,
) -> MapFutureLayer<impl Fn(F) -> BoxFuture<F::Output> + Clone + use<F>> {
    let gate = gate.clone();
    MapFutureLayer::new(move |call: F| {
        let gate = gate.clone();
        let waits: BoxFuture<F::Output> = Box::pin(async move {
            gate.pass().await;
            call.await
        });
        waits
    })
}

type BoxFuture<T> = std::pin::Pin<Box<dyn Future<Output = T> + Send>>;

/// One connection, and how it ends.
struct Client {
    requests: SendRequest<Bytes>,
    ended: JoinHandle<Result<(), h2::Error>>,
    url: String,
}

impl Client {
    async fn connect(peer: &Peer, path: &str) -> Self {
        let address = peer.server.url("").replace("http://", "");
        let socket = TcpStream::connect(address).await.unwrap();
        let (requests, connection) = h2::client::handshake(socket).await.unwrap();
        Self { requests, ended: tokio::spawn(connection), url: peer.server.url(path) }
    }

    /// Sends a request, and hands out its answer.
    async fn send(&self) -> Result<h2::client::ResponseFuture, h2::Error> {
        let mut requests = soon(self.requests.clone().ready()).await?;
        let grpc = self.url.contains("echo.v1");
        let request = if grpc { Request::post(&self.url) } else { Request::get(&self.url) };
        let request = request.header("content-type", "application/grpc").header("te", "trailers");
        let (answer, mut body) = requests.send_request(request.body(()).unwrap(), false)?;
        // A message without anything in it.
        body.send_data(Bytes::from_static(&[0; 5]), true)?;
        Ok(answer)
    }
}

/// What is in flight is finished, on a connection that takes nothing more; then it ends, and with it the server.
#[tokio::test]
async fn http2_clients_are_told_to_go_away_and_lose_nothing() {
    for (peer, path) in
        [(axum(Duration::ZERO).await, "/stock"), (tonic(Duration::ZERO).await, "/echo.v1.Echo/Unary")]
    {
        let client = Client::connect(&peer, path).await;
        let running = client.send().await.unwrap();
        soon(async {
            while peer.gate.inside() < 1 {
                tokio::task::yield_now().await;
            }
        })
        .await;

        peer.drain.begin();
        let told = async {
            loop {
                match client.requests.clone().ready().await {
                    Ok(_) => tokio::task::yield_now().await,
                    Err(told) => return told,
                }
            }
        };
        let told = soon(told).await;
        assert!(told.is_go_away() && told.is_remote(), "{path}: {told:?}");
        assert_eq!(told.reason(), Some(Reason::NO_ERROR), "{path}");

        peer.gate.open();
        let answer = soon(running).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert!(!answer.headers().contains_key("grpc-status"), "{path}: {answer:?}");
        drop(answer);
        let Client { requests, ended, .. } = client;
        drop(requests);
        soon(ended).await.unwrap().unwrap();
        let report = soon(peer.ended).await.unwrap();
        assert_eq!((report.in_flight, report.cut(), report.refused), (1, 0, 0), "{path}: {report}");
    }
}

/// While the end is only announced, everything is served, and there is no header that HTTP/2 does not have.
#[tokio::test]
async fn http2_clients_are_served_while_the_end_is_announced() {
    let hour = Duration::from_secs(3600);
    for (peer, path) in [(axum(hour).await, "/stock"), (tonic(hour).await, "/echo.v1.Echo/Unary")] {
        peer.gate.open();
        peer.drain.begin();
        let client = Client::connect(&peer, path).await;
        for _ in 0..3 {
            let answer = soon(client.send().await.unwrap()).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
            assert!(!answer.headers().contains_key("connection"), "{path}: {answer:?}");
        }
    }
}
