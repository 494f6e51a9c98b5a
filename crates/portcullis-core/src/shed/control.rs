//! How large a share of the calls is refused.

/// By how much of it the admitted share falls in an interval, when all calls wait for longer than the target.
/// (DAGOR's α is as large.)
pub const CUT_STEP: f64 = 0.05;
/// By how much of it the admitted share falls each time that the pressure is found too high: it cannot say by
/// how much too much comes, and is looked at five times more rarely.
pub const PRESSURE_STEP: f64 = 0.15;
/// By how much of all calls the admitted share grows at most in an interval without overload. (DAGOR's β is as
/// large.)
pub const RAISE_STEP: f64 = 0.01;
/// By how much of it the admitted share grows at most in an interval without overload. Where little is admitted,
/// the step alone would soon double the load.
pub const RAISE_FACTOR: f64 = 0.04;

/// After so many intervals in a row without overload, the admitted share grows by twice the step, after as many
/// more by three times, and so on: an overload that is over is over in seconds.
const PATIENCE: f64 = 5.0;
/// Raised by a factor alone, it would take seconds to leave the lowest shares.
const LEAST_STEP: f64 = 0.001;
/// The most steps that are made at once, after an interval that lasted long.
const MOST_STEPS: f64 = 20.0;
/// Of a wait that is longer than the target, what is admitted falls in proportion, so that the queue empties.
const DRAIN: f64 = 1.5;

/// The share of the calls that is admitted.
///
/// It has two parts. One follows how much more comes than can be done; it goes by steps, and remembers. The other
/// makes room for what has piled up: it is as small as the wait is long, and all there is once waits are short.
#[derive(Clone, Copy, Debug)]
pub(super) struct Control {
    steady: f64,
    drain: f64,
    least: f64,
    /// Intervals in a row without overload.
    calm: u32,
}

impl Default for Control {
    fn default() -> Self {
        Self { steady: 1.0, drain: 1.0, least: 0.0, calm: 0 }
    }
}

impl Control {
    /// The share that is refused.
    pub(super) fn cut(&self) -> f64 {
        1.0 - (self.steady * self.drain).max(self.least)
    }

    /// An interval in which all waited, for so many targets; it lasted for so many of the intervals that there
    /// should be.
    pub(super) fn waited(&mut self, targets: f64, lasted: f64, max_cut: f64) {
        self.drain = (DRAIN / targets).min(1.0);
        self.lower(CUT_STEP, lasted, max_cut);
    }

    /// The pressure was too high.
    pub(super) fn pressed(&mut self, max_cut: f64) {
        self.drain = 1.0;
        self.lower(PRESSURE_STEP, 1.0, max_cut);
    }

    fn lower(&mut self, step: f64, times: f64, max_cut: f64) {
        (self.least, self.calm) = (1.0 - max_cut, 0);
        let kept = (1.0 - step).powf(times.clamp(1.0, MOST_STEPS));
        self.steady = (self.steady * kept).max(self.least);
    }

    /// An interval in which nothing was over its limit, or too soon after one to know.
    pub(super) fn hold(&mut self) {
        self.drain = 1.0;
    }

    /// An interval without overload.
    pub(super) fn calm(&mut self) {
        self.drain = 1.0;
        let step = (self.steady * RAISE_FACTOR + LEAST_STEP).min(RAISE_STEP);
        let times = 1.0 + (f64::from(self.calm) / PATIENCE).floor();
        self.steady = times.mul_add(step, self.steady).min(1.0);
        self.calm = self.calm.saturating_add(1);
        if self.steady == 1.0 {
            self.least = 0.0;
        }
    }
}
