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

/// The origin lies about this long before the system's time at the first look at the clock, so that a
/// runtime whose clock was paused before that look still has a time after the origin.
const HEAD_START: Duration = Duration::from_secs(24 * 60 * 60);

static ORIGIN: OnceLock<Instant> = OnceLock::new();

/// The time now, on tokio's clock; outside a runtime, on the system's monotonic clock.
pub fn now() -> Time {
    let now = Instant::now();
    let origin = *ORIGIN.get_or_init(|| origin(now));
    Time::ORIGIN + now.saturating_duration_since(origin)
}

/// Before the system's clock, and not only before the first look at ours: a paused clock that looks first
/// may have run far ahead of all others. Whole milliseconds before that look, to which times are kept.
fn origin(first_look: Instant) -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a paused clock would not tell")]
    let system = Instant::from_std(std::time::Instant::now());
    let start = system.checked_sub(HEAD_START).unwrap_or(system);
    let ahead = first_look.saturating_duration_since(start).as_millis();
    first_look.checked_sub(Duration::from_millis(ahead as u64)).unwrap_or(first_look)
}

/// The time of day `age` ago, for people to read.
#[cfg(feature = "http")]
pub(crate) fn wall(age: Duration) -> std::time::SystemTime {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the time of day")]
    let now = std::time::SystemTime::now();
    // Times before 1970 cannot be written down, and on a board without a battery 1970 may be now.
    let epoch = std::time::SystemTime::UNIX_EPOCH;
    now.checked_sub(age).map_or(epoch, |at| at.max(epoch))
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_day_is_never_before_what_can_be_shown() {
        let century = Duration::from_secs(100 * 365 * 24 * 60 * 60);
        assert_eq!(wall(century), std::time::SystemTime::UNIX_EPOCH);
        assert_eq!(wall(Duration::MAX), std::time::SystemTime::UNIX_EPOCH);
    }
}
