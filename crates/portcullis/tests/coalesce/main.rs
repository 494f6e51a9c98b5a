//! Calls of the same key that share an answer, in paused time.

#![expect(clippy::unwrap_used, reason = "what helps the tests may panic as they do")]

mod by_hand;
mod failures;
mod http;
mod leaders;
mod live;
mod seen;
mod sharing;
mod support;
