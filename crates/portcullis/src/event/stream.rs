//! Events for a task to read.

use std::{
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::{Event, hub::Inner};

/// The events of a hub from when it was made, in a bounded buffer.
///
/// A reader that falls behind by more than [`STREAM_BUFFER`](super::STREAM_BUFFER) events loses the oldest, is told
/// how many it lost, and goes on with what is left.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::BoxError> {
/// use portcullis::{Breaker, Registry, event::Received};
///
/// let registry = Registry::new();
/// let mut events = registry.events().subscribe("audit");
/// let breaker = Breaker::builder("inventory").registry(&registry).build()?;
/// breaker.isolate();
/// breaker.try_admit().unwrap_err();
///
/// let Some(Received::Event(event)) = events.next().await else { panic!("nothing was lost") };
/// assert_eq!(&*event.policy, "inventory");
/// # Ok(()) }
/// ```
pub struct EventStream {
    events: Receiver<Event>,
    /// How many this subscriber has lost, with others of its name.
    lost: Arc<AtomicU64>,
    hub: Weak<Inner>,
}

/// What a stream of events yields.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// An event.
    Event(Event),
    /// So many events were lost here, because they were not read in time.
    Lagged(u64),
}

impl EventStream {
    pub(super) fn new(events: Receiver<Event>, lost: Arc<AtomicU64>, hub: Weak<Inner>) -> Self {
        Self { events, lost, hub }
    }

    /// The next event, or how many were lost before it. `None` when there will be no more: the registry
    /// and all its policies are gone.
    ///
    /// A future that is dropped before it is ready takes no event with it.
    pub async fn next(&mut self) -> Option<Received> {
        match self.events.recv().await {
            Ok(event) => Some(Received::Event(event)),
            Err(RecvError::Lagged(lost)) => {
                self.lost.fetch_add(lost, Relaxed);
                Some(Received::Lagged(lost))
            }
            Err(RecvError::Closed) => None,
        }
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        if let Some(hub) = self.hub.upgrade() {
            hub.leave_audience();
        }
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").field("waiting", &self.events.len()).finish_non_exhaustive()
    }
}
