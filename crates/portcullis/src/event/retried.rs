//! How a call that failed at first ended.

use std::fmt;

use crate::retry::{Failures, Stop};

/// How a call ended of which at least one attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retried {
    /// Attempts that were made.
    pub attempts: u32,
    /// How they failed.
    pub failures: Failures,
    /// Why there was no other attempt; `None` when the last one succeeded.
    pub stopped: Option<Stop>,
}

impl fmt::Display for Retried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attempts, failures, stopped } = self;
        match stopped {
            None => write!(f, "succeeded with attempt {attempts}, after {failures}"),
            Some(stop) => write!(f, "gave up after attempt {attempts} ({failures}): {stop}"),
        }
    }
}
