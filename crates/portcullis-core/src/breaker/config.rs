//! What a breaker can be told.

use std::{collections::BTreeMap, time::Duration};

use super::{OpenTime, TripRule};
use crate::{ConfigError, FailureKind, Mode, check_range};

/// Five failures in a row are rarely chance, and few enough to spare callers a long series of timeouts.
pub const DEFAULT_CONSECUTIVE_FAILURES: u32 = 5;
/// Half of the calls failing is past what retries can hide.
pub const DEFAULT_FAILURE_RATIO: f64 = 0.5;
/// Enough calls that one share point is one call.
pub const DEFAULT_WINDOW: u32 = 100;
/// With fewer calls than this, a ratio is noise.
pub const DEFAULT_MINIMUM_CALLS: u32 = 20;
/// As long as an outage must last to be more than a hiccup.
pub const DEFAULT_SPAN: Duration = Duration::from_secs(10);
/// A tenth of the window leaves at a time.
pub const DEFAULT_BUCKETS: u32 = 10;
/// Half of the calls being slow is past what a pool of connections can hide.
pub const DEFAULT_SLOW_RATIO: f64 = 0.5;
/// Long enough for a restart or a failover to make progress, short enough to be forgotten.
pub const DEFAULT_OPEN_FOR: Duration = Duration::from_secs(5);
/// Doubling asks a dependency that stays down half as often each time.
pub const DEFAULT_OPEN_FACTOR: f64 = 2.0;
/// The longest that a recovery should go unnoticed.
pub const DEFAULT_OPEN_CAP: Duration = Duration::from_secs(5 * 60);
/// Enough that a fleet that opened together does not probe together.
pub const DEFAULT_OPEN_JITTER: f64 = 0.1;
/// Closed for this long, an outage is over, and the next is a new one.
pub const DEFAULT_OPEN_RESET_AFTER: Duration = Duration::from_secs(60);
/// A few probes at a time, so that one slow probe does not decide alone.
pub const DEFAULT_PERMITS: u32 = 3;
/// As many successes as there are probes at a time.
pub const DEFAULT_SUCCESSES: u32 = 3;
/// Longer than a healthy call takes; a probe that needs more has shown that the dependency hangs.
pub const DEFAULT_LEASE: Duration = Duration::from_secs(10);

/// The longest time a breaker may be told to stay open or to wait for a probe.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
pub(crate) const SHORTEST: Duration = Duration::from_millis(1);

/// The rules of a breaker. The defaults are safe for a call over a network.
///
/// Times are kept to the millisecond, and may end that much early. Of the rules that open it, the first
/// that is met does.
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
    /// Opens by the share of failures in the last seconds too (default off).
    pub time_window: Option<TimeRule>,
    /// Opens by the share of slow calls too (default off): over the time window if there is one, otherwise
    /// over the last [`window`](Self::window) calls. Costs two clock reads per call.
    pub slow_calls: Option<SlowRule>,
    /// Opens after so many failures of one kind too (default none), counted over the time window if there
    /// is one, otherwise over the last [`window`](Self::window) calls; each 1 to 1,000,000.
    pub kind_limits: BTreeMap<FailureKind, u32>,
    /// Opens by a rule of one's own too (default none).
    pub rule: Option<TripRule>,
    /// How long it stays open before it probes (default 5 s), the first time; 1 ms to 24 h.
    pub open_for: Duration,
    /// What each further open time is multiplied by while it does not work again (default 2); 1 to 10.
    pub open_factor: f64,
    /// No open time grows past this (default 5 min), neither by the factor nor because the dependency asked
    /// for it; 1 ms to 24 h. Less than `open_for` means that it does not grow.
    pub open_cap: Duration,
    /// How much of each open time is left to chance (default 0.1), downwards and after the cap; 0 to 1.
    pub open_jitter: f64,
    /// Closed for this long, it starts again with `open_for` (default 60 s); 0 to 24 h.
    pub open_reset_after: Duration,
    /// The open time as a function, in place of the factor and the jitter (default none).
    pub open_time: Option<OpenTime>,
    /// Probes in flight at a time while half-open (default 3); 1 to 1000.
    pub permits: u32,
    /// Probes that must succeed to close (default 3); 1 to 1000. With [`probe_ratio`](Self::probe_ratio),
    /// probes that must have ended before it decides.
    pub successes: u32,
    /// Closes when less than this share of `successes` probes failed, and opens otherwise; 0.0001 to 1.
    /// By default one failure opens.
    pub probe_ratio: Option<f64>,
    /// The chance of a call to get a free permit (default 1: who comes first); 0.01 to 1. With less, who
    /// probes is drawn by lot, so that a caller who always comes second gets a turn.
    pub probe_chance: f64,
    /// A probe without a result after this time counts as failed (default 10 s); 1 ms to 24 h. It is
    /// noticed when a call finds no permit free: while others answer, one slow probe does not decide alone.
    pub lease: Duration,
    /// Half-open for this long without a decision opens again (default off); 1 ms to 24 h.
    pub max_half_open: Option<Duration>,
    /// After the probes, the share of calls that go through rises from a tenth to all within this time
    /// (default off: all at once); 1 ms to 24 h. Who goes is drawn by lot; a failure opens again.
    pub ramp: Option<Duration>,
    /// A call that is cancelled after at least this time counts as a timeout (default off); 1 ms to 24 h.
    /// Without it, a dependency that hangs under callers that give up is never seen to fail. Costs a
    /// clock read per call.
    pub hung_after: Option<Duration>,
    /// Refuses retries alone (default false): first attempts pass even when it is open. For a dependency
    /// that can bear its callers, but not their retries.
    pub only_retries: bool,
    /// Whether states that end by time do so on time (default false), and not when the next call comes.
    /// Costs a timer while the breaker is not closed. Without a runtime it changes nothing.
    pub automatic: bool,
    /// What happens to calls that are to be refused (default: they are refused).
    pub mode: Mode,
}

/// Opens by the share of failures in the last seconds. A success then costs a look at a coarse clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeRule {
    /// How far it looks back (default 10 s); 1 ms to 24 h.
    pub span: Duration,
    /// In how many steps old calls leave (default 10); 1 to 1000.
    pub buckets: u32,
    /// The share of failures that opens (default 0.5); 0.0001 to 1.
    pub failure_ratio: f64,
    /// No share is asked before this many calls (default 20); 1 to 1,000,000.
    pub minimum_calls: u32,
}

impl Default for TimeRule {
    fn default() -> Self {
        Self {
            span: DEFAULT_SPAN,
            buckets: DEFAULT_BUCKETS,
            failure_ratio: DEFAULT_FAILURE_RATIO,
            minimum_calls: DEFAULT_MINIMUM_CALLS,
        }
    }
}

/// Opens by the share of slow calls, whether they succeed or not. A probe that is slow has failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlowRule {
    /// A call that takes at least this long is slow; 1 ms to 24 h.
    pub after: Duration,
    /// The share of slow calls that opens (default 0.5); 0.0001 to 1.
    pub ratio: f64,
}

impl SlowRule {
    /// Half of the calls taking at least this long.
    pub fn after(time: Duration) -> Self {
        Self { after: time, ratio: DEFAULT_SLOW_RATIO }
    }
}

/// Where a percentage that is none is found.
pub(super) const MODE_FIELD: &str = "breaker.mode.enforce_percent";

impl Default for Config {
    fn default() -> Self {
        Self {
            consecutive_failures: Some(DEFAULT_CONSECUTIVE_FAILURES),
            failure_ratio: Some(DEFAULT_FAILURE_RATIO),
            window: DEFAULT_WINDOW,
            minimum_calls: DEFAULT_MINIMUM_CALLS,
            time_window: None,
            slow_calls: None,
            kind_limits: BTreeMap::new(),
            rule: None,
            open_for: DEFAULT_OPEN_FOR,
            open_factor: DEFAULT_OPEN_FACTOR,
            open_cap: DEFAULT_OPEN_CAP,
            open_jitter: DEFAULT_OPEN_JITTER,
            open_reset_after: DEFAULT_OPEN_RESET_AFTER,
            open_time: None,
            permits: DEFAULT_PERMITS,
            successes: DEFAULT_SUCCESSES,
            probe_ratio: None,
            probe_chance: 1.0,
            lease: DEFAULT_LEASE,
            max_half_open: None,
            ramp: None,
            hung_after: None,
            only_retries: false,
            automatic: false,
            mode: Mode::Enforce,
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
        self.check_rules()?;
        self.check_open_time()?;
        check_range("breaker.permits", self.permits, 1..=1000)?;
        check_range("breaker.successes", self.successes, 1..=1000)?;
        check_share("breaker.probe_ratio", self.probe_ratio)?;
        check_range("breaker.probe_chance", self.probe_chance, 0.01..=1.0)?;
        check_range("breaker.lease", self.lease, SHORTEST..=LONGEST)?;
        check_time("breaker.max_half_open", self.max_half_open)?;
        check_time("breaker.ramp", self.ramp)?;
        check_time("breaker.hung_after", self.hung_after)?;
        self.mode.check(MODE_FIELD)
    }

    fn check_rules(&self) -> Result<(), ConfigError> {
        if let Some(failures) = self.consecutive_failures {
            check_range("breaker.consecutive_failures", failures, 1..=1_000_000)?;
        }
        check_share("breaker.failure_ratio", self.failure_ratio)?;
        check_range("breaker.window", self.window, 1..=1_000_000)?;
        check_range("breaker.minimum_calls", self.minimum_calls, 1..=self.window)?;
        if let Some(rule) = self.time_window {
            check_range("breaker.time_window.span", rule.span, SHORTEST..=LONGEST)?;
            check_range("breaker.time_window.buckets", rule.buckets, 1..=1000)?;
            check_share("breaker.time_window.failure_ratio", Some(rule.failure_ratio))?;
            check_range("breaker.time_window.minimum_calls", rule.minimum_calls, 1..=1_000_000)?;
        }
        if let Some(rule) = self.slow_calls {
            check_range("breaker.slow_calls.after", rule.after, SHORTEST..=LONGEST)?;
            check_share("breaker.slow_calls.ratio", Some(rule.ratio))?;
        }
        self.kind_limits
            .values()
            .try_for_each(|&limit| check_range("breaker.kind_limits", limit, 1..=1_000_000))
    }

    fn check_open_time(&self) -> Result<(), ConfigError> {
        check_range("breaker.open_for", self.open_for, SHORTEST..=LONGEST)?;
        check_range("breaker.open_factor", self.open_factor, 1.0..=10.0)?;
        check_range("breaker.open_cap", self.open_cap, SHORTEST..=LONGEST)?;
        check_range("breaker.open_jitter", self.open_jitter, 0.0..=1.0)?;
        check_range("breaker.open_reset_after", self.open_reset_after, Duration::ZERO..=LONGEST)
    }
}

fn check_share(field: &'static str, share: Option<f64>) -> Result<(), ConfigError> {
    share.map_or(Ok(()), |share| check_range(field, share, 0.0001..=1.0))
}

fn check_time(field: &'static str, time: Option<Duration>) -> Result<(), ConfigError> {
    time.map_or(Ok(()), |time| check_range(field, time, SHORTEST..=LONGEST))
}
