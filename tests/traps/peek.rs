//! gRPC answers that fail after their head, over sockets: those of which nothing has come are made again,
//! when a peek is there to see it.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use echo_proto::{
    EchoReply, EchoRequest,
    echo_client::EchoClient,
    echo_server::{Echo, EchoServer},
};
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue};
use portcullis::{Breaker, BreakerLayer, GrpcCode, PeekLayer, RetryLayer, RetryPolicy};
use portcullis_tests::{
    grpc::{channel, incoming, say},
    net::{Server, soon},
};
use tokio::{net::TcpListener, sync::Notify};
use tonic::{Code, Request, Response, Status, Streaming};
use tower::ServiceBuilder;

/// Its streams begin with a head, and the first of them fails after so many messages.
#[derive(Clone, Default)]
struct Late {
    good: usize,
    calls: Arc<AtomicUsize>,
}

type Replies = Pin<Box<dyn Stream<Item = Result<EchoReply, Status>> + Send>>;

#[tonic::async_trait]
impl Echo for Late {
    type ServerStreamStream = Replies;

    async fn server_stream(&self, _: Request<EchoRequest>) -> Result<Response<Replies>, Status> {
        let fails = self.calls.fetch_add(1, SeqCst) == 0;
        let good = if fails { self.good } else { 2 };
        let end = fails.then(|| {
            let mut status = Status::with_details(Code::Unavailable, "läuft über", b"details"[..].into());
            status.metadata_mut().insert("x-disk", "full".parse().expect("a value"));
            Err(status)
        });
        let replies = (0..good).map(|_| Ok(EchoReply::default())).chain(end);
        Ok(Response::new(Box::pin(stream::iter(replies.collect::<Vec<_>>()))))
    }

    async fn unary(&self, _: Request<EchoRequest>) -> Result<Response<EchoReply>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn client_stream(&self, _: Request<Streaming<EchoRequest>>) -> Result<Response<EchoReply>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

async fn serve(late: Late) -> Server {
    Server::start(|listener| async move {
        let server = tonic::transport::Server::builder().add_service(EchoServer::new(late));
        server.serve_with_incoming(incoming(listener)).await.expect("it serves");
    })
    .await
}

fn retry(attempts: u32) -> RetryPolicy {
    let policy = RetryPolicy::builder("peek").max_attempts(attempts);
    policy.grpc_codes([GrpcCode::Unavailable, GrpcCode::Unknown]).build().unwrap()
}

/// Messages, and the status after them, of a stream from `server` through a retry of so many attempts over
/// a peek.
async fn watch(server: &Server, attempts: u32) -> (usize, Option<Status>) {
    watch_heads(server, attempts, || {}).await
}

/// The same, with word of every head that came.
async fn watch_heads(server: &Server, attempts: u32, head: impl Fn() + Clone) -> (usize, Option<Status>) {
    let channel = ServiceBuilder::new()
        .layer(RetryLayer::new(retry(attempts)).grpc().rebody(tonic::body::Body::new))
        .layer(PeekLayer::new())
        .layer(BreakerLayer::new(Breaker::new("peek")).grpc())
        .map_response(move |response: http::Response<tonic::body::Body>| {
            head();
            response
        })
        .service(channel(&server.url("")));
    let mut client = EchoClient::new(channel);
    let mut stream = match soon(client.server_stream(say(0))).await {
        Ok(response) => response.into_inner(),
        Err(status) => return (0, Some(status)),
    };
    let mut messages = 0;
    while let Some(message) = soon(stream.next()).await {
        match message {
            Ok(_) => messages += 1,
            Err(status) => return (messages, Some(status)),
        }
    }
    (messages, None)
}

/// A head that goes out before the failure is known, which would be the end of all retries.
#[tokio::test]
async fn r10_a_stream_that_fails_before_its_first_message_is_made_again() {
    let late = Late::default();
    let (messages, status) = watch(&serve(late.clone()).await, 3).await;
    assert_eq!((messages, status.is_none(), late.calls.load(SeqCst)), (2, true, 2));
}

/// Messages that the caller would get twice.
#[tokio::test]
async fn r10_a_stream_that_fails_after_a_message_is_not() {
    let late = Late { good: 1, ..Late::default() };
    let (messages, status) = watch(&serve(late.clone()).await, 3).await;
    let code = status.map(|status| status.code());
    assert_eq!((messages, code, late.calls.load(SeqCst)), (1, Some(Code::Unavailable), 1));
}

/// A status that loses something on its way from the trailers to the head.
#[tokio::test]
async fn r10_a_status_that_was_peeked_at_is_whole() {
    let (_, status) = watch(&serve(Late::default()).await, 1).await;
    let status = status.expect("the only attempt fails");
    assert_eq!(
        (status.code(), status.message(), status.details()),
        (Code::Unavailable, "läuft über", &b"details"[..])
    );
    assert_eq!(status.metadata().get("x-disk").unwrap(), "full");
}

/// Resets the first stream once its head has come; the others have no messages.
async fn reset_first(listener: TcpListener, calls: Arc<AtomicUsize>, head_came: Arc<Notify>) {
    let (socket, _) = listener.accept().await.expect("a connection");
    let mut connection = h2::server::handshake(socket).await.expect("HTTP/2");
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        let head = http::Response::builder().header("content-type", "application/grpc");
        let mut stream = respond.send_response(head.body(()).expect("a head"), false).expect("it is open");
        if calls.fetch_add(1, SeqCst) == 0 {
            let head_came = head_came.clone();
            tokio::spawn(async move {
                head_came.notified().await;
                stream.send_reset(h2::Reason::INTERNAL_ERROR);
            });
        } else {
            let ok = (HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"));
            stream.send_trailers(HeaderMap::from_iter([ok])).expect("it is open");
        }
    }
}

/// A stream that is torn off between head and first message.
#[tokio::test]
async fn r10_a_stream_that_is_reset_before_its_first_message_is_made_again() {
    let calls = Arc::new(AtomicUsize::new(0));
    let head_came = Arc::new(Notify::new());
    let server = Server::start({
        let (calls, head_came) = (calls.clone(), head_came.clone());
        |listener| reset_first(listener, calls, head_came)
    })
    .await;

    let (messages, status) = watch_heads(&server, 3, move || head_came.notify_one()).await;

    assert_eq!((messages, status.map(|status| status.code()), calls.load(SeqCst)), (0, None, 2));
}
