//! Connections that are made anew, in paused time.

#![expect(clippy::unwrap_used, reason = "what helps the tests may panic as they do")]

mod connects;
mod seen;
mod support;
mod waits;
