//! Servers over loopback sockets, and waiting for them.

use std::{
    future::Future,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::Router;
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::Semaphore,
    task::JoinHandle,
};

/// A server on a port of its own, gone when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Runs what `serve` makes of a listener.
    ///
    /// # Panics
    ///
    /// When there is no free port.
    pub async fn start<F, Fut>(serve: F) -> Self
    where
        F: FnOnce(TcpListener) -> Fut,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        Self { address, task: tokio::spawn(serve(listener)) }
    }

    /// Serves a router as its users do: by plain `axum::serve`.
    pub async fn axum(router: Router) -> Self {
        Self::start(|listener| async move {
            axum::serve(listener, router).await.expect("it serves");
        })
        .await
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An address where nobody listens, and nobody will until the process ends.
///
/// # Panics
///
/// When there is no free port.
pub fn nowhere() -> String {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
    let address = socket.local_addr().expect("it is bound");
    // A port that was given back may be the next test's server.
    std::mem::forget(socket);
    format!("http://{address}")
}

/// A client with connections of its own.
///
/// # Panics
///
/// When reqwest cannot make one.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

/// Far more than anything on loopback takes, also on a machine that is busy with other things.
const LONG: Duration = Duration::from_secs(60);

/// Waits for what must happen soon, and fails rather than hangs if it does not.
///
/// # Panics
///
/// After a minute.
pub async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(LONG, future).await.expect("it happens soon")
}

/// A place in a handler where calls wait until the test lets them on.
#[derive(Clone, Debug)]
pub struct Gate(Arc<State>);

#[derive(Debug)]
struct State {
    open: Semaphore,
    inside: AtomicUsize,
    most: AtomicUsize,
    entered: AtomicUsize,
}

impl Default for Gate {
    fn default() -> Self {
        let none = || AtomicUsize::new(0);
        Self(Arc::new(State { open: Semaphore::new(0), inside: none(), most: none(), entered: none() }))
    }
}

impl Gate {
    /// Waits for the gate to open.
    pub async fn pass(&self) {
        let inside = Inside::enter(self.clone());
        let passed = self.0.open.acquire().await;
        drop((inside, passed));
    }

    /// Lets everybody pass, now and later.
    pub fn open(&self) {
        self.0.open.close();
    }

    /// The most calls that ever were inside at once.
    pub fn most(&self) -> usize {
        self.0.most.load(SeqCst)
    }

    /// How many calls came in.
    pub fn entered(&self) -> usize {
        self.0.entered.load(SeqCst)
    }

    /// How many calls are inside.
    pub fn inside(&self) -> usize {
        self.0.inside.load(SeqCst)
    }
}

struct Inside(Gate);

impl Inside {
    fn enter(gate: Gate) -> Self {
        gate.0.entered.fetch_add(1, SeqCst);
        let inside = gate.0.inside.fetch_add(1, SeqCst) + 1;
        gate.0.most.fetch_max(inside, SeqCst);
        Self(gate)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.0.inside.fetch_sub(1, SeqCst);
    }
}
