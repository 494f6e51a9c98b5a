//! By the ratio of two latencies.

use super::algorithm::{View, blend, check_smoothing};
use crate::{ConfigError, check_range};

/// Half as long again as usual is no overload.
pub const DEFAULT_TOLERANCE: f64 = 1.5;
/// Room to grow, and what waits when the limit stands.
pub const DEFAULT_QUEUE: u32 = 4;
/// A fifth of the way at each step.
pub const DEFAULT_SMOOTHING: f64 = 0.2;
/// What is usual follows in minutes what seconds show.
pub const DEFAULT_LONG_WINDOW: u32 = 600;

/// When what is usual is so much longer than what is now, it is outdated.
const OUTDATED: f64 = 2.0;
/// The windows of which the plain mean is taken.
const FIRST: u32 = 10;

/// Multiplies the limit by the ratio of the usual latency to that of now, at most 1, and adds a small queue.
///
/// For dependencies whose latency varies by itself, which it forgives by its tolerance. After `Gradient2Limit` of
/// Netflix's concurrency-limits, with two differences: congestion counts (theirs ignores drops), and what is usual,
/// a mean over many windows, is put right by a [look](super::Config::probe_every) at the latency with the limit
/// lowered, so that it cannot drift up with a queue that stays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gradient {
    /// How much longer than usual calls may take (default 1.5); 1 to 10.
    pub tolerance: f64,
    /// What is added at each step (default 4); 1 to 1000.
    pub queue: u32,
    /// How much of a step is taken (default 0.2); 0.01 to 1.
    pub smoothing: f64,
    /// The windows that what is usual is a mean of (default 600); 10 to 100,000.
    pub long_window: u32,
}

impl Default for Gradient {
    fn default() -> Self {
        Self {
            tolerance: DEFAULT_TOLERANCE,
            queue: DEFAULT_QUEUE,
            smoothing: DEFAULT_SMOOTHING,
            long_window: DEFAULT_LONG_WINDOW,
        }
    }
}

impl Gradient {
    pub(super) fn check(self) -> Result<(), ConfigError> {
        check_range("adaptive_limit.algorithm.tolerance", self.tolerance, 1.0..=10.0)?;
        check_range("adaptive_limit.algorithm.queue", self.queue, 1..=1000)?;
        check_smoothing(self.smoothing)?;
        check_range("adaptive_limit.algorithm.long_window", self.long_window, 10..=100_000)
    }
}

/// What is usual.
#[derive(Debug)]
pub(super) struct Memory {
    rules: Gradient,
    usual: f64,
    seen: u32,
}

impl Memory {
    pub(super) fn new(rules: Gradient) -> Self {
        Self { rules, usual: 0.0, seen: 0 }
    }

    pub(super) fn step(&mut self, view: &View<'_>) -> f64 {
        let rules = self.rules;
        let now = view.window.mean;
        self.learn(now);
        if self.usual > OUTDATED * now {
            self.usual *= 0.95;
        }
        let ratio = if now > 0.0 { rules.tolerance * self.usual / now } else { 1.0 };
        let next = view.limit * ratio.clamp(0.5, 1.0) + f64::from(rules.queue);
        blend(view.limit, next, rules.smoothing)
    }

    fn learn(&mut self, now: f64) {
        self.seen = self.seen.saturating_add(1);
        let span = if self.seen <= FIRST { self.seen } else { self.rules.long_window };
        let weight = if self.seen <= FIRST { 1.0 / f64::from(span) } else { 2.0 / f64::from(span + 1) };
        self.usual = blend(self.usual, now, weight);
    }

    pub(super) fn relearn(&mut self, baseline: f64) {
        self.usual = baseline;
        self.seen = self.seen.max(FIRST);
    }
}
