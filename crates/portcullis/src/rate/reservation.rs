//! Permits that were taken ahead.

use std::{fmt, sync::Arc, time::Duration};

use portcullis_core::{Time, rate::Reserved};

use super::policy::Shared;
use crate::clock;

/// Permits that were taken ahead, to be used when they are [ready](Self::ready). Dropped before, they are given back
/// where that is right: always with a sliding window, and with a bucket when nobody took any after them.
#[must_use = "dropped, it is given back"]
pub struct Reservation {
    shared: Arc<Shared>,
    reserved: Option<Reserved>,
    due: Time,
}

impl Reservation {
    pub(super) fn new(shared: Arc<Shared>, reserved: Reserved) -> Self {
        Self { shared, due: reserved.due(), reserved: Some(reserved) }
    }

    /// How long it is until the permits may be used.
    pub fn wait(&self) -> Duration {
        self.due.since(clock::now())
    }

    /// Waits until the permits may be used, which is then done. Dropping the future gives them back.
    pub async fn ready(self) {
        // The timer goes by milliseconds, but never early.
        tokio::time::sleep(self.wait()).await;
        self.spend();
    }

    /// Uses the permits: they are not given back any more. To be called when their time has come.
    pub fn spend(mut self) {
        self.reserved = None;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(reserved) = self.reserved.take() {
            self.shared.limiter.give_back(reserved, clock::now());
        }
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation").field("limit", &self.shared.name).field("wait", &self.wait()).finish()
    }
}
