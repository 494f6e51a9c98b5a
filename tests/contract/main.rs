//! The contract of every layer: tower's laws, under each protocol and in stacks, and the hosts that take
//! the layers as they are.

#![expect(clippy::unwrap_used, reason = "what helps the tests may panic as they do")]

#[path = "../../crates/portcullis/tests/observe/capture.rs"]
mod capture;
mod exchange;
mod hosts;
mod laws;
mod misuse;
mod observed;
mod policies;
mod readiness;
mod wrong;
