//! What the metrics come to in the programs that people use them with: Prometheus, Alertmanager, and the queries of
//! the dashboard. All of them run on loopback, in a directory that is gone afterwards.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod alarm;
mod assets;
mod hooks;
mod patterns;
mod programs;
mod queries;
mod series;
mod shop;
