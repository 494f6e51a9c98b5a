//! The console on real sockets.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod actions;
mod changes;
mod config;
mod events;
mod load;
mod malformed;
mod nested;
mod reads;
mod shutdown;
mod snapshots;
mod support;
