//! Additive increase, multiplicative decrease.

use super::algorithm::View;
use crate::{ConfigError, check_range};

/// As TCP has it: one more per window, and a tenth less when there was none.
pub const DEFAULT_INCREASE: u32 = 1;

/// Raises the limit step by step until the dependency refuses, calls time out, or take longer than the
/// [ceiling](super::Config::ceiling); then lowers it by [`backoff`](super::Config::backoff).
///
/// The simplest, and right for a dependency that refuses what it cannot do. Without refusals, timeouts and a ceiling
/// it knows nothing, and goes to the maximum. After `AIMDLimit` of Netflix's concurrency-limits, but once per
/// window, and not once per call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aimd {
    /// What is added after a window without congestion (default 1); 1 to 1000.
    pub increase: u32,
}

impl Default for Aimd {
    fn default() -> Self {
        Self { increase: DEFAULT_INCREASE }
    }
}

impl Aimd {
    pub(super) fn check(self) -> Result<(), ConfigError> {
        check_range("adaptive_limit.algorithm.increase", self.increase, 1..=1000)
    }
}

pub(super) fn step(aimd: Aimd, view: &View<'_>) -> f64 {
    view.limit + f64::from(aimd.increase)
}
