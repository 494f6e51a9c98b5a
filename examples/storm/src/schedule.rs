//! What happens when: the phases of a storm.
//!
//! Every fault is followed by a recovery of its own, so that the time to recover can be told for
//! each. The lengths are shares of the whole and fall on the borders of the 100 ms buckets that
//! everything is counted in.
//!
//! ```text
//! let schedule = Schedule::over(Duration::from_secs(50));
//! assert_eq!(schedule.place_at(Duration::ZERO), Some(0));
//! ```

use std::time::Duration;

/// Everything is counted in buckets of this length.
pub(crate) const BUCKET: Duration = Duration::from_millis(100);

/// What is wrong with an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// A few answers are errors.
    Flaky,
    /// Most answers are errors.
    Errors,
    /// Every answer takes far longer.
    Latency,
    /// No answer comes until the fault is over.
    Hang,
    /// The process is gone: connections are cut, new ones refused.
    Refused,
}

impl Fault {
    /// Its name in reports and in addresses of the console.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "healthy",
            Self::Flaky => "flaky",
            Self::Errors => "errors",
            Self::Latency => "latency",
            Self::Hang => "hang",
            Self::Refused => "refused",
        }
    }

    /// The fault of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::None, Self::Flaky, Self::Errors, Self::Latency, Self::Hang, Self::Refused]
            .into_iter()
            .find(|fault| fault.name() == name)
    }
}

/// The part a phase plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Connections and caches fill; counted nowhere.
    WarmUp,
    /// What normal is.
    Before,
    /// A fault is on.
    During(Fault),
    /// The fault is over.
    Recovery(Fault),
    /// What is left of normal.
    After,
}

/// One phase: `[start, end)` since the start of the storm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phase {
    /// Its part.
    pub(crate) part: Part,
    /// When it begins.
    pub(crate) start: Duration,
    /// When it is over.
    pub(crate) end: Duration,
}

impl Phase {
    /// Its name in reports.
    pub(crate) const fn name(&self) -> &'static str {
        match self.part {
            Part::WarmUp => "warm-up",
            Part::Before => "before",
            Part::During(fault) => fault.name(),
            Part::Recovery(_) => "recovery",
            Part::After => "after",
        }
    }

    /// The fault that is on in it.
    pub(crate) const fn fault(&self) -> Fault {
        match self.part {
            Part::During(fault) => fault,
            _ => Fault::None,
        }
    }

    /// Its length in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        (self.end - self.start).as_secs_f64()
    }

    /// Its buckets.
    pub(crate) fn buckets(&self) -> std::ops::Range<usize> {
        bucket_of(self.start)..bucket_of(self.end)
    }
}

/// The bucket a moment falls in.
pub(crate) fn bucket_of(at: Duration) -> usize {
    usize::try_from(at.as_millis() / BUCKET.as_millis()).unwrap_or(usize::MAX)
}

/// The parts in order, with their shares.
const PLAN: [(Part, u32); 13] = [
    (Part::WarmUp, 2),
    (Part::Before, 5),
    (Part::During(Fault::Flaky), 4),
    (Part::Recovery(Fault::Flaky), 3),
    (Part::During(Fault::Errors), 4),
    (Part::Recovery(Fault::Errors), 3),
    (Part::During(Fault::Latency), 4),
    (Part::Recovery(Fault::Latency), 4),
    (Part::During(Fault::Hang), 4),
    (Part::Recovery(Fault::Hang), 4),
    (Part::During(Fault::Refused), 4),
    (Part::Recovery(Fault::Refused), 4),
    (Part::After, 5),
];

/// All phases of one storm.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    phases: Vec<Phase>,
}

impl Schedule {
    /// The schedule stretched over `total`, rounded to buckets.
    pub(crate) fn over(total: Duration) -> Self {
        let shares: u32 = PLAN.iter().map(|(_, share)| share).sum();
        let border = |passed: u32| {
            let exact = total * passed / shares;
            BUCKET * u32::try_from(bucket_of(exact)).unwrap_or(u32::MAX)
        };
        let mut passed = 0;
        let phases = PLAN.iter().map(|&(part, share)| {
            let start = border(passed);
            passed += share;
            Phase { part, start, end: border(passed) }
        });
        Self { phases: phases.collect() }
    }

    /// All phases in order.
    pub(crate) fn phases(&self) -> &[Phase] {
        &self.phases
    }

    /// The place of the phase that `at` falls in; none after the last.
    pub(crate) fn place_at(&self, at: Duration) -> Option<usize> {
        self.phases.iter().position(|phase| (phase.start..phase.end).contains(&at))
    }

    /// When the last phase is over.
    pub(crate) fn end(&self) -> Duration {
        self.phases.last().map_or(Duration::ZERO, |phase| phase.end)
    }

    /// The first phase that plays `part`.
    pub(crate) fn find(&self, part: Part) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.part == part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_gapless_and_fill_the_time() {
        for seconds in [25, 50, 61] {
            let schedule = Schedule::over(Duration::from_secs(seconds));
            assert_eq!(schedule.end(), Duration::from_secs(seconds));
            assert!(schedule.phases().windows(2).all(|pair| pair[0].end == pair[1].start));
            assert!(schedule.phases().iter().all(|phase| phase.buckets().len() >= 8));
        }
    }

    #[test]
    fn a_border_belongs_to_the_later_phase() {
        let schedule = Schedule::over(Duration::from_secs(50));
        assert_eq!(schedule.place_at(Duration::ZERO), Some(0));
        assert_eq!(schedule.place_at(schedule.phases()[0].end), Some(1));
        assert_eq!(schedule.place_at(schedule.end()), None);
    }

    #[test]
    fn every_fault_is_found_by_its_name() {
        for (part, _) in PLAN {
            if let Part::During(fault) | Part::Recovery(fault) = part {
                assert_eq!(Fault::named(fault.name()), Some(fault));
            }
        }
        assert_eq!(Fault::named("rain"), None);
    }
}
