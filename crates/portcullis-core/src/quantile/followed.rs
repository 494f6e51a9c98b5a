//! A value that is looked up now and then.

use std::time::Duration;

use crate::{
    Time,
    sync::atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
    time::nanos,
};

/// Often enough that a dependency that becomes slow is followed at once, and rarely enough that the look costs
/// nothing per call.
pub const LOOK_EVERY: Duration = Duration::from_millis(100);

/// In place of a value that there is none of.
const NONE: u64 = u64::MAX;

/// One quantile, looked up at most every [`LOOK_EVERY`], and in between remembered.
///
/// ```
/// use portcullis_core::{Time, quantile::{Followed, LOOK_EVERY}};
/// use std::time::Duration;
///
/// let (followed, now) = (Followed::default(), Time::from_millis(1));
/// assert_eq!(followed.value(now, || Some(Duration::from_millis(7))), Some(Duration::from_millis(7)));
/// assert_eq!(followed.value(now, || None), Some(Duration::from_millis(7)), "looked up just now");
/// assert_eq!(followed.value(now + LOOK_EVERY, || None), None);
/// ```
#[derive(Debug)]
pub struct Followed {
    /// In nanoseconds.
    value: AtomicU64,
    /// The next look, in nanoseconds since the origin.
    due: AtomicU64,
}

impl Default for Followed {
    fn default() -> Self {
        Self { value: AtomicU64::new(NONE), due: AtomicU64::new(0) }
    }
}

impl Followed {
    /// The value, by `look` if it is time for that. While one thread looks, the others go by what was known.
    #[inline]
    pub fn value(&self, now: Time, look: impl FnOnce() -> Option<Duration>) -> Option<Duration> {
        let due = self.due.load(Relaxed);
        if now.as_nanos() >= due {
            self.look(due, now, look);
        }
        self.known()
    }

    /// What was known at the last look.
    #[inline]
    pub fn known(&self) -> Option<Duration> {
        let value = self.value.load(Acquire);
        (value != NONE).then(|| Duration::from_nanos(value))
    }

    /// Has the next call look, whenever that comes: something else is to be followed.
    pub fn forget(&self) {
        self.value.store(NONE, Relaxed);
        self.due.store(0, Release);
    }

    #[cold]
    #[inline(never)]
    fn look(&self, due: u64, now: Time, look: impl FnOnce() -> Option<Duration>) {
        let next = (now + LOOK_EVERY).as_nanos();
        // One of those who find it due.
        if self.due.compare_exchange(due, next, Acquire, Relaxed).is_ok() {
            let value = look().map_or(NONE, |value| nanos(value).min(NONE - 1));
            self.value.store(value, Release);
        }
    }
}
