//! Timeouts that change, that follow, and that requests bring along; in paused time.

#![expect(clippy::panic, clippy::unwrap_used, reason = "what helps the tests may panic as they do")]

mod adaptive;
mod deadlines;
mod modes;
mod own;
mod pending;
mod support;
