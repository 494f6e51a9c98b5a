//! Adaptive throttling on the client's side: a client that is refused much holds back by itself.
//!
//! [`Throttler`] counts, over a window, the requests and those of them that the dependency accepted, and holds a
//! request back with the chance `(requests - k * accepted) / (requests + 1)`, as in "Handling Overload" of Google's
//! *Site Reliability Engineering*. A request that was held back is a request too, so that who goes on asking goes
//! on being held back; the [largest share](Config::max_share) lets some through, by which it learns that the
//! dependency is back.
//!
//! ```
//! use portcullis_core::{Time, throttle::{Config, Ended, Throttler}};
//!
//! let throttler = Throttler::new(Config { min_requests: 1, ..Config::default() }, 1)?;
//! let now = Time::from_millis(1000);
//! for _ in 0..9 {
//!     throttler.admit(0);
//!     throttler.settle(0, Ended::Refused, || now);
//! }
//! assert_eq!(throttler.status(now).chance, 0.9);
//! throttler.admit(0);
//! throttler.settle(0, Ended::Accepted, || now);
//! assert!((throttler.status(now).chance - 8.0 / 11.0).abs() < 1e-9);
//! # Ok::<(), portcullis_core::ConfigError>(())
//! ```
//!
//! # What is counted when
//!
//! A request is counted when it is known not to be in good hands: when it ends, or when it has been without any
//! answer for a bucket of the window (a sixtieth: 2 s of 2 min, and up to two, because a bucket is judged when it is
//! over). So a dependency that only hangs is seen while it hangs, and not when the calls time out; and a burst of calls
//! that are answered in good time is not taken for an outage. How many hang is known by numbers alone: as if calls
//! ended in the order in which they began, which is never more than really do.
//!
//! A request that has no answer by the end of the window is forgotten as all others are.

mod book;
mod cells;
mod config;
mod preset;
mod throttler;
mod word;

#[cfg(all(test, portcullis_loom))]
mod loom_tests;
#[cfg(all(test, not(portcullis_loom)))]
mod model_tests;

pub use config::{
    Config, DEFAULT_K, DEFAULT_MAX_SHARE, DEFAULT_MIN_REQUESTS, DEFAULT_REFUSED_BY, DEFAULT_WINDOW,
};
pub use preset::Preset;
pub use throttler::{Ended, Evidence, Lot, Status, Throttler};
