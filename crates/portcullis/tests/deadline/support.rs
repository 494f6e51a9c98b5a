//! What the tests share.

use std::time::Duration;

use portcullis::{Registry, Timeout};

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// In a registry of its own.
pub(crate) fn timeout(millis: u64) -> Timeout {
    Timeout::builder("t", ms(millis)).registry(&Registry::new()).build().unwrap()
}
