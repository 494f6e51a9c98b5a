//! Load shedding under a paused clock.
#![expect(clippy::panic, clippy::unwrap_used, reason = "tests, and what they share")]

mod calls;
mod delay;
mod flight;
#[cfg(feature = "http")]
mod http;
mod live;
mod pressure;
mod sampler;
mod seen;
mod support;
