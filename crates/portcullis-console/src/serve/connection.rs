//! One connection.

use std::{net::SocketAddr, pin::pin, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;

use super::Ending;

/// A request's head takes no longer, and no longer is nothing asked for.
const HEAD: Duration = Duration::from_secs(10);
/// A client that reads takes some of an answer within this time.
const STALLED: Duration = Duration::from_secs(10);
/// What a head may be long, in bytes: more than any browser sends.
const LARGEST_HEAD: usize = 32 * 1024;
/// Lines of a head.
const MOST_HEADERS: usize = 64;

/// Serves a connection until its end, or until it is told to end.
pub(super) async fn serve(socket: TcpStream, peer: SocketAddr, service: Router, mut ending: Ending) {
    // Events are small, and should not wait for others.
    let _ = socket.set_nodelay(true);
    let mut socket = TimeoutStream::new(socket);
    socket.set_write_timeout(Some(STALLED));
    let inside = ending.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(inside.clone());
        let mut service = service.clone();
        async move { tower_service::Service::call(&mut service, request).await }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .half_close(false)
        .serve_connection(TokioIo::new(Box::pin(socket)), service);
    let mut connection = pin!(connection);
    // What a client does wrong is its own concern: an error ends the connection, and nothing else.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = ending.ended() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
