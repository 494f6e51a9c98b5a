//! Retries: what is decided, and what is told of it.
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests, and what they share")]

mod advice;
#[cfg(feature = "http")]
mod codes;
#[cfg(feature = "http")]
mod deadlines;
mod layers;
mod live;
mod refusals;
mod stops;
mod support;
#[cfg(feature = "http")]
mod told;
