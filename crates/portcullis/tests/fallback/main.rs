//! Fallbacks and failovers, in paused time.

#![expect(clippy::unwrap_used, reason = "what helps the tests may panic as they do")]

mod answers;
mod failover;
mod http;
mod seen;
mod support;
