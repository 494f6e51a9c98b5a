//! What is read from a run.

use std::time::Duration;

use portcullis_core::Time;

use super::scenario::{Phase, Scenario};
use super::trace::{Bucket, Trace};

/// What must hold for so long, averaged, to count: less is noise (5 s have 8000 calls at
/// capacity, give or take 1.1 %).
const WINDOW: Duration = Duration::from_secs(5);
/// Goodput that is as good as all of it.
const ENOUGH: f64 = 0.95;
/// The same while the server is slow, when 5 s have 1600 calls, give or take 2.5 %.
const ENOUGH_SLOW: f64 = 0.90;

/// What one run came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Calls answered in time under steady load, as a share of those that could have been:
    /// of what was offered or of the capacity, whichever is less.
    pub goodput: f64,
    /// The same as a share of the capacity.
    pub of_capacity: f64,
    /// Of the admitted calls under steady load; a call that was given up counts with the
    /// caller's whole patience.
    pub p99: Duration,
    /// From the start to where it stays; `None` when it never does.
    pub start: Option<Duration>,
    /// The server is slow.
    pub slow: Step,
    /// It is itself again.
    pub back: Step,
}

/// What a change of the server's speed came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// From the step to where goodput and p99 stay; `None` when they do not before the
    /// next step.
    pub settled: Option<Duration>,
    /// From the step to where the goodput stays, whatever the latency.
    pub recovered: Option<Duration>,
    /// Goodput over the whole phase, as a share of what was possible.
    pub goodput: f64,
}

impl Figures {
    /// Reads them.
    pub fn of(trace: &Trace, scenario: Scenario) -> Self {
        let steady = goodput(trace, Phase::Steady);
        let start = settled(trace, Phase::Start.begin(), Phase::Steady, scenario, true);
        Self {
            goodput: steady / Phase::Steady.possible(scenario.load),
            of_capacity: steady / super::CAPACITY,
            p99: trace.quantile(0.99),
            start,
            slow: Step::of(trace, Phase::Slow, scenario),
            back: Step::of(trace, Phase::Back, scenario),
        }
    }
}

impl Step {
    fn of(trace: &Trace, phase: Phase, scenario: Scenario) -> Self {
        Self {
            settled: settled(trace, phase.begin(), phase, scenario, true),
            recovered: settled(trace, phase.begin(), phase, scenario, false),
            goodput: goodput(trace, phase) / phase.possible(scenario.load),
        }
    }
}

/// Calls per second answered in time.
fn goodput(trace: &Trace, phase: Phase) -> f64 {
    let good: u32 = trace.between(phase.begin(), phase.end()).iter().map(|bucket| bucket.good).sum();
    f64::from(good) / phase.length().as_secs_f64()
}

/// How long after `begin` the time is from which on all is well until the end of `phase`:
/// in every [`WINDOW`] that begins then or later the goodput is enough, and, where the
/// latency is asked for too, at most 1 % of the admitted took more than three times the
/// unloaded p99 of the moment.
fn settled(trace: &Trace, begin: Time, phase: Phase, scenario: Scenario, latency: bool) -> Option<Duration> {
    let enough = if phase == Phase::Slow { ENOUGH_SLOW } else { ENOUGH };
    let needed = enough * phase.possible(scenario.load) * WINDOW.as_secs_f64();
    let buckets = trace.between(begin, phase.end());
    let mut windows = buckets.windows((WINDOW.as_millis() / Bucket::LENGTH.as_millis()) as usize);
    let is_well = |window: &[Bucket]| {
        let sum = |of: fn(&Bucket) -> u32| window.iter().map(of).sum::<u32>();
        let (good, given_up, late) = (sum(|it| it.good), sum(|it| it.given_up), sum(|it| it.late));
        f64::from(good) >= needed && (!latency || u64::from(late) * 100 <= u64::from(good + given_up))
    };
    let count = windows.len();
    let last_bad = windows.rposition(|window| !is_well(window)).map_or(0, |index| index + 1);
    (last_bad < count).then(|| Bucket::LENGTH * last_bad as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::scenario::Machine;

    const SCENARIO: Scenario = Scenario { machine: Machine::QUICK, load: 2.0, seed: 1 };

    fn trace(good_per_bucket: impl Fn(usize) -> u32, late: impl Fn(usize) -> u32) -> Trace {
        let bucket = |index| Bucket { good: good_per_bucket(index), late: late(index), ..Bucket::default() };
        let mut trace = Trace::new(Machine::QUICK);
        trace.buckets = (0..1500).map(bucket).collect();
        trace
    }

    #[test]
    fn a_run_without_fault_has_settled_at_once() {
        let slow = 600..900;
        let trace = trace(|index| if slow.contains(&index) { 32 } else { 160 }, |_| 0);
        let figures = Figures::of(&trace, SCENARIO);
        assert_eq!(figures.start, Some(Duration::ZERO));
        assert_eq!(figures.back.settled, Some(Duration::ZERO));
        assert!((figures.goodput - 1.0).abs() < 1e-9 && (figures.slow.goodput - 1.0).abs() < 1e-9);
    }

    #[test]
    fn one_window_below_is_not_settled_before() {
        // Nothing for one second, ten seconds after the server is itself again.
        let trace = trace(|index| if (1000..1010).contains(&index) { 0 } else { 160 }, |_| 0);
        // Every window of five seconds has to leave out more than a quarter of the gap.
        let recovered = Figures::of(&trace, SCENARIO).back.recovered.unwrap();
        assert!(recovered > Duration::from_secs(10) && recovered < Duration::from_secs(11), "{recovered:?}");
    }

    #[test]
    fn late_answers_are_goodput_and_yet_not_settled() {
        let trace = trace(|_| 160, |index| if index >= 900 { 2 } else { 0 });
        let back = Figures::of(&trace, SCENARIO).back;
        assert_eq!((back.settled, back.recovered), (None, Some(Duration::ZERO)));
    }
}
