//! Every candidate in every scenario.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use portcullis_core::{ConfigError, Time};

use super::candidate::{Candidate, all};
use super::figures::{Figures, Step};
use super::scenario::{CAPACITY, INITIALS, LOADS, MOVED, Machine, Phase, SEEDS, STARTED, Scenario};
use super::simulation::simulate;
use super::trace::Trace;

/// All that was run.
#[derive(Debug)]
pub struct Bench {
    /// In the order of [`all`], and for each in that of [`LOADS`].
    pub rows: Vec<Row>,
    /// The same before [`Machine::WIDE`], at each of [`MOVED`].
    pub moved: Vec<Row>,
    /// Those that adapt, at [`STARTED`] and from each of [`INITIALS`] on.
    pub starts: Vec<Row>,
}

/// A candidate at one load.
#[derive(Debug)]
pub struct Row {
    /// Who.
    pub candidate: Candidate,
    /// What was offered, as a multiple of the capacity.
    pub load: f64,
    /// The median of the seeds, of each figure by itself.
    pub figures: Figures,
    /// The whole run with the first seed.
    pub course: Vec<Moment>,
}

/// Two seconds of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// When they begin.
    pub at: Duration,
    /// Calls answered in time as a share of what the server could do then.
    pub goodput: f64,
    /// The limit at their end.
    pub limit: Option<u32>,
}

impl Moment {
    const LENGTH: Duration = Duration::from_secs(2);
}

impl Bench {
    /// Runs it on all cores.
    ///
    /// # Errors
    ///
    /// A candidate whose settings are out of range.
    pub fn run() -> Result<Self, ConfigError> {
        let loads = |candidate: Candidate| LOADS.map(|load| (candidate, load));
        let moved = |candidate: Candidate| MOVED.map(|load| (candidate, load));
        let initials = |candidate: Candidate| INITIALS.map(|limit| candidate.starting_at(limit));
        let starts = all().into_iter().flat_map(initials).flatten();
        Ok(Self {
            rows: rows(Machine::QUICK, &all().into_iter().flat_map(loads).collect::<Vec<_>>())?,
            moved: rows(Machine::WIDE, &all().into_iter().flat_map(moved).collect::<Vec<_>>())?,
            starts: rows(Machine::QUICK, &starts.map(|candidate| (candidate, STARTED)).collect::<Vec<_>>())?,
        })
    }

    /// The row of a candidate at a load.
    pub fn row(&self, candidate: &str, load: f64) -> Option<&Row> {
        find(&self.rows, candidate, load)
    }
}

/// The row of a candidate at a load.
pub(super) fn find<'a>(rows: &'a [Row], candidate: &str, load: f64) -> Option<&'a Row> {
    rows.iter().find(|row| row.candidate.name == candidate && row.load == load)
}

/// Runs these candidates at these loads.
fn rows(machine: Machine, cells: &[(Candidate, f64)]) -> Result<Vec<Row>, ConfigError> {
    let next = &AtomicUsize::new(0);
    let work = move || {
        // The last first, which is the heaviest, so that no core is left with it at the end.
        let indices = std::iter::repeat_with(|| next.fetch_add(1, Relaxed));
        let indices = indices.map_while(|taken| cells.len().checked_sub(taken + 1));
        indices.map(|index| (index, Row::run(machine, cells[index].0, cells[index].1))).collect::<Vec<_>>()
    };
    let mut rows = thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        // A thread that panicked leaves its rows out; the panic has been printed.
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect::<Vec<_>>()
    });
    rows.sort_by_key(|(index, _)| *index);
    rows.into_iter().map(|(_, row)| row).collect()
}

impl Row {
    fn run(machine: Machine, candidate: Candidate, load: f64) -> Result<Self, ConfigError> {
        let mut course = Vec::new();
        let mut run = |seed| {
            let scenario = Scenario { machine, load, seed };
            let trace = simulate(&mut *candidate.gate()?, scenario);
            if course.is_empty() {
                course = moments(&trace);
            }
            Ok(Figures::of(&trace, scenario))
        };
        let figures = SEEDS.map(&mut run).collect::<Result<Vec<_>, ConfigError>>()?;
        Ok(Self { candidate, load, figures: median(&figures), course })
    }
}

fn moments(trace: &Trace) -> Vec<Moment> {
    let mut moments = Vec::new();
    let mut begin = Phase::Start.begin();
    while begin < Phase::Back.end() {
        let end = begin + Moment::LENGTH;
        let buckets = trace.between(begin, end);
        let good: u32 = buckets.iter().map(|bucket| bucket.good).sum();
        let could = CAPACITY * Moment::LENGTH.as_secs_f64() / f64::from(Phase::at(begin).factor());
        moments.push(Moment {
            at: begin.since(Time::ORIGIN),
            goodput: f64::from(good) / could,
            limit: buckets.last().and_then(|last| last.limit),
        });
        begin = end;
    }
    moments
}

fn median(runs: &[Figures]) -> Figures {
    let share = |of: fn(&Figures) -> f64| middle(runs.iter().map(of), f64::total_cmp);
    // What never settled comes after all that did.
    let late = |time: Option<Duration>| time.unwrap_or(Duration::MAX);
    let time = |of: &dyn Fn(&Figures) -> Option<Duration>| {
        middle(runs.iter().map(of), |one, other| late(*one).cmp(&late(*other)))
    };
    let step = |of: fn(&Figures) -> Step, goodput: fn(&Figures) -> f64| Step {
        settled: time(&|run| of(run).settled),
        recovered: time(&|run| of(run).recovered),
        goodput: share(goodput),
    };
    Figures {
        goodput: share(|run| run.goodput),
        of_capacity: share(|run| run.of_capacity),
        p99: middle(runs.iter().map(|run| run.p99), Duration::cmp),
        start: time(&|run| run.start),
        slow: step(|run| run.slow, |run| run.slow.goodput),
        back: step(|run| run.back, |run| run.back.goodput),
    }
}

fn middle<T>(values: impl Iterator<Item = T>, order: impl FnMut(&T, &T) -> std::cmp::Ordering) -> T {
    let mut values: Vec<_> = values.collect();
    values.sort_by(order);
    values.swap_remove(values.len() / 2)
}
