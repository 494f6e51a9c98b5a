//! Calls that run as tasks of a runtime.

#![expect(clippy::unwrap_used, reason = "what helps the tests may panic as they do")]

mod ends;
mod live;
mod runs;
mod seen;
mod support;
