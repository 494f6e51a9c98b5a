//! Asks by HTTP.

use std::error::Error;

use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::health::Answer;

/// More than any health document has.
const MOST_BYTES: usize = 4 << 20;
const HTTP_PORT: u16 = 80;

/// Asks once, over a connection of its own.
pub(crate) async fn ask(uri: &Uri) -> Result<Answer, Box<dyn Error + Send + Sync>> {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let socket = TcpStream::connect((host, uri.port_u16().unwrap_or(HTTP_PORT))).await?;
    let (mut client, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await?;
    // It ends with the runtime at the latest.
    drop(tokio::spawn(connection));
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path)
        .header(header::HOST, uri.authority().map_or("", |authority| authority.as_str()))
        .header(header::ACCEPT, "application/json")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())?;
    let (head, body) = client.send_request(request).await?.into_parts();
    let body = Limited::new(body, MOST_BYTES).collect().await?.to_bytes();
    Ok(Answer::of_http(head.status, &body))
}
