//! A port of its own.

mod connection;
mod ending;

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream, ToSocketAddrs},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

pub(crate) use ending::Ending;
use ending::Sign;

use crate::Console;

/// How long answers have that are on their way when it ends.
const GRACE: Duration = Duration::from_secs(1);
/// When the system has no more sockets, asking again at once only takes time.
const PAUSE: Duration = Duration::from_millis(100);

/// A console on a port of its own. Dropped, it takes no more connections, ends the streams, and cuts what is not answered
/// within a second.
#[must_use = "dropped, it ends"]
pub struct Server {
    address: SocketAddr,
    sign: Sign,
    task: JoinHandle<()>,
}

impl Console {
    /// Serves the console on a port of its own, from now until the [`Server`] is dropped.
    ///
    /// Clients that send no request, or do not read their answer, are cut after ten seconds, so that they hold no
    /// connection; see [`connections`](crate::ConsoleBuilder::connections). It speaks HTTP/1.1, without TLS: from other
    /// machines a token should come through something that speaks TLS, such as a proxy.
    ///
    /// # Errors
    ///
    /// When the address cannot be had.
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves nothing behind.
    pub async fn serve(&self, address: impl ToSocketAddrs) -> io::Result<Server> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let sign = Sign::new();
        let task = tokio::spawn(accept(self.clone(), listener, sign.ending()));
        Ok(Server { address, sign, task })
    }
}

impl Server {
    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the page.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Ends it, and waits until it has ended: a second at most.
    pub async fn shutdown(mut self) {
        self.sign.give();
        // An error says that it has ended already.
        let _ = (&mut self.task).await;
    }
}

/// One after the other, until the end.
async fn accept(console: Console, listener: TcpListener, mut ending: Ending) {
    let room = Arc::new(Semaphore::new(console.0.connections));
    let service = console.router();
    drop(console);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = ending.ended() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    // Without room it is closed at once, and nobody waits in a line that does not move.
                    if let Ok(permit) = room.clone().try_acquire_owned() {
                        connections.spawn(serve(socket, peer, service.clone(), ending.clone(), permit));
                    }
                }
                Err(_) => sleep(PAUSE).await,
            },
        }
    }
    drop(listener);
    // What is left then is cut when the set is dropped.
    let _ = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
}

async fn serve(
    socket: TcpStream,
    peer: SocketAddr,
    service: axum::Router,
    ending: Ending,
    _room: OwnedSemaphorePermit,
) {
    connection::serve(socket, peer, service, ending).await;
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}
