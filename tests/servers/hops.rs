//! A deadline through three hops over sockets: axum, tonic, and axum behind hyper's client.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::Extension, routing::get};
use bytes::Bytes;
use echo_proto::{
    EchoReply, EchoRequest,
    echo_client::EchoClient,
    echo_server::{Echo, EchoServer},
};
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use portcullis::{
    BoxError, DeadlineLayer, Time, Timeout, clock,
    deadline::{Headers, current},
    protocol::{Grpc, HttpClient, HttpServer},
};
use portcullis_tests::{
    grpc::{channel, incoming},
    net::{Server, client, soon},
};
use tonic::{Response, Status};
use tower::{Layer, ServiceExt};

/// What a hop found when its work began: its own deadline, and when that was.
type Begun = (&'static str, Time, Time);

/// What all of them found.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Begun>>>);

impl Seen {
    fn at(&self, hop: &'static str) {
        let deadline = current().expect("every hop has one");
        self.0.lock().unwrap().push((hop, deadline, clock::now()));
    }

    fn take(&self) -> Vec<Begun> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn layer() -> DeadlineLayer {
    DeadlineLayer::new(Timeout::total("hop", Duration::from_secs(10)).unwrap())
}

fn server() -> DeadlineLayer<Headers, HttpServer> {
    layer().http_server()
}

fn http() -> DeadlineLayer<Headers, HttpClient> {
    layer().http_client()
}

fn grpc() -> DeadlineLayer<Headers, Grpc> {
    layer().grpc()
}

/// The third hop: answers.
async fn last(seen: Seen) -> Server {
    let handler = |Extension(seen): Extension<Seen>| async move { seen.at("last") };
    Server::axum(Router::new().route("/", get(handler)).layer(Extension(seen)).layer(server())).await
}

/// The second hop: takes its time, and calls the third.
struct Middle {
    seen: Seen,
    takes: Duration,
    last: String,
}

#[tonic::async_trait]
impl Echo for Middle {
    type ServerStreamStream = tonic::codegen::BoxStream<EchoReply>;

    async fn unary(&self, _: tonic::Request<EchoRequest>) -> Result<Response<EchoReply>, Status> {
        self.seen.at("middle");
        tokio::time::sleep(self.takes).await;
        let client = Client::builder(TokioExecutor::new()).build_http();
        let request = Request::get(&self.last).body(Empty::<Bytes>::new()).unwrap();
        let answer: Result<_, BoxError> = http().layer(client).oneshot(request).await;
        answer.map_err(|error| Status::internal(error.to_string()))?;
        Ok(Response::new(EchoReply::default()))
    }

    async fn server_stream(
        &self,
        _: tonic::Request<EchoRequest>,
    ) -> Result<Response<Self::ServerStreamStream>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn client_stream(
        &self,
        _: tonic::Request<tonic::Streaming<EchoRequest>>,
    ) -> Result<Response<EchoReply>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

async fn middle(seen: Seen, takes: Duration, last: String) -> Server {
    let middle = Middle { seen, takes, last };
    Server::start(|listener| async move {
        let server = tonic::transport::Server::builder().layer(server()).add_service(EchoServer::new(middle));
        server.serve_with_incoming(incoming(listener)).await.unwrap();
    })
    .await
}

/// The first hop: calls the second, and tells its status.
async fn first(seen: Seen, middle: String) -> Server {
    let handler = |Extension(seen): Extension<Seen>| async move {
        seen.at("first");
        let mut client = EchoClient::new(grpc().layer(channel(&middle)));
        client.unary(EchoRequest::default()).await.map_or_else(
            |status| (StatusCode::BAD_GATEWAY, format!("{:?}", status.code())),
            |_| (StatusCode::OK, String::new()),
        )
    };
    Server::axum(Router::new().route("/", get(handler)).layer(Extension(seen)).layer(server())).await
}

/// Asks the first hop, whose second takes so many milliseconds; what each hop saw, and the answer.
async fn ask(takes: u64) -> (Vec<Begun>, StatusCode, Time) {
    let seen = Seen::default();
    let last = last(seen.clone()).await;
    let middle = middle(seen.clone(), Duration::from_millis(takes), last.url("/")).await;
    let first = first(seen.clone(), middle.url("")).await;
    let due = clock::now() + Duration::from_millis(300);
    let request = client().get(first.url("/")).header("x-envoy-expected-rq-timeout-ms", "300");
    let status = soon(request.send()).await.unwrap().status();
    // Nothing that was begun goes on unseen: a hop that begins work after this is found out.
    tokio::time::sleep(Duration::from_millis(400)).await;
    (seen.take(), StatusCode::from_u16(status.as_u16()).unwrap(), due)
}

#[tokio::test]
async fn every_hop_has_less_time_than_the_one_before() {
    let (seen, status, _) = ask(0).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(seen.iter().map(|(hop, ..)| *hop).collect::<Vec<_>>(), ["first", "middle", "last"]);
    for pair in seen.windows(2) {
        let [left, next] = [pair[0], pair[1]].map(|(_, deadline, at)| deadline.since(at));
        assert!(next < left, "{seen:?}");
    }
}

#[tokio::test]
async fn no_work_begins_after_the_deadline() {
    let (seen, status, due) = ask(350).await;
    assert_eq!(seen.iter().map(|(hop, ..)| *hop).collect::<Vec<_>>(), ["first", "middle"]);
    assert!(seen.iter().all(|(_, _, at)| *at < due), "{seen:?}");
    assert!(matches!(status, StatusCode::GATEWAY_TIMEOUT | StatusCode::BAD_GATEWAY), "{status}");
}
