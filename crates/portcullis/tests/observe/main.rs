//! Spans, counts and durations of calls and their attempts.

#![expect(clippy::unwrap_used, reason = "what helps the tests may panic as they do")]

mod by_hand;
#[cfg(feature = "tracing")]
mod capture;
mod counts;
#[cfg(feature = "tracing")]
mod dropped;
mod durations;
#[cfg(feature = "tracing")]
mod elsewhere;
mod live;
mod off;
mod seen;
#[cfg(feature = "tracing")]
mod spans;
mod support;
#[cfg(feature = "tracing")]
mod trees;
