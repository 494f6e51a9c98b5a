//! The wait before the next attempt.

use std::{ops::RangeInclusive, time::Duration};

use super::{After, Curve, Jitter, curve::MAX_LISTED, jitter::between};
use crate::{ConfigError, check_range, time::nanos};

/// Short enough that one lost packet costs little, long enough to let a queue drain.
pub const DEFAULT_BASE: Duration = Duration::from_millis(50);
/// Doubling halves the load of each further round of retries.
pub const DEFAULT_FACTOR: f64 = 2.0;
/// Past this a caller has given up; the longest wait of common cloud clients.
pub const DEFAULT_CAP: Duration = Duration::from_secs(20);

/// No caller waits for longer.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
const TIMES: RangeInclusive<Duration> = Duration::ZERO..=LONGEST;
/// How far a decorrelated wait can grow in one step, by its definition.
const DECORRELATED_FACTOR: u32 = 3;

/// The waits between the attempts of a call: a [`Curve`], cut at a cap, then spread by [`Jitter`].
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::retry::{Backoff, Jitter};
/// use std::time::Duration;
///
/// let doubling = Backoff { base: Duration::from_millis(20), ..Backoff::default() };
/// let steady = Backoff::linear(Duration::from_millis(100)).cap(Duration::from_secs(1));
/// let ours = Backoff::list([10, 100, 1000].map(Duration::from_millis)).jitter(Jitter::Equal);
/// for backoff in [doubling, steady, ours] {
///     backoff.check()?;
/// }
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Backoff {
    /// How waits grow (default exponentially).
    pub curve: Curve,
    /// What the curve begins with (default 50 ms); 0 to 24 h.
    pub base: Duration,
    /// What each further wait of an exponential curve is multiplied by (default 2); 1 to 10.
    pub factor: f64,
    /// No wait is longer (default 20 s); 0 to 24 h.
    pub cap: Duration,
    /// How waits are spread (default full).
    pub jitter: Jitter,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            curve: Curve::Exponential,
            base: DEFAULT_BASE,
            factor: DEFAULT_FACTOR,
            cap: DEFAULT_CAP,
            jitter: Jitter::Full,
        }
    }
}

/// Each has the default cap, or a longer one when its first wait would be cut by it.
impl Backoff {
    /// No wait at all.
    pub const NONE: Self = Self {
        curve: Curve::Fixed,
        base: Duration::ZERO,
        factor: 1.0,
        cap: Duration::ZERO,
        jitter: Jitter::None,
    };

    /// `base`, then twice as long each time.
    pub fn exponential(base: Duration) -> Self {
        Self::starting(Curve::Exponential, base)
    }

    /// `step` longer each time.
    pub fn linear(step: Duration) -> Self {
        Self::starting(Curve::Linear, step)
    }

    /// As long each time; spread by full jitter like any other, so `wait` is the longest.
    pub fn fixed(wait: Duration) -> Self {
        Self::starting(Curve::Fixed, wait)
    }

    /// 1, 1, 2, 3, 5 and so on times `base`.
    pub fn fibonacci(base: Duration) -> Self {
        Self::starting(Curve::Fibonacci, base)
    }

    /// From `base` to three times the wait before; see [`Jitter::Decorrelated`].
    pub fn decorrelated(base: Duration) -> Self {
        let first = base.saturating_mul(DECORRELATED_FACTOR).min(LONGEST);
        Self { base, jitter: Jitter::Decorrelated, ..Self::starting(Curve::Exponential, first) }
    }

    /// These waits, of which the last stays; see [`Curve::list`].
    pub fn list(waits: impl IntoIterator<Item = Duration>) -> Self {
        let curve = Curve::list(waits);
        let longest = match &curve {
            Curve::List(waits) => waits.iter().max().copied().unwrap_or_default(),
            _ => Duration::ZERO,
        };
        Self { base: DEFAULT_BASE, ..Self::starting(curve, longest) }
    }

    /// What a function of the last failure says; see [`WaitFn`](super::WaitFn).
    pub fn function(wait: impl Fn(&After<'_>) -> Duration + Send + Sync + 'static) -> Self {
        Self { curve: Curve::function(wait), ..Self::default() }
    }

    fn starting(curve: Curve, base: Duration) -> Self {
        Self { curve, base, cap: DEFAULT_CAP.max(base), ..Self::default() }
    }

    /// The same with this factor.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// The same with this cap.
    #[must_use]
    pub fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// The same with this jitter.
    #[must_use]
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_range("retry.backoff.base", self.base, TIMES)?;
        check_range("retry.backoff.factor", self.factor, 1.0..=10.0)?;
        check_range("retry.backoff.cap", self.cap, TIMES)?;
        self.jitter.check()?;
        if let Curve::List(waits) = &self.curve {
            check_range("retry.backoff.list", waits.len(), 1..=MAX_LISTED)?;
        }
        // There would be nothing to draw from between the two, and all clients would meet at the cap.
        if self.jitter == Jitter::Decorrelated && self.cap <= self.base && !self.cap.is_zero() {
            return Err(ConfigError::new("retry.backoff.cap", self.cap, "more than the base"));
        }
        Ok(())
    }

    /// Whether there is never a wait, as with [`NONE`](Self::NONE): then nothing need be drawn for it.
    #[inline]
    pub fn is_none(&self) -> bool {
        self.cap.is_zero()
    }

    /// The wait before the retry after this failure, spread by `random`, any 64 bits.
    pub fn delay(&self, after: &After<'_>, random: u64) -> Duration {
        if self.is_none() {
            return Duration::ZERO;
        }
        let cap = nanos(self.cap);
        let wait = match self.jitter {
            Jitter::Decorrelated => self.decorrelate(cap, after.previous, random),
            jitter => {
                let wait = self.curve.wait(self.base, self.factor, after);
                jitter.spread(nanos(wait).min(cap), cap, random)
            }
        };
        Duration::from_nanos(wait)
    }

    fn decorrelate(&self, cap: u64, previous: Duration, random: u64) -> u64 {
        let low = nanos(self.base).min(cap);
        let high = nanos(previous).max(low).saturating_mul(DECORRELATED_FACTOR.into()).min(cap);
        between(low, high, random)
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;
    use crate::{Failure, FailureKind};

    const FAILURE: Failure = Failure::new(FailureKind::Other);

    fn millis(backoff: &Backoff) -> Vec<u128> {
        let after = |retry| After { retry, failure: &FAILURE, previous: Duration::ZERO };
        (1..=11).map(|retry| backoff.delay(&after(retry), 0).as_millis()).collect()
    }

    #[test]
    fn doubles_up_to_the_cap() {
        let waits = millis(&Backoff::default().jitter(Jitter::None));
        assert_eq!(waits, [50, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 20_000, 20_000]);
    }

    #[test]
    fn every_constructor_is_valid_and_cuts_no_first_wait() {
        let long = Duration::from_secs(60);
        for backoff in [
            Backoff::exponential(long),
            Backoff::linear(long),
            Backoff::fixed(long),
            Backoff::fibonacci(long),
            Backoff::list([long]),
            Backoff::function(move |_| long).cap(long),
        ] {
            backoff.check().unwrap();
            assert_eq!(millis(&backoff.jitter(Jitter::None))[0], 60_000);
        }
        assert_eq!(Backoff::decorrelated(long).check(), Ok(()));
        assert_eq!(Backoff::NONE.check(), Ok(()));
        assert_eq!(Backoff::default().check(), Ok(()));
        assert_eq!(Backoff::exponential(DEFAULT_BASE), Backoff::default());
    }

    #[test]
    fn each_field_outside_its_range_is_named() {
        let day = Duration::from_secs(24 * 60 * 60);
        let wrong = [
            ("retry.backoff.base", Backoff::fixed(day * 2)),
            ("retry.backoff.factor", Backoff::default().factor(0.5)),
            ("retry.backoff.factor", Backoff::default().factor(f64::NAN)),
            ("retry.backoff.cap", Backoff::default().cap(day * 2)),
            ("retry.backoff.jitter", Backoff::default().jitter(Jitter::Uniform(2.0))),
            ("retry.backoff.list", Backoff::list([])),
            ("retry.backoff.cap", Backoff::decorrelated(DEFAULT_BASE).cap(DEFAULT_BASE)),
        ];
        for (field, backoff) in wrong {
            assert_eq!(backoff.check().unwrap_err().field(), field);
        }
    }
}
