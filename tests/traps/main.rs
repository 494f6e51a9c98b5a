//! Mistakes that were seen in other libraries, each one a test that fails on it. The number of a row is
//! the name of its tests.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod adaptive;
mod advice;
mod balance;
mod breaker;
mod bulkhead;
mod bulkhead_keyed;
mod cache;
mod callbacks;
mod cancel;
mod coalesce;
mod common;
mod config;
mod errors;
mod executor;
mod grpc;
mod health;
mod hedge;
mod hosts;
mod http;
mod keyed;
mod live;
mod overrides;
mod panics;
mod peek;
mod polls;
mod pool;
mod probing;
mod ramp;
mod rate;
mod refusal;
mod reqwest;
mod retry;
mod scope;
mod service_config;
mod shed;
mod status;
mod throttle;
mod timeout;
mod windows;
