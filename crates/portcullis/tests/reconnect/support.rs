//! A connector whose connections break as they are told.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};

use portcullis::{BoxError, Reconnect, Registry, reconnect::ReconnectBuilder, retry::Backoff};
use tokio::sync::Semaphore;
use tower::Service;

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// In a registry of its own; a second between attempts.
pub(crate) fn reconnect() -> ReconnectBuilder {
    let backoff = Backoff::fixed(ms(1000)).jitter(portcullis::retry::Jitter::None);
    Reconnect::builder("inventory").backoff(backoff).registry(&Registry::new())
}

/// A dependency. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Dependency(Arc<Shared>);

struct Shared {
    attempts: AtomicU32,
    refuses: AtomicBool,
    spoils: AtomicBool,
    /// Attempts wait for one of these.
    doors: Semaphore,
    /// Whether each connection is broken.
    broken: Mutex<Vec<Arc<AtomicBool>>>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            attempts: AtomicU32::new(0),
            refuses: AtomicBool::new(false),
            spoils: AtomicBool::new(false),
            doors: Semaphore::new(Semaphore::MAX_PERMITS),
            broken: Mutex::default(),
        }
    }
}

impl Dependency {
    /// One that lets nobody in until it is told.
    pub(crate) fn shut() -> Self {
        Self(Arc::new(Shared { doors: Semaphore::new(0), ..Shared::default() }))
    }

    pub(crate) fn let_in(&self, attempts: usize) {
        self.0.doors.add_permits(attempts);
    }

    pub(crate) fn refuse(&self, refuses: bool) {
        self.0.refuses.store(refuses, SeqCst);
    }

    /// Lets in, with connections that are broken.
    pub(crate) fn spoil(&self, spoils: bool) {
        self.0.spoils.store(spoils, SeqCst);
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.0.attempts.load(SeqCst)
    }

    /// All connections that there are.
    pub(crate) fn break_all(&self) {
        self.0.broken.lock().unwrap().iter().for_each(|broken| broken.store(true, SeqCst));
    }

    pub(crate) fn connector(
        &self,
    ) -> impl Service<u16, Response = Connection, Error = BoxError, Future: Send> + Send + 'static {
        let dependency = self.clone();
        tower::service_fn(move |port: u16| {
            let dependency = dependency.clone();
            async move { dependency.connect(port).await }
        })
    }

    async fn connect(self, port: u16) -> Result<Connection, BoxError> {
        self.0.attempts.fetch_add(1, SeqCst);
        self.0.doors.acquire().await?.forget();
        if self.0.refuses.load(SeqCst) {
            return Err(io::Error::from(io::ErrorKind::ConnectionRefused).into());
        }
        let broken = Arc::new(AtomicBool::new(self.0.spoils.load(SeqCst)));
        self.0.broken.lock().unwrap().push(broken.clone());
        Ok(Connection { port, broken })
    }
}

#[derive(Clone)]
pub(crate) struct Connection {
    port: u16,
    broken: Arc<AtomicBool>,
}

impl Service<u32> for Connection {
    type Response = u32;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<u32>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let broken = self.broken.load(SeqCst);
        Poll::Ready(if broken { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) })
    }

    fn call(&mut self, n: u32) -> Self::Future {
        std::future::ready(Ok(n + u32::from(self.port)))
    }
}
