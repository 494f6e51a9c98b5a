//! The end of a server under a paused clock.
#![expect(clippy::unwrap_used, reason = "tests, and what they share")]

mod hosts;
#[cfg(feature = "http")]
mod http;
mod lifetimes;
mod phases;
mod reports;
mod seen;
#[cfg(all(unix, feature = "signal"))]
mod signals;
mod support;
