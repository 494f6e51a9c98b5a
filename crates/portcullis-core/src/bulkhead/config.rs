//! What a bulkhead can be told.

use std::time::Duration;

use crate::{ConfigError, check_range};

/// The most permits a bulkhead can have.
pub const MAX_PERMITS: u32 = 1_000_000;
/// More calls than this at a time to one dependency is rarely meant.
pub const DEFAULT_MAX_IN_FLIGHT: u32 = 100;
/// No queue: a call that cannot run now is refused now, which is what keeps a caller alive.
pub const DEFAULT_MAX_QUEUED: u32 = 0;
/// When a queue is asked for, its calls wait no longer than a person would.
pub const DEFAULT_MAX_WAIT: Duration = Duration::from_secs(1);

/// The rules of a bulkhead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Calls that may run at a time (default 100); 1 to 1,000,000.
    pub max_in_flight: u32,
    /// Calls that may wait for a permit (default 0); 0 to 1,000,000. With 0 a call is refused at once.
    pub max_queued: u32,
    /// How long a call may wait (default 1 s); 1 ms to 1 h.
    pub max_wait: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_in_flight: DEFAULT_MAX_IN_FLIGHT,
            max_queued: DEFAULT_MAX_QUEUED,
            max_wait: DEFAULT_MAX_WAIT,
        }
    }
}

impl Config {
    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_range("bulkhead.max_in_flight", self.max_in_flight, 1..=MAX_PERMITS)?;
        check_range("bulkhead.max_queued", self.max_queued, 0..=MAX_PERMITS)?;
        check_range("bulkhead.max_wait", self.max_wait, Duration::from_millis(1)..=Duration::from_secs(3600))
    }
}
