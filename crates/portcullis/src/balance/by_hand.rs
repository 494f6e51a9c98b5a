//! Ejection for a balancer of one's own.

use std::{fmt, future::Future, sync::Arc};

use portcullis_core::{Name, Verdict};

use super::{BalanceTicket, end::End};
use crate::{FromRejection, Ticket, protocol::watched};

/// One endpoint of [`Outliers`](super::Outliers), for a balancer of one's own. It leaves when it is dropped.
pub struct OutlierEndpoint {
    end: Arc<End>,
}

impl OutlierEndpoint {
    pub(super) fn new(end: Arc<End>) -> Self {
        Self { end }
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        self.end.endpoint.name()
    }

    /// Whether calls should go to it: it is not ejected, or so many are that all should be used.
    pub fn is_usable(&self) -> bool {
        self.end.outliers.sweep();
        self.end.endpoint.is_usable() || self.end.outliers.fleet.is_panicking()
    }

    /// Calls in flight.
    pub fn in_flight(&self) -> u32 {
        self.end.load.in_flight()
    }

    /// Says that a call goes to it, whether or not it is usable. The ticket is to be settled with how the call
    /// ended; dropped before, it says nothing.
    pub fn admit(&self) -> BalanceTicket {
        self.end.outliers.sweep();
        BalanceTicket::new(&self.end)
    }

    /// Runs `call`, and counts how it ended. Dropped before, it says nothing.
    ///
    /// # Errors
    ///
    /// What `call` returned.
    pub async fn call<F, Fut, T, E>(&self, call: F) -> Result<T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: FromRejection,
    {
        let mut ticket = self.admit();
        let running = watched(&mut ticket, call);
        let mut running = std::pin::pin!(running);
        let result = std::future::poll_fn(|cx| watched(&mut ticket, || running.as_mut().poll(cx))).await;
        ticket.settle(match &result {
            Ok(_) => Verdict::Success,
            Err(error) => error.verdict(),
        });
        result
    }
}

impl Drop for OutlierEndpoint {
    fn drop(&mut self) {
        self.end.leave();
    }
}

impl fmt::Debug for OutlierEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutlierEndpoint").field("endpoint", &self.end.endpoint).finish_non_exhaustive()
    }
}
