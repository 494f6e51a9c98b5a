//! What the end of a server can be told.

use std::time::Duration;

use crate::{ConfigError, check_range};

/// Long enough for those who ask for readiness every second or two, and for what they tell to get around: proxies,
/// endpoints, caches of DNS.
pub const DEFAULT_ANNOUNCE: Duration = Duration::from_secs(5);
/// Longer than most requests take. Kubernetes kills 30 s after it said so, with the announcement in it: see
/// [`Preset::Kubernetes`](super::Preset::Kubernetes).
pub const DEFAULT_GRACE: Duration = Duration::from_secs(30);
/// At once: who is refused goes elsewhere, and need not wait for that. HTTP says one second, which is its least.
pub const DEFAULT_RETRY_AFTER: Duration = Duration::ZERO;
/// An hour.
pub const LONGEST_ANNOUNCE: Duration = Duration::from_secs(3600);
/// A day, for streams and long work.
pub const LONGEST_GRACE: Duration = Duration::from_secs(24 * 3600);
/// An hour.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The rules by which a server ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// For how long the server says that it wants no more traffic before it refuses any (default 5 s); 0 to 1 h.
    pub announce: Duration,
    /// How long it waits for what is in flight, from when it refuses (default 30 s); 0 to 24 h.
    pub grace: Duration,
    /// When refused calls are told to come again (default: at once, since they go elsewhere); 0 to 1 h.
    pub retry_after: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { announce: DEFAULT_ANNOUNCE, grace: DEFAULT_GRACE, retry_after: DEFAULT_RETRY_AFTER }
    }
}

impl Config {
    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_range("drain.announce", self.announce, Duration::ZERO..=LONGEST_ANNOUNCE)?;
        check_range("drain.grace", self.grace, Duration::ZERO..=LONGEST_GRACE)?;
        check_range("drain.retry_after", self.retry_after, Duration::ZERO..=LONGEST_RETRY_AFTER)
    }
}
