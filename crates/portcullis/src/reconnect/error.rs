//! That there is no connection.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use portcullis_core::{Delivery, Failure, FailureKind, Name};

use crate::BoxError;

/// No connection could be made. All who waited for it get the same.
#[derive(Clone, Debug)]
pub struct ConnectError {
    pub(super) policy: Name,
    pub(super) failures: u32,
    pub(super) retry_after: Duration,
    pub(super) source: Arc<BoxError>,
}

impl ConnectError {
    /// The policy that connects.
    pub fn policy(&self) -> &Name {
        &self.policy
    }

    /// How many attempts failed in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// When the next attempt can be made.
    pub fn retry_after(&self) -> Duration {
        self.retry_after
    }

    /// What it says about the dependency: that it cannot be reached, and that nothing was sent.
    pub(crate) fn failure(&self) -> Failure {
        Failure::new(FailureKind::Connection).delivery(Delivery::NotSent).retry_after(Some(self.retry_after))
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reconnect '{}' has no connection, after {} attempts", self.policy, self.failures)
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source: &(dyn Error + 'static) = &**self.source;
        Some(source)
    }
}
