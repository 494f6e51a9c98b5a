//! The upstream over real connections.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use upstream::{Upstream, soon};

/// The status of a `GET`, by a connection of its own.
async fn get(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut connection = TcpStream::connect(address).await?;
    let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    connection.write_all(head.as_bytes()).await?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    Ok(answer.split(' ').nth(1).unwrap_or_default().to_owned())
}

#[tokio::test]
async fn it_fails_as_often_as_it_is_told() {
    let upstream = Upstream::start().unwrap();
    upstream.fail_next(2);
    for expected in ["503", "503", "200"] {
        assert_eq!(soon(get(upstream.address(), "/stock/7")).await.unwrap(), expected);
    }
    assert_eq!(upstream.seen(), ["GET /stock/7"; 3]);
}

#[tokio::test]
async fn it_is_down_and_says_so() {
    let upstream = Upstream::start().unwrap();
    assert_eq!(soon(get(upstream.address(), "/livez")).await.unwrap(), "200");
    upstream.set_down(true);
    assert_eq!(soon(get(upstream.address(), "/livez")).await.unwrap(), "503");
    assert_eq!(soon(get(upstream.address(), "/stock/7")).await.unwrap(), "503");
}

#[tokio::test]
async fn it_dies_with_its_connections_and_comes_back_at_the_same_port() {
    let mut upstream = Upstream::start().unwrap();
    let mut connected = TcpStream::connect(upstream.address()).await.unwrap();

    upstream.kill().await.unwrap();
    assert!(matches!(soon(connected.read(&mut [0])).await, Ok(0) | Err(_)), "cut");
    let refused = soon(get(upstream.address(), "/")).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);

    upstream.restart().unwrap();
    assert_eq!(soon(get(upstream.address(), "/")).await.unwrap(), "200");
}
