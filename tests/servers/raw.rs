//! Servers that close a connection before, in and after the head of an answer.

use http::{Method, Uri};
use hyper::client::conn::http1;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
};
use portcullis::{Delivery, FailureKind};
use portcullis_tests::{
    attempts::{Attempts, Failed},
    net::{Server, nowhere, soon},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tower::service_fn;

use crate::common::{Host, request};

/// When a server ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    /// As soon as it is there; what still comes is read.
    AtAccept,
    /// With most of the request unread.
    InRequest,
    AfterRequest,
    /// Not by its end, but by a reset.
    Reset,
    InHead,
    /// Not that it closes early: it speaks something else.
    Garbage,
    InBody,
    /// A connection that was kept, just when it is used again.
    InSecondRequest,
}

pub(crate) struct Peer {
    server: Server,
    /// The bytes of each connection that has ended.
    read: mpsc::UnboundedReceiver<Vec<u8>>,
}

impl Peer {
    pub(crate) async fn start(close: Close) -> Self {
        let (ended, read) = mpsc::unbounded_channel();
        let server = Server::start(|listener: TcpListener| async move {
            while let Ok((socket, _)) = listener.accept().await {
                let ended = ended.clone();
                tokio::spawn(async move {
                    // Nobody may wait for it any more.
                    let _ = ended.send(answer(socket, close).await);
                });
            }
        });
        Self { server: server.await, read }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url("/")
    }

    /// What was read from each connection there ever was. None may be open at the client's end.
    pub(crate) async fn end(self) -> Vec<Vec<u8>> {
        let Self { server, mut read } = self;
        drop(server);
        let mut all = Vec::new();
        while let Some(one) = soon(read.recv()).await {
            all.push(one);
        }
        all
    }
}

/// Serves one connection; what was read from it.
async fn answer(mut socket: TcpStream, close: Close) -> Vec<u8> {
    let mut read = Vec::new();
    match close {
        Close::AtAccept => {
            socket.shutdown().await.unwrap();
            // It may be reset meanwhile.
            let _ = socket.read_to_end(&mut read).await;
            return read;
        }
        Close::InRequest => read.push(socket.read_u8().await.unwrap()),
        _ => whole_request(&mut socket, &mut read).await,
    }
    match close {
        Close::Reset => socket.set_zero_linger().unwrap(),
        Close::InHead => socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-le").await.unwrap(),
        Close::Garbage => socket.write_all(b"220 mail.example ESMTP\r\n\r\n").await.unwrap(),
        Close::InBody => socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhel").await.unwrap(),
        Close::InSecondRequest => {
            socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await.unwrap();
            whole_request(&mut socket, &mut read).await;
        }
        Close::AtAccept | Close::InRequest | Close::AfterRequest => {}
    }
    read
}

/// Reads to the end of a request, or of the connection.
async fn whole_request(socket: &mut TcpStream, read: &mut Vec<u8>) {
    let begin = read.len();
    loop {
        let end: &[u8] = if read[begin..].starts_with(b"GET") { b"\r\n\r\n" } else { b"}" };
        if read[begin..].ends_with(end) || socket.read_buf(read).await.unwrap() == 0 {
            return;
        }
    }
}

/// What is sent twice although it may have been processed, and what could go again and does not.
#[tokio::test]
async fn what_was_sent_goes_again_only_when_it_is_idempotent() {
    let network = FailureKind::Network;
    for (close, kind) in [
        (Close::InRequest, network),
        (Close::AfterRequest, network),
        (Close::Reset, network),
        (Close::InHead, network),
        (Close::Garbage, FailureKind::Other),
    ] {
        for (method, attempts) in [(Method::GET, 3), (Method::PUT, 3), (Method::POST, 1), (Method::PATCH, 1)]
        {
            for host in Host::http1() {
                let peer = Peer::start(close).await;

                let (answer, failed) = host.call(&method, &peer.url()).await;

                assert!(answer.is_err());
                assert_eq!(failed.len(), attempts, "{method} {close:?} {failed:?}");
                for failed in failed {
                    assert_eq!(failed.judged, Some((kind, Delivery::MaybeProcessed)), "{close:?} {failed:?}");
                }
                drop(host);
                let seen = peer.end().await;
                assert_eq!(seen.iter().filter(|sent| !sent.is_empty()).count(), attempts, "{close:?}");
            }
        }
    }
}

/// An answer whose head has come is the answer, also when it breaks off.
#[tokio::test]
async fn what_was_answered_does_not_go_again() {
    for method in [Method::GET, Method::POST] {
        for host in Host::http1() {
            let peer = Peer::start(Close::InBody).await;

            let (answer, failed) = host.call(&method, &peer.url()).await;

            answer.unwrap().expect_err("its body breaks off");
            assert_eq!(failed, []);
            drop(host);
            assert_eq!(peer.end().await.len(), 1);
        }
    }
}

/// A connection that was kept, and is closed just when it is used again. That is nothing to a GET, and to a
/// POST it is as any other connection that breaks.
#[tokio::test]
async fn a_kept_connection_may_end_at_any_time() {
    for (method, again) in [(Method::GET, true), (Method::POST, false)] {
        for host in Host::http1() {
            let peer = Peer::start(Close::InSecondRequest).await;
            let (first, _) = host.call(&method, &peer.url()).await;
            assert_eq!(first.unwrap().unwrap(), "hello");

            let (second, failed) = host.call(&method, &peer.url()).await;

            assert_eq!(second.is_ok(), again);
            let judged: Vec<_> = failed.iter().map(|failed| failed.judged).collect();
            assert_eq!(judged, [Some((FailureKind::Network, Delivery::MaybeProcessed))]);
            drop(host);
            let requests = peer.end().await.into_iter().map(|sent| count(&sent, b"HTTP/1.1"));
            assert_eq!(requests.collect::<Vec<_>>(), if again { vec![2, 1] } else { vec![2] });
        }
    }
}

/// How often something was sent.
fn count(sent: &[u8], what: &[u8]) -> usize {
    sent.windows(what.len()).filter(|window| *window == what).count()
}

/// Where nobody listens nothing is sent, whatever the method.
#[tokio::test]
async fn what_found_no_connection_goes_again() {
    for method in [Method::GET, Method::POST] {
        for host in Host::http1() {
            let (answer, failed) = host.call(&method, &nowhere()).await;

            assert!(answer.is_err());
            assert_eq!(failed.len(), 3);
            for failed in failed {
                assert_eq!(failed.judged, Some((FailureKind::Connection, Delivery::NotSent)));
                assert!(!failed.connected, "{failed:?}");
            }
        }
    }
}

/// Of a connection that ends at once, the client may or may not know before it sends. hyper promises nowhere
/// that what it cancels was not sent; here it is seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_judged_as_not_sent_was_not_sent() {
    for n in 0..50 {
        let host = &Host::http1()[n % 2];
        let peer = Peer::start(Close::AtAccept).await;

        let (answer, failed) = host.call(&Method::POST, &peer.url()).await;

        assert!(answer.is_err());
        let maybe = failed.iter().position(|failed| !unsent(failed));
        assert_eq!(failed.len(), maybe.map_or(3, |maybe| maybe + 1), "{failed:?}");
        for failed in &failed {
            assert_eq!(unsent(failed), failed.canceled || !failed.connected, "{failed:?}");
        }
        let silent = peer.end().await.iter().filter(|sent| sent.is_empty()).count();
        let unsent = failed.iter().filter(|failed| unsent(failed)).count();
        assert!(unsent <= silent, "{unsent} not sent, but {silent} that sent nothing: {failed:?}");
    }
}

fn unsent(failed: &Failed) -> bool {
    failed.judged == Some((FailureKind::Connection, Delivery::NotSent))
}

/// The same for certain: the connection is gone before the request is.
#[tokio::test]
async fn what_hyper_cancels_was_not_sent() {
    let (near, mut far) = tokio::io::duplex(1024);
    let (mut sender, connection) = http1::handshake(TokioIo::new(near)).await.unwrap();
    let attempts = Attempts::default();

    let answer = sender.send_request(request(&Method::POST, "/"));
    drop(connection);
    let error = attempts.note()(answer.await.unwrap_err());

    let [failed] = attempts.take().try_into().unwrap();
    assert!(failed.canceled && unsent(&failed), "{error:?}");
    let mut sent = Vec::new();
    assert_eq!(far.read_to_end(&mut sent).await.unwrap(), 0);
}

/// The same for a whole client, whose connection has ended when it gets it: hyper-util does not say of the call
/// that it had a connection, or that it was cancelled.
#[tokio::test]
async fn what_has_no_connection_in_the_end_was_not_sent() {
    let connect = |uri: Uri| async move {
        let socket = TcpStream::connect(uri.authority().unwrap().as_str()).await?;
        socket.peek(&mut [0]).await?;
        Ok::<_, std::io::Error>(TokioIo::new(socket))
    };
    for http2 in [false, true] {
        let peer = Peer::start(Close::AtAccept).await;
        let connector = service_fn(move |uri| Box::pin(connect(uri)));
        let client = Client::builder(TokioExecutor::new()).http2_only(http2).build(connector);
        let attempts = Attempts::default();

        let call = client.request(request(&Method::POST, &peer.url()));
        let error = attempts.note()(soon(call).await.unwrap_err());

        let [failed] = attempts.take().try_into().unwrap();
        assert!(unsent(&failed), "{error:?}");
        assert_eq!((failed.connected, failed.canceled), (http2, http2), "{error:?}");
        drop(client);
        assert_eq!(peer.end().await.iter().map(|sent| count(sent, b"order")).sum::<usize>(), 0);
    }
}

/// A request that hyper's client itself will not send says nothing about the dependency, and is refused at every
/// try. That it will not is told by a word alone.
#[tokio::test]
async fn what_the_client_will_not_send_is_not_retried() {
    let [hyper, _] = Host::http1();
    let (answer, failed) = hyper.call(&Method::GET, "/relative").await;
    assert!(answer.is_err());
    assert_eq!(failed.iter().map(|failed| failed.judged).collect::<Vec<_>>(), [None]);
}
