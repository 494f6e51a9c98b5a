//! The algorithms, and what they have in common.

use super::{Aimd, Correlation, Gradient, Vegas, aimd, correlation, gradient, vegas, window::Window};
use crate::{ConfigError, check_range};

/// How a limit is found.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Algorithm {
    /// One more after each window, a tenth less after congestion.
    Aimd(Aimd),
    /// By an estimate of how many calls wait for others.
    Vegas(Vegas),
    /// By the ratio of the usual latency to that of now.
    Gradient(Gradient),
    /// By what more calls in flight did to the throughput and to the latency.
    Correlation(Correlation),
}

/// Vegas, of which the simulation finds that it keeps the throughput with the shortest queue.
impl Default for Algorithm {
    fn default() -> Self {
        Self::Vegas(Vegas::default())
    }
}

impl Algorithm {
    /// Every algorithm, as it is by default.
    pub fn all() -> [Self; 4] {
        [
            Self::Aimd(Aimd::default()),
            Self::Vegas(Vegas::default()),
            Self::Gradient(Gradient::default()),
            Self::Correlation(Correlation::default()),
        ]
    }

    /// The algorithm's word, as it stands in settings and JSON.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Aimd(_) => "aimd",
            Self::Vegas(_) => "vegas",
            Self::Gradient(_) => "gradient",
            Self::Correlation(_) => "correlation",
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self {
            Self::Aimd(aimd) => aimd.check(),
            Self::Vegas(vegas) => vegas.check(),
            Self::Gradient(gradient) => gradient.check(),
            Self::Correlation(correlation) => correlation.check(),
        }
    }

    /// What it remembers, with nothing in it.
    pub(super) fn memory(&self) -> Memory {
        match *self {
            Self::Aimd(aimd) => Memory::Aimd(aimd),
            Self::Vegas(vegas) => Memory::Vegas(vegas),
            Self::Gradient(gradient) => Memory::Gradient(gradient::Memory::new(gradient)),
            Self::Correlation(correlation) => {
                Memory::Correlation(Box::new(correlation::Memory::new(correlation)))
            }
        }
    }
}

/// What an algorithm remembers from window to window.
#[derive(Debug)]
pub(super) enum Memory {
    Aimd(Aimd),
    Vegas(Vegas),
    Gradient(gradient::Memory),
    /// Boxed, because it is so much larger than the others.
    Correlation(Box<correlation::Memory>),
}

/// What an algorithm goes by.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) window: &'a Window,
    pub(super) limit: f64,
    /// The latency of a call that waits for no other.
    pub(super) baseline: f64,
    /// Calls a second.
    pub(super) throughput: f64,
    /// Whether calls were just refused, or would be.
    pub(super) is_full: bool,
}

impl Memory {
    /// Whether it wants to know how long calls take when none waits for another.
    pub(super) fn probes(&self) -> bool {
        !matches!(self, Self::Aimd(_))
    }

    /// The calls that a window needs, where `usual` is what others need.
    pub(super) fn needs(&self, usual: u64) -> u64 {
        match self {
            Self::Correlation(_) => usual.max(correlation::MIN_SAMPLES),
            _ => usual,
        }
    }

    /// The limit after a window without congestion, in which the calls in flight came near the limit.
    pub(super) fn step(&mut self, view: &View<'_>) -> f64 {
        match self {
            Self::Aimd(aimd) => aimd::step(*aimd, view),
            Self::Vegas(vegas) => vegas::step(*vegas, view),
            Self::Gradient(gradient) => gradient.step(view),
            Self::Correlation(correlation) => correlation.step(view),
        }
    }

    /// It was just seen how long calls take when none waits for another, by a window of this weight: what was learned
    /// otherwise goes.
    pub(super) fn relearn(&mut self, baseline: f64, window: &Window, weight: f64) {
        match self {
            Self::Gradient(gradient) => gradient.relearn(baseline),
            Self::Correlation(correlation) => correlation.relearn(window, weight),
            Self::Aimd(_) | Self::Vegas(_) => {}
        }
    }
}

/// The base 10 logarithm of a limit, at least 1: by how much a limit is moved.
pub(super) fn log(limit: f64) -> f64 {
    limit.log10().max(1.0)
}

pub(super) fn check_thresholds(alpha: f64, beta: f64) -> Result<(), ConfigError> {
    check_range("adaptive_limit.algorithm.alpha", alpha, 0.1..=100.0)?;
    check_range("adaptive_limit.algorithm.beta", beta, alpha..=1000.0)
}

pub(super) fn check_smoothing(smoothing: f64) -> Result<(), ConfigError> {
    check_range("adaptive_limit.algorithm.smoothing", smoothing, 0.01..=1.0)
}

/// A mean in which what is new has this weight.
pub(super) fn blend(before: f64, new: f64, weight: f64) -> f64 {
    before + weight * (new - before)
}
