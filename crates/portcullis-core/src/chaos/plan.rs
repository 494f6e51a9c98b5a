//! What one call meets.

use std::time::Duration;

use super::{Config, FaultKind, latency::unit};
use crate::FailureKind;

/// What one call meets. Nothing, by default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// How much later its answer comes.
    pub latency: Duration,
    /// How it ends, if not as the dependency has it.
    pub end: Option<End>,
    /// After how many bytes the response's body breaks off.
    pub cut_after: Option<u64>,
    /// At how many bytes in a second the response's body comes.
    pub bandwidth: Option<u64>,
}

/// How a call ends that does not reach the dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// With a failure of this kind.
    Error(FailureKind),
    /// With the response that the layer was given.
    Response,
    /// With a panic.
    Panic,
    /// Not at all.
    Hang,
}

impl Plan {
    /// Whether nothing happens to the call.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    fn meet(&mut self, what: FaultKind, random: &mut impl FnMut() -> u64) {
        match what {
            FaultKind::Latency(latency) => self.latency = self.latency.saturating_add(latency.draw(random)),
            FaultKind::Error(kind) => self.ends(End::Error(kind)),
            FaultKind::Response => self.ends(End::Response),
            FaultKind::Panic => self.ends(End::Panic),
            FaultKind::Hang => self.ends(End::Hang),
            FaultKind::CutBody(after) => {
                self.cut_after = Some(self.cut_after.map_or(after, |sooner| sooner.min(after)));
            }
            FaultKind::Bandwidth(bytes) => {
                self.bandwidth = Some(self.bandwidth.map_or(bytes, |slower| slower.min(bytes)));
            }
        }
    }

    fn ends(&mut self, end: End) {
        self.end.get_or_insert(end);
    }
}

/// What a call meets that begins so long after the settings were given, by draws of 64 bits. Whether that is
/// [`enabled`](Config::enabled) is for the caller to ask.
pub fn plan(config: &Config, since: Duration, mut random: impl FnMut() -> u64) -> Plan {
    let mut plan = Plan::default();
    if config.schedule.is_none_or(|schedule| schedule.is_active(since)) {
        for fault in &config.faults {
            if unit(random()) < fault.share {
                plan.meet(fault.what, &mut random);
            }
        }
    }
    plan
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::{
        super::{Fault, Latency, Schedule},
        *,
    };

    fn config(faults: &[(f64, FaultKind)]) -> Config {
        let faults = faults.iter().map(|&(share, what)| Fault { share, what }).collect();
        Config { faults, enabled: true, ..Config::default() }
    }

    #[test]
    fn waits_add_up_and_the_first_end_counts() {
        let wait = FaultKind::Latency(Latency::Fixed(Duration::from_secs(1)));
        let all = config(&[(1.0, wait), (1.0, FaultKind::Hang), (1.0, wait), (1.0, FaultKind::Panic)]);
        let met = plan(&all, Duration::ZERO, || u64::MAX);
        assert_eq!((met.latency, met.end), (Duration::from_secs(2), Some(End::Hang)));
    }

    #[test]
    fn the_worst_of_a_kind_counts() {
        let all = config(&[
            (1.0, FaultKind::CutBody(9)),
            (1.0, FaultKind::CutBody(3)),
            (1.0, FaultKind::Bandwidth(10)),
            (1.0, FaultKind::Bandwidth(100)),
        ]);
        let met = plan(&all, Duration::ZERO, || u64::MAX);
        assert_eq!((met.cut_after, met.bandwidth), (Some(3), Some(10)));
    }

    #[test]
    fn as_many_meet_it_as_the_share_says() {
        let tenth = config(&[(0.1, FaultKind::Panic)]);
        let mut draw = 0u64;
        let met = (0..10_000).filter(|_| {
            draw = draw.wrapping_add(u64::MAX / 10_000);
            !plan(&tenth, Duration::ZERO, || draw).is_none()
        });
        assert!((990..=1010).contains(&met.count()));
        let never = config(&[(0.0, FaultKind::Panic)]);
        assert!(plan(&never, Duration::ZERO, || 0).is_none());
    }

    #[test]
    fn nothing_is_met_between_the_spans() {
        let mut all = config(&[(1.0, FaultKind::Panic)]);
        all.schedule = Some(Schedule { active: Duration::from_secs(1), every: Duration::from_secs(2) });
        assert!(!plan(&all, Duration::ZERO, || 0).is_none());
        assert!(plan(&all, Duration::from_secs(1), || 0).is_none());
    }
}
