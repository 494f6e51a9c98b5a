//! The one clock of the whole stack: tokio's, which tests can pause and move.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! use std::time::Duration;
//!
//! let before = portcullis::clock::now();
//! tokio::time::sleep(Duration::from_secs(3600)).await; // virtual: returns at once
//! assert_eq!(portcullis::clock::now().since(before), Duration::from_secs(3600));
//! # }
//! ```

use std::{sync::OnceLock, time::Duration};

use portcullis_core::Time;
use tokio::time::Instant;

/// The origin lies this long before the first look at the clock, so that a runtime whose clock was
/// paused before that look still has a time after the origin.
const HEAD_START: Duration = Duration::from_secs(24 * 60 * 60);

static ORIGIN: OnceLock<Instant> = OnceLock::new();

/// The time now, on tokio's clock; outside a runtime, on the system's monotonic clock.
pub fn now() -> Time {
    let now = Instant::now();
    let origin = *ORIGIN.get_or_init(|| now.checked_sub(HEAD_START).unwrap_or(now));
    Time::ORIGIN + now.saturating_duration_since(origin)
}

/// The time of day `age` ago, for people to read.
#[cfg(feature = "http")]
pub(crate) fn wall(age: Duration) -> std::time::SystemTime {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the time of day")]
    let now = std::time::SystemTime::now();
    now.checked_sub(age).unwrap_or(std::time::SystemTime::UNIX_EPOCH)
}
