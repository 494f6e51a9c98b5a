//! What the test binaries share. The README's examples are compiled and run as this crate's doc tests.
#![doc = include_str!("../../README.md")]
#![forbid(unsafe_code)]
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

pub mod attempts;
pub mod body;
pub mod grpc;
pub mod net;
pub mod plain;
pub mod polls;
pub mod python;
