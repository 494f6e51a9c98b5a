//! How waits grow from one retry to the next.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use crate::Failure;

/// More waits than any call has retries; the rest of a longer list is never reached.
pub const MAX_LISTED: usize = 1000;

/// How waits grow, before they are capped and spread.
///
/// Retry `n` is the first, the second and so on: `n` is 1 for the first.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Curve {
    /// `base * factor^(n-1)`: each round halves what the one before it asked of the dependency.
    #[default]
    Exponential,
    /// `base * n`: for dependencies that recover at a steady pace.
    Linear,
    /// `base`: for polling.
    Fixed,
    /// `base * fib(n)`, which is 1, 1, 2, 3, 5 and so on: grows by about 1.6, and later than an exponential.
    Fibonacci,
    /// These waits, of which the last stays; 1 to 1000. See [`Curve::list`].
    List(Arc<[Duration]>),
    /// What a function says.
    Function(WaitFn),
}

/// What a wait can go by: a failed attempt, and what came before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct After<'a> {
    /// The number of the retry that is to be waited for; 1 for the first.
    pub retry: u32,
    /// How the attempt before it failed.
    pub failure: &'a Failure,
    /// How long the backoff was before the last retry, without what the dependency asked for; zero for the
    /// first.
    pub previous: Duration,
}

/// A wait as a function of what came before it. What it says is capped and spread like any other. When it
/// panics, the wait is the exponential one.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::{Failure, FailureKind, retry::{After, Backoff, Jitter}};
/// use std::time::Duration;
///
/// // A connection that was refused comes back soon, or not at all.
/// let backoff = Backoff::function(|after: &After<'_>| match after.failure.kind {
///     FailureKind::Connection => Duration::from_millis(10),
///     _ => Duration::from_secs(after.retry.into()),
/// })
/// .jitter(Jitter::None);
///
/// let failure = Failure::new(FailureKind::Timeout);
/// let after = After { retry: 3, failure: &failure, previous: Duration::from_secs(2) };
/// assert_eq!(backoff.delay(&after, 0), Duration::from_secs(3));
/// ```
#[derive(Clone)]
pub struct WaitFn(Arc<dyn Fn(&After<'_>) -> Duration + Send + Sync>);

impl WaitFn {
    /// A function.
    pub fn new(wait: impl Fn(&After<'_>) -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(wait))
    }

    /// What it says, unless it panics.
    fn of(&self, after: &After<'_>) -> Option<Duration> {
        catch_unwind(AssertUnwindSafe(|| (self.0)(after))).ok()
    }
}

/// The same function, not one that does the same.
impl PartialEq for WaitFn {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for WaitFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WaitFn")
    }
}

impl Curve {
    /// The waits of an iterator, which may be endless: the first 1000 are taken, and the last stays.
    pub fn list(waits: impl IntoIterator<Item = Duration>) -> Self {
        Self::List(waits.into_iter().take(MAX_LISTED).collect())
    }

    /// A function of what came before.
    pub fn function(wait: impl Fn(&After<'_>) -> Duration + Send + Sync + 'static) -> Self {
        Self::Function(WaitFn::new(wait))
    }

    /// The wait before it is capped.
    pub(super) fn wait(&self, base: Duration, factor: f64, after: &After<'_>) -> Duration {
        match self {
            Self::Exponential => exponential(base, factor, after.retry),
            Self::Linear => base.saturating_mul(after.retry.max(1)),
            Self::Fixed => base,
            Self::Fibonacci => base.saturating_mul(fibonacci(after.retry)),
            Self::List(waits) => listed(waits, after.retry),
            Self::Function(wait) => wait.of(after).unwrap_or_else(|| exponential(base, factor, after.retry)),
        }
    }
}

fn exponential(base: Duration, factor: f64, retry: u32) -> Duration {
    let exponent = i32::try_from(retry.saturating_sub(1)).unwrap_or(i32::MAX);
    let wait = crate::time::nanos(base) as f64 * factor.powi(exponent);
    // `as` saturates, and takes NaN (nothing times infinity) for nothing.
    Duration::from_nanos(wait as u64)
}

fn fibonacci(retry: u32) -> u32 {
    // The 48th no longer fits, and saturates.
    let steps = retry.clamp(1, 48) - 1;
    (0..steps).fold((1u32, 1u32), |(this, next), _| (next, this.saturating_add(next))).0
}

fn listed(waits: &[Duration], retry: u32) -> Duration {
    let index = usize::try_from(retry.saturating_sub(1)).unwrap_or(usize::MAX);
    waits.get(index).or(waits.last()).copied().unwrap_or_default()
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;
    use crate::FailureKind;

    const BASE: Duration = Duration::from_millis(50);

    fn waits<const N: usize>(curve: &Curve) -> [u128; N] {
        let failure = Failure::new(FailureKind::Other);
        std::array::from_fn(|i| {
            let after = After { retry: i as u32 + 1, failure: &failure, previous: Duration::ZERO };
            curve.wait(BASE, 2.0, &after).as_millis()
        })
    }

    fn far_out(curve: &Curve) -> Duration {
        let failure = Failure::new(FailureKind::Other);
        curve.wait(BASE, 2.0, &After { retry: u32::MAX, failure: &failure, previous: Duration::MAX })
    }

    #[test]
    fn each_curve_is_its_formula() {
        assert_eq!(waits(&Curve::Exponential), [50, 100, 200, 400, 800]);
        assert_eq!(waits(&Curve::Linear), [50, 100, 150, 200, 250]);
        assert_eq!(waits(&Curve::Fixed), [50; 5]);
        assert_eq!(waits(&Curve::Fibonacci), [50, 50, 100, 150, 250, 400, 650]);
        assert_eq!(waits(&Curve::list([3, 1, 4].map(Duration::from_millis))), [3, 1, 4, 4, 4]);
        assert_eq!(waits(&Curve::function(|after| BASE / after.retry)), [50, 25, 16]);
    }

    #[test]
    fn no_curve_overflows() {
        assert_eq!(far_out(&Curve::Exponential), Duration::from_nanos(u64::MAX));
        assert_eq!(far_out(&Curve::Linear), BASE * u32::MAX);
        assert_eq!(far_out(&Curve::Fixed), BASE);
        assert_eq!(far_out(&Curve::Fibonacci), BASE * u32::MAX);
        assert_eq!(far_out(&Curve::list([])), Duration::ZERO);
        assert_eq!(far_out(&Curve::function(|after| after.previous)), Duration::MAX);
        assert_eq!(fibonacci(47), 2_971_215_073, "the last that fits");
        assert_eq!(fibonacci(0), 1, "there is no retry before the first");
    }

    #[test]
    fn a_function_that_panics_is_as_good_as_none() {
        assert_eq!(waits(&Curve::function(|_| panic!("a wait's"))), [50, 100, 200]);
    }

    #[test]
    fn an_endless_iterator_is_cut() {
        let Curve::List(waits) = Curve::list(std::iter::repeat(BASE)) else { panic!("not a list") };
        assert_eq!(waits.len(), MAX_LISTED);
    }
}
