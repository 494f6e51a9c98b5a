//! The bulkhead's handle.

use std::{
    fmt,
    future::Future,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use portcullis_core::{
    ConfigError, Name, PolicyKind, Reason, Rejection,
    bulkhead::{Config, Enqueued, Full, Semaphore},
    health::Level,
};

use super::{BulkheadBuilder, BulkheadTicket, ticket::Waiting};
use crate::{
    FromRejection, Registry,
    metrics::{
        Measures,
        names::{BULKHEAD_IN_FLIGHT, BULKHEAD_LIMIT, BULKHEAD_QUEUED, CALLS},
    },
    registry::{Policy, Snapshot},
    shard::Sharded,
};

/// A named bulkhead: a cheap handle to shared state. Clones are the same bulkhead.
///
/// It works without tower too:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::BoxError> {
/// use portcullis::{BoxError, Bulkhead};
///
/// let bulkhead = Bulkhead::builder("reports").max_in_flight(2).build()?;
/// let rows = bulkhead.call(|| async { Ok::<_, BoxError>(3) }).await?;
/// assert_eq!((rows, bulkhead.status().in_flight), (3, 0));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Bulkhead {
    pub(super) shared: Sharded<Shared>,
}

pub(super) struct Shared {
    pub(super) name: Name,
    pub(super) semaphore: Semaphore,
    rejected: AtomicU64,
}

/// A bulkhead at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkheadStatus {
    /// Calls that run.
    pub in_flight: u32,
    /// Calls that may run at a time.
    pub limit: u32,
    /// Calls that wait.
    pub queued: u32,
    /// Calls that were refused since it was built.
    pub rejected: u64,
}

/// What a call met.
pub(super) enum Entry {
    Admitted(BulkheadTicket),
    Waiting(Waiting),
}

impl Bulkhead {
    /// A bulkhead with the default [`Config`], in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A bulkhead to be configured.
    pub fn builder(name: impl Into<Name>) -> BulkheadBuilder {
        BulkheadBuilder::new(name.into())
    }

    pub(super) fn from_config(name: Name, config: Config, registry: &Registry) -> Result<Self, ConfigError> {
        let semaphore = Semaphore::new(config)?;
        let shared = Sharded::new(Shared { name: name.clone(), semaphore, rejected: AtomicU64::new(0) });
        registry.join(PolicyKind::Bulkhead, name, shared.value());
        Ok(Self { shared })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        &self.shared.name
    }

    /// Takes a permit that is free now; it is given back when the ticket is dropped.
    ///
    /// # Errors
    ///
    /// The rejection, when none is free. This does not queue; [`admit`](Self::admit) does.
    pub fn try_admit(&self) -> Result<BulkheadTicket, Rejection> {
        self.admit_now().ok_or_else(|| self.refuse())
    }

    /// Takes a permit, waiting in the queue for it if need be. Dropping the future leaves the queue.
    ///
    /// # Errors
    ///
    /// The rejection, when the queue is full, or the longest wait is over.
    pub async fn admit(&self) -> Result<BulkheadTicket, Rejection> {
        match self.enter()? {
            Entry::Admitted(ticket) => Ok(ticket),
            Entry::Waiting(mut waiting) => std::future::poll_fn(|cx| waiting.poll(cx)).await,
        }
    }

    /// Runs `call` once there is a permit. Dropping the future gives the permit back.
    ///
    /// # Errors
    ///
    /// What `call` returned, or the rejection.
    pub async fn call<F, Fut, T, E>(&self, call: F) -> Result<T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: FromRejection,
    {
        let _ticket = self.admit().await.map_err(E::from_rejection)?;
        call().await
    }

    /// Whether a call that came now would be refused.
    #[inline]
    pub fn is_refusing(&self) -> bool {
        self.shared.semaphore.is_refusing()
    }

    /// Everything there is to see.
    pub fn status(&self) -> BulkheadStatus {
        self.shared.status()
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        self.shared.semaphore.config()
    }

    /// A rejection for a call that cannot be put through any more.
    pub(super) fn refuse(&self) -> Rejection {
        self.shared.full(self.shared.semaphore.queued())
    }

    /// A permit that is free now.
    #[inline]
    pub(super) fn admit_now(&self) -> Option<BulkheadTicket> {
        self.shared.semaphore.try_acquire().then(|| BulkheadTicket::new(self.shared.pin()))
    }

    /// A permit, or a place in the queue.
    #[inline]
    fn enter(&self) -> Result<Entry, Rejection> {
        match self.admit_now() {
            Some(ticket) => Ok(Entry::Admitted(ticket)),
            None => self.queue(),
        }
    }

    /// A place in the queue, or a permit that came back meanwhile.
    #[cold]
    #[inline(never)]
    pub(super) fn queue(&self) -> Result<Entry, Rejection> {
        match self.shared.semaphore.enqueue() {
            Ok(Enqueued::Acquired) => Ok(Entry::Admitted(BulkheadTicket::new(self.shared.pin()))),
            Ok(Enqueued::Waiting(place)) => Ok(Entry::Waiting(Waiting::new(self.shared.pin(), place))),
            Err(Full { queued }) => Err(self.shared.full(queued)),
        }
    }
}

impl Shared {
    fn full(&self, queued: u32) -> Rejection {
        let limit = self.semaphore.config().max_in_flight;
        self.reject(Reason::BulkheadFull { limit, queued })
    }

    pub(super) fn reject(&self, reason: Reason) -> Rejection {
        self.rejected.fetch_add(1, Relaxed);
        Rejection::new(self.name.clone(), reason)
    }

    fn status(&self) -> BulkheadStatus {
        BulkheadStatus {
            in_flight: self.semaphore.in_flight(),
            limit: self.semaphore.config().max_in_flight,
            queued: self.semaphore.queued(),
            rejected: self.rejected.load(Relaxed),
        }
    }
}

impl fmt::Debug for Bulkhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulkhead").field("name", self.name()).field("status", &self.status()).finish()
    }
}

impl Policy for Shared {
    fn measure(&self, into: &mut dyn Measures) {
        let status = self.status();
        into.counter(&CALLS, &[PolicyKind::Bulkhead.as_str(), "rejected"], status.rejected);
        into.gauge(&BULKHEAD_IN_FLIGHT, &[], f64::from(status.in_flight));
        into.gauge(&BULKHEAD_LIMIT, &[], f64::from(status.limit));
        into.gauge(&BULKHEAD_QUEUED, &[], f64::from(status.queued));
    }

    fn snapshot(&self) -> Snapshot {
        let status = self.status();
        let full = self.semaphore.is_refusing();
        Snapshot {
            name: self.name.clone(),
            kind: PolicyKind::Bulkhead,
            state: if full { "full" } else { "active" },
            level: if full { Level::Warning } else { Level::Healthy },
            values: vec![
                ("in_flight", status.in_flight.into()),
                ("limit", status.limit.into()),
                ("queued", status.queued.into()),
                ("rejected", status.rejected.into()),
            ],
        }
    }
}
