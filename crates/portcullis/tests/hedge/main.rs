//! Hedges under a paused clock.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests, and what they share")]

mod answers;
#[cfg(feature = "http")]
mod bodies;
mod by_hand;
mod cost;
mod delay;
mod harm;
#[cfg(feature = "http")]
mod http;
mod limits;
mod live;
mod pending;
mod picked;
mod seen;
mod support;
