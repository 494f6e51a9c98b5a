//! The one clock of the whole stack: tokio's, which tests can pause and move.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! use std::time::Duration;
//!
//! let before = portcullis::clock::now();
//! tokio::time::sleep(Duration::from_secs(3600)).await; // virtual: returns at once
//! assert_eq!(portcullis::clock::now().since(before), Duration::from_secs(3600));
//! # }
//! ```

use std::{sync::OnceLock, time::Duration};

use portcullis_core::Time;
use tokio::time::Instant;

/// The origin lies about this long before the system's time at the first look at the clock, so that a
/// runtime whose clock was paused before that look still has a time after the origin.
const HEAD_START: Duration = Duration::from_secs(24 * 60 * 60);

const NANOS_PER_SEC: u64 = 1_000_000_000;

static ORIGIN: OnceLock<Instant> = OnceLock::new();

/// The time now, on tokio's clock; outside a runtime, on the system's monotonic clock.
#[inline]
pub fn now() -> Time {
    if pausable::PAUSABLE { paused_or_now() } else { system::now() }
}

/// The time now, or at most one tick of the system before it (1 to 10 ms). It costs a fraction of
/// [`now`], where the system has such a clock, and is never ahead of it.
#[inline]
pub(crate) fn coarse() -> Time {
    if pausable::PAUSABLE { paused_or_now() } else { system::coarse() }
}

/// A time on this clock, for tokio's timers; now, for one that is over.
pub(crate) fn instant(at: Time) -> Instant {
    // In this order, so that it is never before its time.
    let left = at.since(now());
    Instant::now() + left
}

/// Whether tokio's clock can be paused in this build, which is one of tests.
pub(crate) const fn is_pausable() -> bool {
    pausable::PAUSABLE
}

/// The time on tokio's clock, whether somebody moved it or not.
fn paused_or_now() -> Time {
    let now = Instant::now();
    let origin = *ORIGIN.get_or_init(|| origin(now));
    let since = now.saturating_duration_since(origin);
    nanos(since.as_secs(), since.subsec_nanos())
}

/// Before the system's clock, and not only before the first look at ours: a paused clock that looks first
/// may have run far ahead of all others. Whole milliseconds before that look, to which times are kept.
#[cold]
fn origin(first_look: Instant) -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a paused clock would not tell")]
    let system = Instant::from_std(std::time::Instant::now());
    let start = system.checked_sub(HEAD_START).unwrap_or(system);
    let ahead = first_look.saturating_duration_since(start).as_millis();
    first_look.checked_sub(Duration::from_millis(ahead as u64)).unwrap_or(first_look)
}

#[inline]
fn nanos(secs: u64, nanos: u32) -> Time {
    Time::from_nanos(secs.saturating_mul(NANOS_PER_SEC).saturating_add(u64::from(nanos)))
}

/// Whether tokio's clock can be paused. It can when anybody in the build asked tokio for its feature
/// `test-util`, which only tests do. Else its clock is the system's, and may be read more cheaply.
mod pausable {
    use tokio::runtime::Builder;

    /// No `cfg` of this crate tells of another crate's feature. But `Builder::start_paused` exists only
    /// with it, and where it does, it is taken before the method of that name in [`Otherwise`]: what the
    /// call would return says which one it is, without any call.
    pub(super) const PAUSABLE: bool = answer(|builder| builder.start_paused(true));

    const fn answer<A: Answer>(_: fn(&'static mut Builder) -> A) -> bool {
        A::PAUSABLE
    }

    trait Answer {
        const PAUSABLE: bool;
    }

    impl Answer for &mut Builder {
        const PAUSABLE: bool = true;
    }

    /// What the method that stands in returns.
    struct Absent;

    impl Answer for Absent {
        const PAUSABLE: bool = false;
    }

    #[allow(dead_code, reason = "used in builds without `test-util`")]
    trait Otherwise {
        fn start_paused(&mut self, start_paused: bool) -> Absent;
    }

    impl Otherwise for Builder {
        fn start_paused(&mut self, _: bool) -> Absent {
            Absent
        }
    }
}

/// The clock below tokio's, which is `CLOCK_MONOTONIC`, and the one that the system's tick moves. Both
/// count from the same point, so that there is no offset to measure between them.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use portcullis_core::Time;
    use rustix::time::{ClockId, clock_gettime};

    use super::{HEAD_START, NANOS_PER_SEC};

    #[inline]
    pub(super) fn now() -> Time {
        read(ClockId::Monotonic)
    }

    #[inline]
    pub(super) fn coarse() -> Time {
        read(ClockId::MonotonicCoarse)
    }

    #[inline]
    fn read(clock: ClockId) -> Time {
        let time = clock_gettime(clock);
        // It starts with the system, at nearly zero, and is never negative; and it takes five centuries
        // to wrap.
        let nanos = (time.tv_sec as u64).wrapping_mul(NANOS_PER_SEC).wrapping_add(time.tv_nsec as u64);
        Time::from_nanos(nanos.wrapping_add(HEAD_START.as_secs() * NANOS_PER_SEC))
    }
}

/// Other systems have no coarse clock, or none that counts from where their precise one does.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    pub(super) use super::{paused_or_now as coarse, paused_or_now as now};
}

/// The time of day `age` ago, for people to read.
#[cfg(any(feature = "http", feature = "restart"))]
pub(crate) fn wall(age: Duration) -> std::time::SystemTime {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the time of day")]
    let now = std::time::SystemTime::now();
    // Times before 1970 cannot be written down, and on a board without a battery 1970 may be now.
    let epoch = std::time::SystemTime::UNIX_EPOCH;
    now.checked_sub(age).map_or(epoch, |at| at.max(epoch))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More than the longest tick that Linux can be built with, and less than would pass for a guess.
    const TICK: Duration = Duration::from_millis(50);

    #[cfg(any(feature = "http", feature = "restart"))]
    #[test]
    fn the_time_of_day_is_never_before_what_can_be_shown() {
        let century = Duration::from_secs(100 * 365 * 24 * 60 * 60);
        assert_eq!(wall(century), std::time::SystemTime::UNIX_EPOCH);
        assert_eq!(wall(Duration::MAX), std::time::SystemTime::UNIX_EPOCH);
    }

    /// The system's clocks themselves: with `test-util`, which tests have, nobody else asks them.
    #[test]
    fn the_coarse_clock_is_at_most_a_tick_late_and_never_ahead() {
        let mut latest = Duration::MAX;
        for _ in 0..1000 {
            let before = system::now();
            let coarse = system::coarse();
            let after = system::now();
            assert!(coarse <= after, "{:?} ahead", coarse.since(after));
            latest = latest.min(before.since(coarse));
        }
        // Of the looks the best one: a machine that was just halted may owe itself some ticks.
        assert!(latest <= TICK, "{latest:?} late");
    }

    #[tokio::test(start_paused = true)]
    async fn both_follow_a_paused_clock() {
        const { assert!(pausable::PAUSABLE, "tests are built with `test-util`") };
        let (before, coarse_before) = (now(), coarse());
        assert_eq!(before, coarse_before);
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(now().since(before), Duration::from_secs(3600));
        assert_eq!(coarse().since(coarse_before), Duration::from_secs(3600));
    }
}
