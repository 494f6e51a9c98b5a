//! Pools of threads: with channels and barriers where threads meet, and a paused clock where time passes.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests, and what they share")]

mod cancel;
mod ends;
mod found;
mod layer;
mod live;
mod panics;
mod queue;
mod seen;
mod support;
mod work;
