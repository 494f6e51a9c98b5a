//! What chaos can be told.

use std::time::Duration;

use super::Latency;
use crate::{ConfigError, FailureKind, check_range};

/// More faults than this are a mistake.
pub const MAX_FAULTS: usize = 100;
/// More bytes than this are as good as all: a terabyte.
const MOST_BYTES: u64 = 1_000_000_000_000;
/// The longest wait, span or period.
pub(super) const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The faults that calls are to meet. By default there are none, and they are off.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Each is drawn for every call, on its own; 100 at most. Waits add up, the first that ends a call ends it.
    pub faults: Vec<Fault>,
    /// When there are any (default: always).
    pub schedule: Option<Schedule>,
    /// Whether there are any at all (default: no).
    pub enabled: bool,
}

/// A fault, and how often it is met.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    /// The share of calls that meet it; 0 to 1.
    pub share: f64,
    /// What they meet.
    pub what: FaultKind,
}

/// What a call can meet.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The answer comes later.
    Latency(Latency),
    /// A failure of this kind, and the dependency is not called.
    Error(FailureKind),
    /// The response that the layer was given for this, and the dependency is not called.
    Response,
    /// A panic.
    Panic,
    /// No answer, ever.
    Hang,
    /// The body of the response breaks off after so many bytes, a terabyte at most.
    CutBody(u64),
    /// The body of the response comes at so many bytes in a second, 1 to a terabyte.
    Bandwidth(u64),
}

impl FaultKind {
    /// The fault's word, as it stands in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Latency(_) => "latency",
            Self::Error(_) => "error",
            Self::Response => "response",
            Self::Panic => "panic",
            Self::Hang => "hang",
            Self::CutBody(_) => "cut_body",
            Self::Bandwidth(_) => "bandwidth",
        }
    }
}

/// Faults for a span of every period, from the moment when the settings are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// How long there are faults; 1 ms to `every`.
    pub active: Duration,
    /// How often that begins; 1 ms to 1 h.
    pub every: Duration,
}

impl Schedule {
    /// Whether there are faults so long after the beginning.
    pub fn is_active(self, since: Duration) -> bool {
        // A period that was checked is no nothing.
        let into = since.as_nanos().checked_rem(self.every.as_nanos()).unwrap_or(0);
        into < self.active.as_nanos()
    }
}

impl Config {
    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_range("chaos.faults", self.faults.len(), 0..=MAX_FAULTS)?;
        for fault in &self.faults {
            check_range("chaos.share", fault.share, 0.0..=1.0)?;
            match fault.what {
                FaultKind::Latency(latency) => latency.check()?,
                FaultKind::Bandwidth(bytes) => check_range("chaos.bandwidth", bytes, 1..=MOST_BYTES)?,
                FaultKind::CutBody(bytes) => check_range("chaos.cut_body", bytes, 0..=MOST_BYTES)?,
                _ => {}
            }
        }
        let Some(schedule) = self.schedule else { return Ok(()) };
        let least = Duration::from_millis(1);
        check_range("chaos.schedule.every", schedule.every, least..=LONGEST)?;
        check_range("chaos.schedule.active", schedule.active, least..=schedule.every)
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    #[test]
    fn by_default_nothing_happens() {
        let config = Config::default();
        assert_eq!(config.check(), Ok(()));
        assert!(config.faults.is_empty() && !config.enabled);
    }

    #[test]
    fn what_cannot_work_names_its_field() {
        let with = |share, what| {
            let config = Config { faults: vec![Fault { share, what }], ..Config::default() };
            config.check().unwrap_err().to_string()
        };
        assert_eq!(with(1.5, FaultKind::Panic), "chaos.share is 1.5: allowed is 0.0 to 1.0");
        assert!(with(f64::NAN, FaultKind::Panic).starts_with("chaos.share"));
        assert!(with(0.5, FaultKind::Bandwidth(0)).starts_with("chaos.bandwidth is 0"));
        let long = Latency::Fixed(Duration::MAX);
        assert!(with(0.5, FaultKind::Latency(long)).starts_with("chaos.latency"));
        let crossed = Latency::Uniform(Duration::from_secs(2), Duration::from_secs(1));
        assert_eq!(with(0.5, FaultKind::Latency(crossed)), "chaos.latency is 2s: allowed is 0ns to 1s");
        let schedule = |active, every| {
            let [active, every] = [active, every].map(Duration::from_secs);
            Config { schedule: Some(Schedule { active, every }), ..Config::default() }.check()
        };
        assert_eq!(schedule(2, 1).unwrap_err().field(), "chaos.schedule.active");
        assert_eq!(schedule(1, 0).unwrap_err().field(), "chaos.schedule.every");
        let many = vec![Fault { share: 0.0, what: FaultKind::Panic }; MAX_FAULTS + 1];
        assert_eq!(Config { faults: many, ..Config::default() }.check().unwrap_err().field(), "chaos.faults");
    }

    #[test]
    fn a_schedule_comes_and_goes() {
        let schedule = Schedule { active: Duration::from_secs(1), every: Duration::from_secs(10) };
        let at = |millis| schedule.is_active(Duration::from_millis(millis));
        assert_eq!([0, 999, 1000, 9999, 10_000, 10_999].map(at), [true, true, false, false, true, true]);
    }
}
