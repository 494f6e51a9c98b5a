//! What a breaker can be told.

use std::time::Duration;

use crate::{ConfigError, check_range};

/// Five failures in a row are rarely chance, and few enough to spare callers a long series of timeouts.
pub const DEFAULT_CONSECUTIVE_FAILURES: u32 = 5;
/// Half of the calls failing is past what retries can hide.
pub const DEFAULT_FAILURE_RATIO: f64 = 0.5;
/// Enough calls that one share point is one call.
pub const DEFAULT_WINDOW: u32 = 100;
/// With fewer calls than this, a ratio is noise.
pub const DEFAULT_MINIMUM_CALLS: u32 = 20;
/// Long enough for a restart or a failover to make progress, short enough to be forgotten.
pub const DEFAULT_OPEN_FOR: Duration = Duration::from_secs(5);
/// A few probes at a time, so that one slow probe does not decide alone.
pub const DEFAULT_PERMITS: u32 = 3;
/// As many successes as there are probes at a time.
pub const DEFAULT_SUCCESSES: u32 = 3;
/// Longer than a healthy call takes; a probe that needs more has shown that the dependency hangs.
pub const DEFAULT_LEASE: Duration = Duration::from_secs(10);

/// The longest time a breaker may be told to stay open or to wait for a probe.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
const SHORTEST: Duration = Duration::from_millis(1);

/// The rules of a breaker. The defaults are safe for a call over a network.
///
/// Times are kept to the millisecond, and may end that much early.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Opens after this many failures in a row (default 5); 1 to 1,000,000; `None` turns the rule off.
    pub consecutive_failures: Option<u32>,
    /// Opens when this share of the last [`window`](Self::window) calls failed (default 0.5); 0.0001 to 1;
    /// `None` turns the rule off.
    pub failure_ratio: Option<f64>,
    /// How many of the last calls the ratio is taken over (default 100); 1 to 1,000,000.
    pub window: u32,
    /// The ratio is not asked before this many calls (default 20); 1 to `window`.
    pub minimum_calls: u32,
    /// How long it stays open before it probes (default 5 s); 1 ms to 24 h.
    pub open_for: Duration,
    /// Probes in flight at a time while half-open (default 3); 1 to 1000.
    pub permits: u32,
    /// Probes that must succeed to close (default 3); 1 to 1000.
    pub successes: u32,
    /// A probe without a result after this time counts as failed (default 10 s); 1 ms to 24 h. It is
    /// noticed when a call finds no permit free: while others answer, one slow probe does not decide alone.
    pub lease: Duration,
    /// Half-open for this long without a decision opens again (default off); 1 ms to 24 h.
    pub max_half_open: Option<Duration>,
    /// A call that is cancelled after at least this time counts as a timeout (default off); 1 ms to 24 h.
    /// Without it, a dependency that hangs under callers that give up is never seen to fail. Costs a
    /// clock read per call.
    pub hung_after: Option<Duration>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            consecutive_failures: Some(DEFAULT_CONSECUTIVE_FAILURES),
            failure_ratio: Some(DEFAULT_FAILURE_RATIO),
            window: DEFAULT_WINDOW,
            minimum_calls: DEFAULT_MINIMUM_CALLS,
            open_for: DEFAULT_OPEN_FOR,
            permits: DEFAULT_PERMITS,
            successes: DEFAULT_SUCCESSES,
            lease: DEFAULT_LEASE,
            max_half_open: None,
            hung_after: None,
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
        if let Some(failures) = self.consecutive_failures {
            check_range("breaker.consecutive_failures", failures, 1..=1_000_000)?;
        }
        if let Some(ratio) = self.failure_ratio {
            check_range("breaker.failure_ratio", ratio, 0.0001..=1.0)?;
        }
        check_range("breaker.window", self.window, 1..=1_000_000)?;
        check_range("breaker.minimum_calls", self.minimum_calls, 1..=self.window)?;
        check_range("breaker.open_for", self.open_for, SHORTEST..=LONGEST)?;
        check_range("breaker.permits", self.permits, 1..=1000)?;
        check_range("breaker.successes", self.successes, 1..=1000)?;
        check_range("breaker.lease", self.lease, SHORTEST..=LONGEST)?;
        if let Some(max) = self.max_half_open {
            check_range("breaker.max_half_open", max, SHORTEST..=LONGEST)?;
        }
        if let Some(age) = self.hung_after {
            check_range("breaker.hung_after", age, SHORTEST..=LONGEST)?;
        }
        Ok(())
    }
}
