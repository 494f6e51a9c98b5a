//! The health monitor: what checks may do, when they run, what is told of them.
#![expect(clippy::unwrap_used, reason = "a test's own helpers")]

mod config;
mod ends;
#[cfg(feature = "http")]
mod http;
mod levels;
mod live;
mod runs;
mod seen;
mod support;
