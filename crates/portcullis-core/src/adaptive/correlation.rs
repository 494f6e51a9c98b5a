//! By what more calls in flight did.

use std::collections::VecDeque;

use super::{
    algorithm::{View, blend, check_thresholds, log},
    vegas::{self, DEFAULT_ALPHA, DEFAULT_BETA},
    window::Window,
};
use crate::{ConfigError, check_range};

/// Correlations of fewer windows are noise.
pub const DEFAULT_WINDOWS: u32 = 50;
/// The tail of fewer calls is noise.
pub(super) const MIN_SAMPLES: u64 = 50;

/// Latencies of which the one in the middle is taken.
const MEDIAN_OF: usize = 5;
/// With fewer windows nothing is said about correlations.
const LEAST: usize = 10;
/// What varies less than this, as a share of its mean, does not vary.
const STEADY: f64 = 0.01;
/// The weights of what is new in the latency of now, and in what is usual: means over 5 and over 10.
const RECENT: f64 = 2.0 / 6.0;
const USUAL: f64 = 2.0 / 11.0;

/// Lowers the limit when more calls in flight bring no more throughput, or only more latency; else it goes by an estimate
/// of the queue, as [Vegas](super::Vegas) does.
///
/// By the tail of the latencies, where the others go by the mean. After the adaptive limiter of failsafe-go, with two
/// differences: what is usual is put right by a [look](super::Config::probe_every) at the latency with the limit
/// lowered, so that it does not drift up in a long incident (their issue 127), and a decision and the end of its
/// window are one step. A window needs 50 calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correlation {
    /// With fewer calls waiting than this, times the logarithm of the limit, it is raised (default 3); 0.1 to 100.
    pub alpha: f64,
    /// With more calls waiting than this, times the logarithm of the limit, it is lowered (default 6); `alpha` to 1000.
    pub beta: f64,
    /// The windows over which is correlated (default 50); 10 to 1000.
    pub windows: u32,
}

impl Default for Correlation {
    fn default() -> Self {
        Self { alpha: DEFAULT_ALPHA, beta: DEFAULT_BETA, windows: DEFAULT_WINDOWS }
    }
}

impl Correlation {
    pub(super) fn check(self) -> Result<(), ConfigError> {
        check_thresholds(self.alpha, self.beta)?;
        check_range("adaptive_limit.algorithm.windows", self.windows, 10..=1000)
    }
}

/// The last windows, and what is usual.
#[derive(Debug)]
pub(super) struct Memory {
    rules: Correlation,
    tails: VecDeque<f64>,
    recent: Option<f64>,
    usual: Option<f64>,
    history: VecDeque<Point>,
}

/// One window.
#[derive(Clone, Copy, Debug)]
struct Point {
    in_flight: f64,
    throughput: f64,
    latency: f64,
}

impl Memory {
    pub(super) fn new(rules: Correlation) -> Self {
        let (tails, history) = (VecDeque::new(), VecDeque::new());
        Self { rules, tails, recent: None, usual: None, history }
    }

    pub(super) fn step(&mut self, view: &View<'_>) -> f64 {
        let recent = self.smooth(view.window.high);
        let usual = self.usual.unwrap_or(recent);
        let usual = blend(usual, recent.min(usual), USUAL);
        self.usual = Some(usual);
        let limit = view.limit;
        let log = log(limit);
        let queue = vegas::queue(limit, usual, recent).ceil();
        self.remember(Point {
            in_flight: view.window.peak.into(),
            throughput: view.throughput,
            latency: recent,
        });
        let too_many = queue > self.rules.beta * log || (view.is_full && self.is_in_vain());
        if too_many {
            return limit - log.max((queue - self.rules.beta * log) / 2.0);
        }
        if queue < self.rules.alpha * log { limit + log } else { limit }
    }

    /// The latency of now: the middle one of a few tails, smoothed.
    fn smooth(&mut self, tail: f64) -> f64 {
        push(&mut self.tails, tail, MEDIAN_OF);
        let mut sorted: Vec<_> = self.tails.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted[sorted.len() / 2];
        let recent = blend(self.recent.unwrap_or(middle), middle, RECENT);
        self.recent = Some(recent);
        recent
    }

    fn remember(&mut self, point: Point) {
        push(&mut self.history, point, self.rules.windows as usize);
    }

    /// Whether more calls in flight bring no more throughput, or only more latency.
    fn is_in_vain(&self) -> bool {
        let with_throughput = self.correlation(|point| point.throughput);
        let with_latency = self.correlation(|point| point.latency);
        let (_, steadiness) = spread(self.history.iter().map(|point| point.throughput));
        with_throughput < 0.0 || (with_latency > 0.5 && (with_throughput < 0.3 || steadiness < 0.2))
    }

    /// Pearson's, of the calls in flight with something else; 0 where there are too few windows, or one does not vary.
    fn correlation(&self, of: impl Fn(&Point) -> f64 + Copy) -> f64 {
        let n = self.history.len();
        let (calls, calls_spread) = spread(self.history.iter().map(|point| point.in_flight));
        let (mean, mean_spread) = spread(self.history.iter().map(of));
        if n < LEAST || calls_spread < STEADY || mean_spread < STEADY {
            return 0.0;
        }
        let products = self.history.iter().map(|point| (point.in_flight - calls) * (of(point) - mean));
        products.sum::<f64>() / (n as f64 * calls * calls_spread * mean * mean_spread)
    }

    pub(super) fn relearn(&mut self, window: &Window, weight: f64) {
        let tail = window.high;
        self.usual = Some(self.usual.map_or(tail, |usual| blend(usual, tail, weight)));
    }
}

fn push<T>(queue: &mut VecDeque<T>, value: T, most: usize) {
    queue.push_back(value);
    if queue.len() > most {
        queue.pop_front();
    }
}

/// The mean of some values, and their standard deviation as a share of it.
fn spread(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let variance = values.map(|value| (value - mean) * (value - mean)).sum::<f64>() / n;
    if mean > 0.0 { (mean, variance.sqrt() / mean) } else { (0.0, 0.0) }
}
