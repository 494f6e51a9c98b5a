//! The gRPC server of Python's `grpcio`, which says what it saw.

use bytes::Bytes;
use http::uri::PathAndQuery;
use portcullis::{
    PeekLayer, RetryLayer, RetryPolicy,
    protocol::CallError,
    retry::{Backoff, RetryBuilder},
};
use portcullis_tests::{attempts::Attempts, grpc::channel, net::soon, plain::Plain, python::Python};
use serde::Deserialize;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{
    Code, Request, Response, Status,
    body::Body,
    metadata::{AsciiMetadataValue, MetadataKey},
    transport::Channel,
};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use crate::common::{grpc, thrice};

/// A call, as the server saw it.
#[derive(Debug, Deserialize)]
pub(crate) struct Seen {
    /// Its `grpc-previous-rpc-attempts`.
    previous: Option<String>,
    body: String,
    /// Seconds, on the server's clock.
    pub(crate) at: f64,
}

pub(crate) struct Peer {
    _process: Python,
    channel: Channel,
}

/// What is asked of the server: names and values.
pub(crate) type Asked<'a> = &'a [(&'static str, &'a str)];

impl Peer {
    pub(crate) async fn start() -> Self {
        let process = Python::serve("grpcio_server.py").await;
        Self { channel: channel(&process.url()), _process: process }
    }

    /// A client with a retry, over one channel.
    fn client(
        &self,
        policy: RetryBuilder,
        idempotent: bool,
    ) -> tonic::client::Grpc<
        impl Service<http::Request<Body>, Response = http::Response<Body>, Error = CallError, Future: Send>
        + Clone,
    > {
        grpc(policy.build().unwrap(), idempotent, &Attempts::default(), self.channel.clone())
    }

    pub(crate) async fn call(
        &self,
        policy: RetryBuilder,
        idempotent: bool,
        method: &'static str,
        asked: Asked<'_>,
    ) -> Result<Response<Bytes>, Status> {
        let mut client = self.client(policy, idempotent);
        soon(client.ready()).await.unwrap();
        soon(client.unary(ask(Bytes::from("order 17"), asked), path(method), Plain)).await
    }

    /// All calls so far, the oldest first.
    pub(crate) async fn seen(&self) -> Vec<Seen> {
        let told = self.call(thrice(), true, "Seen", &[]).await.unwrap().into_inner();
        serde_json::from_slice(&told).unwrap()
    }
}

fn path(method: &'static str) -> PathAndQuery {
    PathAndQuery::try_from(format!("/foreign.Peer/{method}")).unwrap()
}

fn ask<T>(message: T, asked: Asked<'_>) -> Request<T> {
    let mut request = Request::new(message);
    for (name, value) in asked {
        let value = AsciiMetadataValue::try_from(*value).unwrap();
        request.metadata_mut().insert(MetadataKey::from_static(name), value);
    }
    request
}

/// So many attempts, without waits of our own.
pub(crate) fn policy(attempts: u32) -> RetryBuilder {
    RetryPolicy::builder("grpcio").max_attempts(attempts).backoff(Backoff::NONE)
}

#[tokio::test]
async fn a_call_is_made_until_it_succeeds_and_says_how_often_it_was() {
    for failures in 0..4 {
        let peer = Peer::start().await;
        let asked = [("times", &*failures.to_string()), ("code", "14")];

        let answer = peer.call(policy(5), true, "FailTimes", &asked).await;

        assert_eq!(answer.unwrap().into_inner(), "order 17");
        let seen = peer.seen().await;
        assert_eq!(seen.len(), failures + 1);
        for (before, seen) in seen.iter().enumerate() {
            let previous = (before > 0).then(|| before.to_string());
            assert_eq!((&seen.previous, &*seen.body), (&previous, "order 17"));
        }
    }
}

#[tokio::test]
async fn a_call_that_goes_on_failing_ends_as_the_server_ended_it() {
    let peer = Peer::start().await;

    let end = peer.call(policy(3), true, "FailTimes", &[("times", "9"), ("code", "13")]).await;

    let status = end.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Internal, "as asked"));
    assert_eq!(peer.seen().await.len(), 3);
}

/// A call that the server took up may have done anything, whatever the code; only who made it knows better.
#[tokio::test]
async fn a_call_that_is_not_idempotent_is_made_once() {
    let peer = Peer::start().await;
    for code in ["2", "4", "8", "13", "14", "15"] {
        for asked in
            [&[("times", "99"), ("code", code)][..], &[("times", "99"), ("code", code), ("pushback", "1")]]
        {
            let before = peer.seen().await.len();

            let end = peer.call(policy(3), false, "FailTimes", asked).await;

            assert_eq!(end.unwrap_err().code(), Code::from_bytes(code.as_bytes()));
            assert_eq!(peer.seen().await.len() - before, 1, "code {code}");
        }
    }
}

/// What is wrong with the call is wrong with it each time.
#[tokio::test]
async fn an_answer_that_is_no_failure_is_the_answer() {
    let peer = Peer::start().await;
    for code in ["1", "3", "5", "6", "7", "9", "10", "11", "12", "16"] {
        let asked = [("times", "1"), ("code", code), ("call", code)];

        let end = peer.call(policy(3), true, "FailTimes", &asked).await;

        assert_eq!(end.unwrap_err().code(), Code::from_bytes(code.as_bytes()));
    }
    assert_eq!(peer.seen().await.len(), 10);
}

/// Whether an answer with an error has nothing but trailers, seen without us.
async fn is_trailers_only(peer: &Peer, method: &'static str) -> bool {
    let (heads, mut head) = tokio::sync::mpsc::unbounded_channel();
    let inner = peer.channel.clone();
    let watched = service_fn(move |request| {
        let (inner, heads) = (inner.clone(), heads.clone());
        async move {
            let answer = inner.oneshot(request).await?;
            heads.send(answer.headers().contains_key("grpc-status")).unwrap();
            Ok::<_, tonic::transport::Error>(answer)
        }
    });
    let mut client = tonic::client::Grpc::new(watched);
    let asked = ask(Bytes::new(), &[("times", "9"), ("code", "14"), ("call", "watched")]);
    soon(client.unary::<_, Bytes, _>(asked, path(method), Plain)).await.unwrap_err();
    head.recv().await.unwrap()
}

/// Once a head has come the call is committed (gRFC A6), and the error behind it is the caller's.
#[tokio::test]
async fn an_error_behind_a_head_of_its_own_is_the_answer() {
    let peer = Peer::start().await;
    assert!(is_trailers_only(&peer, "FailTimes").await);
    assert!(!is_trailers_only(&peer, "HeadersThenError").await);

    let end = peer.call(policy(3), true, "HeadersThenError", &[("times", "1"), ("code", "14")]).await;

    assert_eq!(end.unwrap_err().code(), Code::Unavailable);
    assert_eq!(peer.seen().await.len(), 2 + 1);
}

/// Unless somebody looks behind the head first; and then still only when there is no message behind it.
#[tokio::test]
async fn an_error_behind_a_head_of_its_own_is_retried_by_who_looks_there() {
    let peer = Peer::start().await;
    let retry = RetryLayer::new(policy(3).build().unwrap()).grpc().rebody(Body::new);
    let stack = ServiceBuilder::new()
        .layer(retry.idempotent_if(|_: &http::Request<Body>| true))
        .layer(PeekLayer::new())
        .service(peer.channel.clone());
    let mut client = tonic::client::Grpc::new(stack);
    let failing = [("times", "1"), ("code", "14"), ("call", "head")];

    soon(client.ready()).await.unwrap();
    let asked = ask(Bytes::from("order 17"), &failing);
    let answer: Response<Bytes> = soon(client.unary(asked, path("HeadersThenError"), Plain)).await.unwrap();

    assert_eq!(answer.metadata().get("early").unwrap(), "yes");
    assert_eq!(answer.into_inner(), "order 17");
    assert_eq!(peer.seen().await.len(), 2);

    soon(client.ready()).await.unwrap();
    let asked = ask(Bytes::from("line"), &[("times", "1"), ("code", "14"), ("call", "stream")]);
    let mut lines =
        soon(client.server_streaming(asked, path("MidStream"), Plain)).await.unwrap().into_inner();
    assert_eq!(soon(lines.message()).await.unwrap(), Some(Bytes::from("line")));
    assert_eq!(soon(lines.message()).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(peer.seen().await.len(), 2 + 1);
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_not_begun_anew() {
    let peer = Peer::start().await;
    let mut client = peer.client(policy(3), true);
    soon(client.ready()).await.unwrap();
    let asked = ask(Bytes::from("line"), &[("times", "1"), ("code", "14")]);

    let answer = soon(client.server_streaming(asked, path("MidStream"), Plain)).await;

    let mut lines = answer.unwrap().into_inner();
    assert_eq!(soon(lines.message()).await.unwrap().unwrap(), "line");
    assert_eq!(soon(lines.message()).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(peer.seen().await.len(), 1);
}

/// A stream of messages that comes from the caller goes again whole, as long as it is kept.
#[tokio::test]
async fn a_stream_of_the_callers_goes_again_as_it_was() {
    for (messages, attempts) in [(10, 2), (100, 1)] {
        let peer = Peer::start().await;
        let mut client = peer.client(policy(3), true);
        soon(client.ready()).await.unwrap();
        let kibibyte = |n| Bytes::from(format!("{n:1024}"));
        let sent = futures_util::stream::iter((0..messages).map(kibibyte));

        let asked = ask(sent, &[("times", "1"), ("code", "14")]);
        let end = soon(client.client_streaming::<_, _, Bytes, _>(asked, path("Echo"), Plain)).await;

        let seen = peer.seen().await;
        assert_eq!(seen.len(), attempts, "{messages} KiB, of which 64 are kept");
        let whole: String = (0..messages).map(|n| format!("{n:1024}")).collect();
        assert!(seen.iter().all(|seen| seen.body == whole));
        match end {
            Ok(answer) => {
                assert_eq!(answer.metadata().get("attempts").unwrap(), "2", "its trailers");
                assert_eq!(answer.into_inner(), whole);
            }
            Err(status) => assert_eq!((status.code(), attempts), (Code::Unavailable, 1)),
        }
    }
}

/// An error may come while the caller is still sending. The next attempt does not wait for the rest, and gets
/// what the last one has had, too.
#[tokio::test]
async fn a_stream_of_the_callers_goes_again_before_it_has_ended() {
    let peer = Peer::start().await;
    let mut client = peer.client(policy(3), true);
    soon(client.ready()).await.unwrap();
    let (say, said) = tokio::sync::mpsc::unbounded_channel();
    let asked = ask(UnboundedReceiverStream::new(said), &[("times", "1"), ("code", "14")]);

    let call = client.client_streaming::<_, _, Bytes, _>(asked, path("EarlyError"), Plain);
    let caller = async {
        say.send(Bytes::from("first, ")).unwrap();
        while peer.seen().await.len() < 2 {}
        say.send(Bytes::from("second")).unwrap();
        drop(say);
    };
    let (answer, ()) = soon(async { tokio::join!(call, caller) }).await;

    assert_eq!(answer.unwrap().into_inner(), "first, second");
    let previous: Vec<_> = peer.seen().await.into_iter().map(|seen| seen.previous).collect();
    assert_eq!(previous, [None, Some("1".to_owned())]);
}
