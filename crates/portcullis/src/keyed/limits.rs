//! How much a keyed map may hold, and for how long.

use std::time::Duration;

use portcullis_core::{ConfigError, check_range};

/// Some 2 MB of breakers: more hosts than a service calls, and nothing that a flood of keys could hurt with.
pub const DEFAULT_MAX_KEYS: usize = 10_000;
/// Longer than the longest open time that a breaker has by default, so that nothing of interest is forgotten.
pub const DEFAULT_IDLE_AFTER: Duration = Duration::from_secs(10 * 60);

/// Beyond it, a number of keys is a mistake rather than a limit.
const MOST_KEYS: usize = 1 << 24;
const SHORTEST_IDLE: Duration = Duration::from_millis(1);
const LONGEST_IDLE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The bounds of a [`Keyed`](super::Keyed) map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most keys at a time (default 10,000); 1 to 16,777,216.
    pub max_keys: usize,
    /// A key that was not used for this long is forgotten (default 10 min); 1 ms to 30 days.
    pub idle_after: Duration,
}

impl Limits {
    /// Checks each value against its range.
    ///
    /// ```
    /// use portcullis::keyed::Limits;
    ///
    /// let error = Limits { max_keys: 0, ..Limits::default() }.check().unwrap_err();
    /// assert_eq!(error.to_string(), "keyed.max_keys is 0: allowed is 1 to 16777216");
    /// ```
    ///
    /// # Errors
    ///
    /// The first value outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_range("keyed.max_keys", self.max_keys, 1..=MOST_KEYS)?;
        check_range("keyed.idle_after", self.idle_after, SHORTEST_IDLE..=LONGEST_IDLE)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_keys: DEFAULT_MAX_KEYS, idle_after: DEFAULT_IDLE_AFTER }
    }
}
