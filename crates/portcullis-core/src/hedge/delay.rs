//! How long an attempt is waited for.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use super::config::LONGEST;
use crate::{ConfigError, check_range};

/// One call in twenty is hedged: enough to take away the tail, little enough to bear.
pub const DEFAULT_QUANTILE: f64 = 0.95;
/// Faster dependencies are hedged for what is noise of the scheduler.
pub const DEFAULT_AT_LEAST: Duration = Duration::from_millis(5);
/// Slower ones still get a hedge before most callers give up.
pub const DEFAULT_AT_MOST: Duration = Duration::from_secs(5);
/// Rather late than often, while it is not known what is usual.
pub const DEFAULT_INITIAL: Duration = Duration::from_secs(1);

/// How long an attempt is waited for before another is sent besides.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Delay {
    /// Always as long; 0 to 24 h. With 0 all attempts are sent at once.
    Fixed(Duration),
    /// As long as a share of the calls took lately. Costs two looks at the clock for each call.
    Percentile(Percentile),
    /// By a function. Costs a lock, for as long as it takes to count a reference, for each call that is not
    /// answered at once.
    Function(DelayFn),
}

impl Default for Delay {
    fn default() -> Self {
        Self::Percentile(Percentile::default())
    }
}

impl Delay {
    /// As long as this share of the calls took lately (0.5 to 0.999), within the default bounds.
    pub fn percentile(quantile: f64) -> Self {
        Self::Percentile(Percentile { quantile, ..Percentile::default() })
    }

    /// By a function of the number of the attempt to be sent, 2 the first time. Without a delay that attempt,
    /// and those after it, are not sent. It is called outside of every lock; a panic is as good as no delay.
    ///
    /// ```
    /// # extern crate portcullis_core as portcullis;
    /// use portcullis::hedge::Delay;
    /// use std::time::Duration;
    ///
    /// // The second attempt after 20 ms, the third only much later.
    /// let delay = Delay::function(|attempt| match attempt {
    ///     2 => Some(Duration::from_millis(20)),
    ///     3 => Some(Duration::from_millis(500)),
    ///     _ => None,
    /// });
    /// # let _ = delay;
    /// ```
    pub fn function(delay: impl Fn(u32) -> Option<Duration> + Send + Sync + 'static) -> Self {
        Self::Function(DelayFn(Arc::new(delay)))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self {
            Self::Fixed(delay) => check_range("hedge.delay", *delay, Duration::ZERO..=LONGEST),
            Self::Percentile(percentile) => percentile.check(),
            Self::Function(_) => Ok(()),
        }
    }
}

/// A delay that follows how long calls take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percentile {
    /// The share of calls that end within the delay (default 0.95); 0.5 to 0.999.
    pub quantile: f64,
    /// No delay is shorter (default 5 ms); 0 to `at_most`.
    pub at_least: Duration,
    /// No delay is longer (default 5 s); 0 to 24 h.
    pub at_most: Duration,
    /// The delay until enough calls were seen (default 1 s): as many as it takes for five to be beyond the
    /// quantile, so 100 for the default; 0 to 24 h.
    pub initial: Duration,
}

impl Default for Percentile {
    fn default() -> Self {
        Self {
            quantile: DEFAULT_QUANTILE,
            at_least: DEFAULT_AT_LEAST,
            at_most: DEFAULT_AT_MOST,
            initial: DEFAULT_INITIAL,
        }
    }
}

/// So many calls beyond a quantile are more than chance.
const BEYOND: f64 = 5.0;

impl Percentile {
    /// The calls that must have been seen before the quantile is gone by.
    pub fn least_calls(&self) -> u64 {
        (BEYOND / (1.0 - self.quantile)).round() as u64
    }

    /// The delay, from the quantile if there is one.
    pub fn delay(&self, seen: Option<Duration>) -> Duration {
        // Not `clamp`, which panics where the bounds are crossed.
        seen.map_or(self.initial, |seen| seen.max(self.at_least).min(self.at_most))
    }

    fn check(&self) -> Result<(), ConfigError> {
        check_range("hedge.delay.quantile", self.quantile, 0.5..=0.999)?;
        check_range("hedge.delay.at_most", self.at_most, Duration::ZERO..=LONGEST)?;
        check_range("hedge.delay.at_least", self.at_least, Duration::ZERO..=self.at_most)?;
        check_range("hedge.delay.initial", self.initial, Duration::ZERO..=LONGEST)
    }
}

/// A delay as a function; see [`Delay::function`].
#[derive(Clone)]
pub struct DelayFn(Arc<dyn Fn(u32) -> Option<Duration> + Send + Sync>);

impl DelayFn {
    /// The delay before the attempt of this number.
    pub fn delay(&self, attempt: u32) -> Option<Duration> {
        let delay = catch_unwind(AssertUnwindSafe(|| (self.0)(attempt))).ok().flatten();
        delay.map(|delay| delay.min(LONGEST))
    }
}

/// The same function, not one that does the same.
impl PartialEq for DelayFn {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for DelayFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DelayFn").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_keeps_its_bounds() {
        let ms = Duration::from_millis;
        let percentile = Percentile { at_most: ms(100), ..Percentile::default() };
        assert_eq!(percentile.delay(None), DEFAULT_INITIAL);
        assert_eq!([1, 30, 400].map(|seen| percentile.delay(Some(ms(seen)))), [ms(5), ms(30), ms(100)]);
    }

    #[test]
    fn five_calls_are_beyond_the_quantile() {
        let least = |quantile| Percentile { quantile, ..Percentile::default() }.least_calls();
        assert_eq!([0.5, 0.9, 0.95, 0.99, 0.999].map(least), [10, 50, 100, 500, 5000]);
    }

    #[test]
    fn a_function_that_panics_hedges_nothing() {
        let Delay::Function(delay) = Delay::function(|attempt| {
            assert_eq!(attempt, 2, "not prepared for that");
            Some(Duration::MAX)
        }) else {
            panic!("it is a function")
        };
        assert_eq!((delay.delay(2), delay.delay(3)), (Some(LONGEST), None));
    }
}
