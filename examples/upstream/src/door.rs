//! A port that can refuse and come back.
//!
//! `axum::serve` and tonic's server stop accepting when they are dropped, but connections they have
//! accepted live on in tasks of their own. A process that dies cuts those too, so the door serves
//! its connections itself.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A port on loopback, open or shut.
#[derive(Debug)]
pub struct Door {
    address: SocketAddr,
    state: State,
}

#[derive(Debug)]
enum State {
    Open(JoinHandle<()>),
    /// A bound socket that does not listen refuses connections, and nobody else can take the port.
    Shut(Option<TcpSocket>),
}

impl Door {
    /// A shut door on a free port of loopback.
    ///
    /// # Errors
    ///
    /// When no port is free.
    pub fn new() -> io::Result<Self> {
        let socket = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(Self { address: socket.local_addr()?, state: State::Shut(Some(socket)) })
    }

    /// Where the door is, open or shut.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves `app` from now on, over HTTP/1 and HTTP/2. Does nothing when it is open.
    ///
    /// # Errors
    ///
    /// When the port cannot be listened on.
    pub fn open(&mut self, app: Router) -> io::Result<()> {
        if let State::Shut(socket) = &mut self.state {
            let socket = socket.take().map_or_else(|| bind(self.address), Ok)?;
            let listener = socket.listen(BACKLOG)?;
            self.state = State::Open(tokio::spawn(serve(listener, app)));
        }
        Ok(())
    }

    /// Refuses connections from now on, and cuts those that are there.
    ///
    /// # Errors
    ///
    /// When the port cannot be had back.
    pub async fn shut(&mut self) -> io::Result<()> {
        if let State::Open(task) = &mut self.state {
            task.abort();
            // The listener and the connections are gone when the task is.
            let _cancelled = task.await;
            self.state = State::Shut(None);
            self.state = State::Shut(Some(bind(self.address)?));
        }
        Ok(())
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let State::Open(task) = &self.state {
            task.abort();
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Connections of an earlier life may still be in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Accepts until aborted; dropping the set cuts every connection.
async fn serve(listener: TcpListener, app: Router) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        // A failed accept concerns one connection, or is over when sockets are free again.
        match listener.accept().await {
            Ok((stream, _)) => drop(connections.spawn(connection(stream, app.clone()))),
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

/// How a connection ends is of no interest: the peer may have left, or it was cut.
async fn connection(stream: TcpStream, app: Router) {
    let _ended = stream.set_nodelay(true);
    let server = auto::Builder::new(TokioExecutor::new());
    let _ended = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app)).await;
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn a_shut_door_refuses_and_cuts_and_comes_back_at_the_same_port() {
        let mut door = Door::new().unwrap();
        assert_eq!(
            TcpStream::connect(door.address()).await.unwrap_err().kind(),
            ErrorKind::ConnectionRefused
        );

        door.open(Router::new()).unwrap();
        let mut connected = TcpStream::connect(door.address()).await.unwrap();

        door.shut().await.unwrap();
        assert!(matches!(connected.read(&mut [0]).await, Ok(0) | Err(_)), "cut");
        assert_eq!(
            TcpStream::connect(door.address()).await.unwrap_err().kind(),
            ErrorKind::ConnectionRefused
        );

        door.open(Router::new()).unwrap();
        TcpStream::connect(door.address()).await.unwrap();
    }
}
