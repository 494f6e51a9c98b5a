//! How late a runtime is.

use std::time::Duration;

use portcullis_core::Time;

use crate::clock;

/// Timers of tokio are rounded up to this.
pub(crate) const GRAIN: Duration = Duration::from_millis(1);

/// Sleeps for this time, and goes once through the queue: who is woken by a timer may go before all others. Says
/// when it was its turn.
pub(crate) async fn look(tick: Duration) -> Time {
    tokio::time::sleep(tick).await;
    tokio::task::yield_now().await;
    clock::now()
}
