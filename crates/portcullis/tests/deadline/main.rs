//! Deadlines that travel, in paused time.

#![expect(clippy::unwrap_used, reason = "what helps the tests may panic as they do")]

mod comes;
mod ends;
mod goes;
mod support;
