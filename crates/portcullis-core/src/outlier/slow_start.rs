//! How an endpoint's weight grows.

use std::time::Duration;

use super::SlowStart;

/// In the first second it does not matter how much of it is over.
const FIRST: f64 = 1.0;

impl SlowStart {
    /// The share of the weight after this time: `max(min_weight, (time / window)^(1 / aggression))`, as Envoy
    /// has it.
    ///
    /// ```
    /// use portcullis_core::outlier::SlowStart;
    /// use std::time::Duration;
    ///
    /// let slow_start = SlowStart { window: Duration::from_secs(100), ..SlowStart::default() };
    /// let after = |secs| slow_start.share(Duration::from_secs(secs));
    /// assert_eq!([after(0), after(50), after(100), after(1000)], [0.1, 0.5, 1.0, 1.0]);
    /// ```
    pub fn share(&self, after: Duration) -> f64 {
        if after >= self.window {
            return 1.0;
        }
        let done = after.as_secs_f64().max(FIRST) / self.window.as_secs_f64();
        let grown = if self.aggression == 1.0 { done } else { done.powf(self.aggression.recip()) };
        grown.clamp(self.min_weight, 1.0)
    }
}
