//! Rules that a configuration brings along as functions.
//!
//! They are called outside of every lock, and may use the breaker that asks them. A function that panics is
//! as good as none at that moment: a call whose own panic is recorded must not end the process by a second.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use super::WindowStatus;
use crate::FailureKind;

/// A rule of one's own: whether what was seen opens the breaker. It is asked after each failure, and after
/// each slow call, that no other rule opened it for. A rule that panics is not met.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::breaker::TripRule;
///
/// // A third of the calls, but never fewer than 7.
/// let rule = TripRule::new(|seen| seen.calls.failures >= 7 && seen.calls.failure_ratio() > 0.33);
/// # let _ = rule;
/// ```
#[derive(Clone)]
pub struct TripRule(Arc<dyn Fn(&Seen) -> bool + Send + Sync>);

/// What a rule of one's own can go by.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Seen {
    /// Of the last calls.
    pub calls: WindowStatus,
    /// Of the last seconds, if there is a time window.
    pub recent: Option<WindowStatus>,
    /// Failures since the last success.
    pub consecutive_failures: u32,
    /// The kind of the call that failed; `None` for a slow success.
    pub failure: Option<FailureKind>,
}

impl TripRule {
    /// A rule.
    pub fn new(rule: impl Fn(&Seen) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(rule))
    }

    pub(crate) fn is_met(&self, seen: &Seen) -> bool {
        catch_unwind(AssertUnwindSafe(|| (self.0)(seen))).unwrap_or(false)
    }
}

/// The open time as a function of what led to it. What it says is held between 1 ms and 24 h. When it
/// panics, the open time is as it would be without it.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::breaker::OpenTime;
/// use std::time::Duration;
///
/// // The more failed, the longer.
/// let time = OpenTime::new(|opening| Duration::from_secs(30).mul_f64(opening.window.failure_ratio()));
/// # let _ = time;
/// ```
#[derive(Clone)]
pub struct OpenTime(Arc<dyn Fn(&Opening) -> Duration + Send + Sync>);

/// What an open time can go by.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Opening {
    /// How many times in a row it has opened without a stable close between; 1 the first time.
    pub times: u32,
    /// The window that opened it; empty when no window did.
    pub window: WindowStatus,
    /// The kind of the last failure.
    pub last_failure: Option<FailureKind>,
    /// For how long the dependency asked to be left alone, at least; zero when it did not ask.
    pub advised: Duration,
}

impl OpenTime {
    /// A function.
    pub fn new(time: impl Fn(&Opening) -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(time))
    }

    /// What it says, unless it panics.
    pub(crate) fn of(&self, opening: &Opening) -> Option<Duration> {
        catch_unwind(AssertUnwindSafe(|| (self.0)(opening))).ok()
    }
}

/// The same function, not one that does the same.
impl PartialEq for TripRule {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The same function, not one that does the same.
impl PartialEq for OpenTime {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for TripRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TripRule")
    }
}

impl fmt::Debug for OpenTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenTime")
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_panics_is_as_good_as_none() {
        let seen =
            Seen { calls: WindowStatus::default(), recent: None, consecutive_failures: 0, failure: None };
        assert!(TripRule::new(|_| true).is_met(&seen));
        assert!(!TripRule::new(|_| panic!("a rule's")).is_met(&seen));
        let opening = Opening {
            times: 1,
            window: WindowStatus::default(),
            last_failure: None,
            advised: Duration::ZERO,
        };
        assert_eq!(OpenTime::new(|_| Duration::MAX).of(&opening), Some(Duration::MAX));
        assert_eq!(OpenTime::new(|_| panic!("an open time's")).of(&opening), None);
    }
}
