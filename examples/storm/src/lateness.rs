//! How late the machine itself is.
//!
//! Upstreams, gateways and clients share one process on a machine that may have other things to do. A
//! timer that fires late makes every wait look longer than it was, so the worst lateness is measured and
//! told along with the waits.
//!
//! ```text
//! let lateness = Lateness::watch(&mut tasks);
//! println!("{:?}", lateness.worst());
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// How often it looks.
const EVERY: Duration = Duration::from_millis(5);

/// The worst lateness of a timer so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lateness(Arc<AtomicU64>);

impl Lateness {
    /// Adds a watching task to `tasks`; it goes on until they are dropped.
    pub(crate) fn watch(tasks: &mut JoinSet<()>) -> Self {
        let lateness = Self::default();
        tasks.spawn(lateness.clone().look());
        lateness
    }

    /// The worst so far.
    pub(crate) fn worst(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }

    async fn look(self) {
        loop {
            let due = Instant::now() + EVERY;
            sleep_until(due).await;
            let late = u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.0.fetch_max(late, Ordering::Relaxed);
        }
    }
}
