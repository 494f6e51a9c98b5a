//! By an estimate of the queue.

use super::algorithm::{View, blend, check_smoothing, check_thresholds, log};
use crate::ConfigError;

/// With fewer calls waiting than this, times the logarithm of the limit, there is room for more.
pub const DEFAULT_ALPHA: f64 = 3.0;
/// With more calls waiting than this, times the logarithm of the limit, there are too many.
pub const DEFAULT_BETA: f64 = 6.0;

/// Estimates how many of the calls in flight wait for others, by how much longer they take than they would alone, and
/// keeps that between two bounds.
///
/// The bounds are multiples of the base 10 logarithm of the limit. After `VegasLimit` of Netflix's concurrency-limits,
/// which has it from TCP Vegas (Brakmo and Peterson, 1995), with three differences. The latency is the mean of
/// a window, and what may be chance is not taken for a queue. A limit that is far too high falls by half of what
/// is too much at once. And the latency without a queue is
/// [looked at](super::Config::probe_every) with the limit lowered: theirs takes that of one call in an
/// overload, finds it normal, and raises the limit (their issue 165).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vegas {
    /// The lower bound (default 3); 0.1 to 100.
    pub alpha: f64,
    /// The upper bound (default 6); `alpha` to 1000.
    pub beta: f64,
    /// How much of a step is taken (default 1); 0.01 to 1.
    pub smoothing: f64,
}

impl Default for Vegas {
    fn default() -> Self {
        Self { alpha: DEFAULT_ALPHA, beta: DEFAULT_BETA, smoothing: 1.0 }
    }
}

impl Vegas {
    pub(super) fn check(self) -> Result<(), ConfigError> {
        check_thresholds(self.alpha, self.beta)?;
        check_smoothing(self.smoothing)
    }
}

pub(super) fn step(vegas: Vegas, view: &View<'_>) -> f64 {
    let &View { limit, baseline, window, .. } = view;
    let log = log(limit);
    let (alpha, beta) = (vegas.alpha * log, vegas.beta * log);
    let queue = queue(limit, baseline, window.mean);
    // What is surely there, and not by chance.
    let sure = queue_surely(view);
    let next = if queue <= log {
        limit + beta
    } else if queue < alpha {
        limit + log
    } else if sure > beta {
        limit - log.max((sure - beta) / 2.0)
    } else {
        limit
    };
    blend(limit, next, vegas.smoothing)
}

/// How many calls wait: by Little's law, those in flight for the part of their latency that they would not have alone.
pub(super) fn queue(limit: f64, baseline: f64, latency: f64) -> f64 {
    if latency > 0.0 { (limit * (1.0 - baseline / latency)).max(0.0) } else { 0.0 }
}

/// The same by the least that the latency may be.
fn queue_surely(view: &View<'_>) -> f64 {
    queue(view.limit, view.baseline, view.window.mean - view.window.error)
}
