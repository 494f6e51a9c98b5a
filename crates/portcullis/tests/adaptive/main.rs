//! Adaptive limits under a paused clock.
#![expect(clippy::unwrap_used, reason = "tests, and what they share")]

mod calls;
#[cfg(feature = "http")]
mod http;
mod keyed;
mod live;
mod seen;
mod support;
