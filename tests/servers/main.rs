//! Servers that are not ours: what they send when they fail, and how often they are then asked.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod budget;
mod channel;
mod checks;
mod common;
mod drain;
mod flood;
mod grpcio;
mod h2;
mod health;
mod hops;
mod pipeline;
mod pushback;
mod raw;
mod rolling;
