//! Was it worth it: what the recorded numbers say, without a word of opinion.
//!
//! ```text
//! let verdict = Verdict::of(&[unprotected, protected], &schedule, &lateness.gaps());
//! assert_eq!(verdict.word, Word::Pass);
//! ```

use std::time::Duration;

use serde::Serialize;

use crate::gateway::{DEADLINE, TOLERANCE};
use crate::lateness::Gaps;
use crate::record::Counts;
use crate::schedule::{BUCKET, Fault, Part, Phase, Schedule};
use crate::side::Outcome;

/// Goodput is back when it is this share of what it was.
const RECOVERED: f64 = 0.99;
/// For how long goodput must stay back.
const STEADY: Duration = Duration::from_secs(1);

/// One condition, and whether it holds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Check {
    /// The condition with its numbers.
    pub(crate) what: String,
    /// Whether it holds.
    pub(crate) passed: bool,
}

/// What it comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Word {
    /// All promises were kept.
    Pass,
    /// Some were broken.
    Fail,
    /// Some were broken, perhaps by the machine, which was away for too long to tell.
    None,
}

impl Word {
    /// As it is printed.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::None => "NONE",
        }
    }
}

/// All conditions on the protected side.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Verdict {
    /// The conditions in the order of the report.
    pub(crate) checks: Vec<Check>,
    /// What they come to.
    pub(crate) word: Word,
    /// The most that the machine was away while somebody waited for a whole deadline. More than is allowed for
    /// the way and a busy machine, and broken promises prove nothing.
    pub(crate) away: Duration,
}

impl Verdict {
    /// Judges the protected side, which comes last, against the unprotected one, on a machine that was away in
    /// the gaps.
    pub(crate) fn of(outcomes: &[Outcome], schedule: &Schedule, gaps: &Gaps) -> Self {
        let checks = match outcomes {
            [unprotected, protected] => {
                vec![
                    waits(protected, gaps),
                    load(unprotected, protected, schedule),
                    hides(unprotected, protected, schedule),
                    comes_back(protected, schedule),
                ]
            }
            _ => Vec::new(),
        };
        let away = gaps.worst(DEADLINE);
        let word = if !checks.is_empty() && checks.iter().all(|check| check.passed) {
            Word::Pass
        } else if away > TOLERANCE {
            Word::None
        } else {
            Word::Fail
        };
        Self { checks, word, away }
    }
}

fn waits(protected: &Outcome, gaps: &Gaps) -> Check {
    let book = &protected.book;
    let in_gaps = book.overlong.iter().map(|wait| (wait.end - wait.start, gaps.within(wait)));
    let (longest, away) =
        in_gaps.max_by_key(|(took, away)| *took - *away).unwrap_or((book.longest(), Duration::ZERO));
    let what = format!(
        "no request waits longer than its deadline of {} ms: the longest took {} ms \
         ({} ms allowed for the way, the machine was away for {} ms of it)",
        DEADLINE.as_millis(),
        longest.as_millis(),
        TOLERANCE.as_millis(),
        away.as_millis()
    );
    Check { what, passed: longest - away <= DEADLINE + TOLERANCE }
}

fn load(unprotected: &Outcome, protected: &Outcome, schedule: &Schedule) -> Check {
    let faults = || schedule.phases().iter().filter(|phase| phase.fault() != Fault::None);
    let total = |side: &Outcome| faults().map(|phase| upstream_load(side, phase)).sum::<u64>();
    let (before, now) = (total(unprotected), total(protected));
    let falls = |phase: &Phase| match phase.fault() {
        // A refusing upstream sees nothing of either side. A flaky one bears the retries that hide its
        // errors, and can: it counts in the total only.
        Fault::Refused | Fault::Flaky => true,
        _ => upstream_load(protected, phase) < upstream_load(unprotected, phase),
    };
    let what = format!("broken upstreams get less load: {now} requests instead of {before}");
    Check { what, passed: now < before && faults().all(falls) }
}

fn hides(unprotected: &Outcome, protected: &Outcome, schedule: &Schedule) -> Check {
    let part = Part::During(Fault::Flaky);
    let (without, with) = (share(unprotected, schedule, part), share(protected, schedule, part));
    let what = format!(
        "a flaky upstream is hidden: {:.1} % of requests answered well instead of {:.1} %",
        with * 100.0,
        without * 100.0
    );
    Check { what, passed: with > without }
}

fn comes_back(protected: &Outcome, schedule: &Schedule) -> Check {
    let (before, after) = (share(protected, schedule, Part::Before), share(protected, schedule, Part::After));
    let what = format!(
        "goodput comes back: {:.1} % of requests answered well before, {:.1} % after",
        before * 100.0,
        after * 100.0
    );
    Check { what, passed: before > 0.0 && after >= before * RECOVERED }
}

/// Requests that the upstreams of a side saw in a phase.
pub(crate) fn upstream_load(side: &Outcome, phase: &Phase) -> u64 {
    side.upstream.get(phase.buckets()).map_or(0, |buckets| buckets.iter().sum())
}

/// Share of the requests of a part that were answered well.
pub(crate) fn share(side: &Outcome, schedule: &Schedule, part: Part) -> f64 {
    let counts = schedule.find(part).map_or(Counts::default(), |phase| total(side, phase.buckets()));
    good_share(counts)
}

/// From the end of a fault to the first moment from which goodput stays what it was for a second.
pub(crate) fn time_to_recover(side: &Outcome, schedule: &Schedule, fault: Fault) -> Option<Duration> {
    let recovery = schedule.find(Part::Recovery(fault))?;
    let wanted = share(side, schedule, Part::Before) * RECOVERED;
    let steady = steady_buckets(recovery);
    let buckets = recovery.buckets();
    let first = buckets.clone().find(|&first| {
        let window = first..first + steady;
        window.end <= buckets.end && good_share(total(side, window)) >= wanted
    })?;
    Some(BUCKET * u32::try_from(first - buckets.start).unwrap_or(u32::MAX))
}

/// A second, or less if a short storm leaves no second to look at.
fn steady_buckets(recovery: &Phase) -> usize {
    let second = crate::schedule::bucket_of(STEADY);
    second.min(recovery.buckets().len() / 2).max(1)
}

fn total(side: &Outcome, buckets: std::ops::Range<usize>) -> Counts {
    let buckets = side.book.buckets.get(buckets).unwrap_or_default();
    buckets.iter().fold(Counts::default(), |sum, bucket| Counts {
        good: sum.good + bucket.good,
        bad: sum.bad + bucket.bad,
        lost: sum.lost + bucket.lost,
    })
}

fn good_share(counts: Counts) -> f64 {
    if counts.all() == 0 { 0.0 } else { counts.good as f64 / counts.all() as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{self, Recorder, Sample};

    /// A side whose every bucket holds ten requests, made by `story` from the phase and the moment.
    fn side(
        schedule: &Schedule,
        upstream: u64,
        story: impl Fn(&Phase, Duration) -> (bool, Duration),
    ) -> Outcome {
        let recorder = Recorder::new(schedule.clone()).unwrap();
        let buckets = schedule.phases().last().unwrap().buckets().end;
        for phase in schedule.phases() {
            for bucket in phase.buckets() {
                let arrived = BUCKET * u32::try_from(bucket).unwrap();
                let (good, took) = story(phase, arrived);
                let outcome = if good { record::Outcome::Good } else { record::Outcome::Bad };
                (0..10).for_each(|_| recorder.note(Sample { arrived, took, outcome }));
            }
        }
        let (name, book) = ("side", recorder.book());
        Outcome { name, book, upstream: vec![upstream; buckets], held: vec![0; buckets] }
    }

    fn healthy(_: &Phase, _: Duration) -> (bool, Duration) {
        (true, Duration::from_millis(12))
    }

    /// Every second bucket of the flaky phase is bad.
    fn flaky(phase: &Phase, at: Duration) -> (bool, Duration) {
        let bad = phase.fault() == Fault::Flaky && crate::schedule::bucket_of(at).is_multiple_of(2);
        (!bad, Duration::from_millis(12))
    }

    fn checks(unprotected: Outcome, protected: Outcome, schedule: &Schedule) -> Vec<bool> {
        Verdict::of(&[unprotected, protected], schedule, &Gaps::default())
            .checks
            .iter()
            .map(|check| check.passed)
            .collect()
    }

    #[test]
    fn less_load_no_wait_and_full_return_pass() {
        let schedule = Schedule::over(Duration::from_secs(50));
        let passed = checks(side(&schedule, 40, flaky), side(&schedule, 5, healthy), &schedule);
        assert_eq!(passed, [true; 4]);
    }

    #[test]
    fn each_broken_promise_fails_its_own_check() {
        let schedule = Schedule::over(Duration::from_secs(50));
        let slow = |_: &Phase, _| (true, DEADLINE + TOLERANCE + Duration::from_millis(1));
        let crippled = |phase: &Phase, _| (phase.part != Part::After, Duration::ZERO);
        let plain = || side(&schedule, 40, flaky);
        assert_eq!(checks(plain(), side(&schedule, 5, slow), &schedule), [false, true, true, true]);
        assert_eq!(checks(plain(), side(&schedule, 40, healthy), &schedule), [true, false, true, true]);
        assert_eq!(checks(plain(), side(&schedule, 5, flaky), &schedule), [true, true, false, true]);
        assert_eq!(checks(plain(), side(&schedule, 5, crippled), &schedule), [true, true, true, false]);
    }

    #[test]
    fn a_wait_is_excused_by_as_much_as_the_machine_was_away_and_no_more() {
        let schedule = Schedule::over(Duration::from_secs(50));
        let over = Duration::from_millis(300);
        // Those who come in the third second wait too long.
        let third = |at: Duration| at.as_secs() == 2;
        let slow =
            |_: &Phase, at| (true, if third(at) { DEADLINE + TOLERANCE + over } else { Duration::ZERO });
        let protected = side(&schedule, 5, slow);
        let from = Duration::from_secs(2);
        for (away, passed) in [(from..from + over, false), (from..from + Duration::from_secs(2), true)] {
            assert_eq!(waits(&protected, &Gaps::from(vec![away])).passed, passed);
        }
        assert!(!waits(&protected, &Gaps::default()).passed);
    }

    #[test]
    fn a_machine_that_was_away_leaves_a_failure_in_doubt_and_a_success_as_it_is() {
        let schedule = Schedule::over(Duration::from_secs(50));
        let crippled = |phase: &Phase, _| (phase.part != Part::After, Duration::ZERO);
        let word = |good: bool, away| {
            let protected = if good { side(&schedule, 5, healthy) } else { side(&schedule, 5, crippled) };
            let gaps = Gaps::from(vec![Duration::ZERO..Duration::from_millis(away)]);
            Verdict::of(&[side(&schedule, 40, flaky), protected], &schedule, &gaps).word
        };
        assert_eq!((word(false, 100), word(false, 101)), (Word::Fail, Word::None));
        assert_eq!(word(true, 101), Word::Pass);
    }

    #[test]
    fn nothing_to_compare_is_no_success() {
        let schedule = Schedule::over(Duration::from_secs(50));
        assert_eq!(Verdict::of(&[], &schedule, &Gaps::default()).word, Word::Fail);
    }

    #[test]
    fn recovery_counts_from_the_end_of_the_fault_to_the_start_of_a_steady_second() {
        let schedule = Schedule::over(Duration::from_secs(50));
        let recovery = *schedule.find(Part::Recovery(Fault::Hang)).unwrap();
        // Good at once, bad again for a moment, then good for ever.
        let bad = recovery.start + BUCKET * 3..recovery.start + BUCKET * 7;
        let relapsing = side(&schedule, 0, |_, at| (!bad.contains(&at), Duration::ZERO));
        assert_eq!(time_to_recover(&relapsing, &schedule, Fault::Hang), Some(BUCKET * 7));

        let lost = side(&schedule, 0, |phase, _| (phase.part != recovery.part, Duration::ZERO));
        assert_eq!(time_to_recover(&lost, &schedule, Fault::Hang), None);
    }
}
