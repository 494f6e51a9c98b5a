//! What is fresh, what is stale, and what is gone.

use std::time::Duration;

use crate::{Time, time::nanos};

/// For how long something is kept. The times after the first begin where that ends, side by side, as in
/// [RFC 5861](https://www.rfc-editor.org/rfc/rfc5861).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Windows {
    /// It is served, and nobody is asked.
    pub ttl: Duration,
    /// It is served at once, and somebody is asked for another.
    pub while_revalidate: Duration,
    /// It is served when who was asked for another has failed.
    pub if_error: Duration,
}

impl Windows {
    /// The same with a shorter time to live: less by a part of `jitter` of it, which is a share, 0 to 1, and of which
    /// `draw`, any 64 bits, says how much. So what was kept at one time does not end at one time.
    ///
    /// ```
    /// use portcullis_core::cache::Windows;
    /// use std::time::Duration;
    ///
    /// let windows = Windows { ttl: Duration::from_secs(100), ..Windows::default() };
    /// assert_eq!(windows.jittered(0.1, 0).ttl, Duration::from_secs(100));
    /// assert_eq!(windows.jittered(0.1, u64::MAX / 2).ttl.as_secs(), 95);
    /// ```
    #[must_use]
    pub fn jittered(self, jitter: f64, draw: u64) -> Self {
        // The 53 highest bits as a share of 1.
        let drawn = (draw >> 11) as f64 / (1u64 << 53) as f64;
        let less = nanos(self.ttl) as f64 * jitter.clamp(0.0, 1.0) * drawn;
        // From a float this saturates.
        Self { ttl: self.ttl.saturating_sub(Duration::from_nanos(less as u64)), ..self }
    }
}

/// What may be done with something that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Freshness {
    /// It is served.
    Fresh,
    /// It is served, and another is fetched.
    Stale,
    /// Another is fetched, and where that fails this is served.
    IfError,
    /// It is nothing any more.
    Gone,
}

/// When something that is kept stops to be fresh, and then to be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    stored: Time,
    fresh_until: Time,
    stale_until: Time,
    if_error_until: Time,
}

impl Lifetime {
    /// Of something that is `stored` at this time.
    pub fn new(stored: Time, windows: Windows) -> Self {
        let fresh_until = stored + windows.ttl;
        Self {
            stored,
            fresh_until,
            stale_until: fresh_until + windows.while_revalidate,
            if_error_until: fresh_until + windows.if_error,
        }
    }

    /// What may be done with it now.
    #[inline]
    pub fn at(&self, now: Time) -> Freshness {
        if now < self.fresh_until {
            Freshness::Fresh
        } else if now < self.stale_until {
            Freshness::Stale
        } else if now < self.if_error_until {
            Freshness::IfError
        } else {
            Freshness::Gone
        }
    }

    /// Whether it may be served where the fetch of another has failed.
    #[inline]
    pub fn serves_errors(&self, now: Time) -> bool {
        now < self.if_error_until
    }

    /// How long ago it was stored.
    #[inline]
    pub fn age(&self, now: Time) -> Duration {
        now.since(self.stored)
    }

    /// From its being stored until it is nothing any more.
    pub fn whole(&self) -> Duration {
        self.stale_until.max(self.if_error_until).since(self.stored)
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As told: each window for itself.
    fn naive(stored: u64, windows: Windows, now: u64) -> Freshness {
        let age = u128::from(now.saturating_sub(stored));
        let ttl = windows.ttl.as_nanos();
        if age < ttl {
            Freshness::Fresh
        } else if age < ttl + windows.while_revalidate.as_nanos() {
            Freshness::Stale
        } else if age < ttl + windows.if_error.as_nanos() {
            Freshness::IfError
        } else {
            Freshness::Gone
        }
    }

    fn window() -> impl Strategy<Value = Duration> {
        prop_oneof![Just(0), 0..50u64, 0..1_000_000_000_000u64].prop_map(Duration::from_nanos)
    }

    proptest! {
        #[test]
        fn is_what_the_windows_say(stored in 0..1_000u64, later in 0..200u64, windows in (window(), window(), window())) {
            let (ttl, while_revalidate, if_error) = windows;
            let windows = Windows { ttl, while_revalidate, if_error };
            let now = stored + later;
            let lifetime = Lifetime::new(Time::from_nanos(stored), windows);
            prop_assert_eq!(lifetime.at(Time::from_nanos(now)), naive(stored, windows, now));
        }

        #[test]
        fn only_gets_older(windows in (window(), window(), window()), first in any::<u64>(), then in any::<u64>()) {
            let (ttl, while_revalidate, if_error) = windows;
            let lifetime = Lifetime::new(Time::from_nanos(5), Windows { ttl, while_revalidate, if_error });
            let (first, then) = (first.min(then), first.max(then));
            prop_assert!(lifetime.at(Time::from_nanos(first)) <= lifetime.at(Time::from_nanos(then)));
        }

        #[test]
        fn jitter_only_shortens_and_by_no_more_than_its_share(ttl in window(), jitter in 0.0..=0.5f64, draw in any::<u64>()) {
            let windows = Windows { ttl, ..Windows::default() };
            let jittered = windows.jittered(jitter, draw);
            prop_assert!(jittered.ttl <= ttl);
            prop_assert!(jittered.ttl >= ttl.mul_f64(1.0 - jitter).saturating_sub(Duration::from_micros(1)));
        }
    }

    #[test]
    fn nothing_overflows() {
        let windows =
            Windows { ttl: Duration::MAX, while_revalidate: Duration::MAX, if_error: Duration::MAX };
        let lifetime = Lifetime::new(Time::from_nanos(u64::MAX - 1), windows.jittered(0.5, u64::MAX));
        assert_eq!(lifetime.at(Time::from_nanos(u64::MAX)), Freshness::Gone);
        assert_eq!(lifetime.whole(), Duration::from_nanos(1));
    }

    #[test]
    fn is_kept_as_long_as_the_longer_window() {
        let seconds = Duration::from_secs;
        let windows = Windows { ttl: seconds(1), while_revalidate: seconds(5), if_error: seconds(2) };
        assert_eq!(Lifetime::new(Time::ORIGIN, windows).whole(), seconds(6));
        let lifetime = Lifetime::new(Time::ORIGIN, windows);
        assert!(lifetime.serves_errors(Time::from_millis(2_999)));
        assert!(
            !lifetime.serves_errors(Time::from_millis(3_000)),
            "though it is served while another is fetched"
        );
    }
}
