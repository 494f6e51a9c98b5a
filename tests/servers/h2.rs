//! HTTP/2 servers that end streams and connections in every way there is.
//!
//! They speak frames, because no server says on demand that it did not see a stream.

use bytes::Bytes;
use h2::Reason;
use http::{Method, Response, uri::PathAndQuery};
use portcullis::{Delivery, FailureKind};
use portcullis_tests::{
    attempts::Attempts,
    grpc::channel,
    net::{Server, soon},
    plain::Plain,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tonic::Request;

use crate::common::{Host, grpc, thrice};

/// What a server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Of each stream.
    Reset(Reason),
    /// Of the connection, with the stream among those that it began.
    GoAway(Reason),
    /// Of the connection; it says that it did not begin the stream.
    LeftOut(Reason),
    /// Of the connection, before there is a stream.
    AtOnce,
    /// The same, without a word.
    Closed,
}

/// Types of frames (RFC 9113, section 6).
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

/// The length of what a client says first (RFC 9113, section 3.4).
const PREFACE: usize = 24;

/// A frame of words.
fn frame(kind: u8, stream: u32, words: &[u32]) -> Vec<u8> {
    let length = u8::try_from(4 * words.len()).unwrap();
    let mut frame = vec![0, 0, length, kind, 0];
    frame.extend(std::iter::once(&stream).chain(words).flat_map(|word| word.to_be_bytes()));
    frame
}

struct Peer {
    server: Server,
    /// The number of streams on each connection that has ended.
    streams: mpsc::UnboundedReceiver<usize>,
}

impl Peer {
    async fn start(end: End) -> Self {
        let (ended, streams) = mpsc::unbounded_channel();
        let server = Server::start(|listener: TcpListener| async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let ended = ended.clone();
                tokio::spawn(async move {
                    let mut streams = 0;
                    // A client that hangs up is what ends this.
                    let _ = connection(&mut socket, end, &mut streams).await;
                    let _ = ended.send(streams);
                });
            }
        });
        Self { server: server.await, streams }
    }

    fn url(&self) -> String {
        self.server.url("/")
    }

    /// The number of streams on each connection there ever was. None may be open at the client's end.
    async fn end(self) -> Vec<usize> {
        let Self { server, mut streams } = self;
        drop(server);
        let mut all = Vec::new();
        while let Some(one) = soon(streams.recv()).await {
            all.push(one);
        }
        all
    }
}

async fn connection(socket: &mut TcpStream, end: End, streams: &mut usize) -> std::io::Result<()> {
    match end {
        End::Closed => socket.shutdown().await?,
        End::AtOnce => {
            socket.write_all(&frame(SETTINGS, 0, &[])).await?;
            socket.write_all(&frame(GOAWAY, 0, &[0, Reason::NO_ERROR.into()])).await?;
        }
        _ => socket.write_all(&frame(SETTINGS, 0, &[])).await?,
    }
    socket.read_exact(&mut [0; PREFACE]).await?;
    loop {
        let mut head = [0; 9];
        socket.read_exact(&mut head).await?;
        let [_, high, low, kind, _, stream @ ..] = head;
        socket.read_exact(&mut vec![0; usize::from(u16::from_be_bytes([high, low]))]).await?;
        if kind != HEADERS {
            continue;
        }
        *streams += 1;
        let stream = u32::from_be_bytes(stream);
        let answer = match end {
            End::Reset(reason) => frame(RST_STREAM, stream, &[reason.into()]),
            End::GoAway(reason) => frame(GOAWAY, 0, &[stream, reason.into()]),
            End::LeftOut(reason) => frame(GOAWAY, 0, &[stream.saturating_sub(2), reason.into()]),
            End::AtOnce | End::Closed => continue,
        };
        socket.write_all(&answer).await?;
        if matches!(end, End::GoAway(_)) {
            // The stream might still be answered, until the connection ends.
            socket.shutdown().await?;
        }
    }
}

/// How servers end a call, and whether they may have begun it. Of `ENHANCE_YOUR_CALM` nothing else is sure
/// than that it does not ask for more.
const ENDS: [(End, Delivery); 8] = [
    (End::Reset(Reason::REFUSED_STREAM), Delivery::NotProcessed),
    (End::LeftOut(Reason::NO_ERROR), Delivery::NotProcessed),
    (End::LeftOut(Reason::ENHANCE_YOUR_CALM), Delivery::MaybeProcessed),
    (End::GoAway(Reason::NO_ERROR), Delivery::MaybeProcessed),
    (End::GoAway(Reason::ENHANCE_YOUR_CALM), Delivery::MaybeProcessed),
    (End::Reset(Reason::ENHANCE_YOUR_CALM), Delivery::MaybeProcessed),
    (End::Reset(Reason::CANCEL), Delivery::MaybeProcessed),
    (End::Reset(Reason::INTERNAL_ERROR), Delivery::MaybeProcessed),
];

fn attempts(delivery: Delivery, idempotent: bool) -> usize {
    if idempotent || delivery == Delivery::NotProcessed { 3 } else { 1 }
}

#[tokio::test]
async fn what_was_refused_goes_again_and_what_was_broken_off_only_if_idempotent() {
    for (end, delivery) in ENDS {
        for (method, idempotent) in [(Method::GET, true), (Method::POST, false)] {
            let host = Host::http2();
            let peer = Peer::start(end).await;

            let (answer, failed) = host.call(&method, &peer.url()).await;

            assert!(answer.is_err());
            assert_eq!(failed.len(), attempts(delivery, idempotent), "{method} {end:?} {failed:?}");
            for failed in failed {
                assert_eq!(failed.judged, Some((FailureKind::Network, delivery)), "{end:?} {failed:?}");
            }
            drop(host);
            let streams: usize = peer.end().await.into_iter().sum();
            assert_eq!(streams, attempts(delivery, idempotent), "{end:?}");
        }
    }
}

#[tokio::test]
async fn the_same_through_a_channel() {
    for (end, delivery) in ENDS {
        for idempotent in [true, false] {
            let peer = Peer::start(end).await;
            let seen = Attempts::default();
            let mut client = grpc(thrice().build().unwrap(), idempotent, &seen, channel(&peer.url()));

            soon(client.ready()).await.unwrap();
            let call = client.unary(
                Request::new(Bytes::from("order")),
                PathAndQuery::from_static("/shop/Buy"),
                Plain,
            );
            soon(call).await.unwrap_err();

            let failed = seen.take();
            assert_eq!(failed.len(), attempts(delivery, idempotent), "{idempotent} {end:?} {failed:?}");
            for failed in failed {
                assert_eq!(failed.judged, Some((FailureKind::Network, delivery)), "{end:?} {failed:?}");
            }
            drop(client);
            let streams: usize = peer.end().await.into_iter().sum();
            assert_eq!(streams, attempts(delivery, idempotent), "{end:?}");
        }
    }
}

/// A server that goes away before a request has come may get it all the same, and then says, by the number of
/// its last stream, that it did nothing.
#[tokio::test]
async fn what_comes_to_a_server_that_goes_away_goes_again() {
    let host = Host::http2();
    let peer = Peer::start(End::AtOnce).await;

    let (answer, failed) = host.call(&Method::POST, &peer.url()).await;

    assert!(answer.is_err());
    assert_eq!(failed.len(), 3, "{failed:?}");
}

/// One that says nothing may have done anything; unless nothing was sent.
#[tokio::test]
async fn what_comes_to_a_server_that_hangs_up_goes_again_only_when_it_was_not_sent() {
    let host = Host::http2();
    let peer = Peer::start(End::Closed).await;

    let (answer, failed) = host.call(&Method::POST, &peer.url()).await;

    assert!(answer.is_err());
    drop(host);
    let unsent = failed.iter().filter(|failed| failed.canceled || !failed.connected).count();
    assert_eq!(failed.len(), if unsent == 3 { 3 } else { unsent + 1 }, "{failed:?}");
    let silent = peer.end().await.into_iter().filter(|&streams| streams == 0).count();
    assert!(unsent <= silent);
}

/// A real server that refuses the first stream, as it does when it has too many of them.
#[tokio::test]
async fn a_refused_stream_is_taken_when_it_comes_again() {
    let host = Host::http2();
    let server = Server::start(|listener: TcpListener| async move {
        let (socket, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(socket).await.unwrap();
        let (_, mut refused) = connection.accept().await.unwrap().unwrap();
        refused.send_reset(Reason::REFUSED_STREAM);
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            respond.send_response(Response::new(()), true).unwrap();
        }
    });

    let (answer, failed) = host.call(&Method::POST, &server.await.url("/")).await;

    assert_eq!(answer.unwrap().unwrap(), "");
    assert_eq!(failed.len(), 1, "{failed:?}");
}
