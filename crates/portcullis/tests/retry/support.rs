//! What the tests share.

use std::{sync::Arc, time::Duration};

use portcullis::{
    BoxError, Registry, RetryPolicy,
    retry::{Backoff, Jitter, RetryBuilder},
};
use tokio::sync::Mutex;

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A policy whose waits are exactly so long.
pub(crate) fn policy(wait: Duration) -> RetryBuilder {
    let backoff = Backoff { jitter: Jitter::None, ..Backoff::fixed(wait) };
    RetryPolicy::builder("orders").registry(&Registry::new()).backoff(backoff)
}

/// Attempts that were made.
#[derive(Clone, Default)]
pub(crate) struct Seen<T>(Arc<Mutex<Vec<T>>>);

impl<T: Clone> Seen<T> {
    pub(crate) fn push(&self, attempt: T) {
        self.0.try_lock().expect("nobody holds it for long").push(attempt);
    }

    pub(crate) fn all(&self) -> Vec<T> {
        self.0.try_lock().expect("nobody holds it for long").clone()
    }
}

pub(crate) fn failed<T>() -> Result<T, BoxError> {
    Err("lost".into())
}
