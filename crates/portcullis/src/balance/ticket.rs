//! The record of one call on an endpoint.

use std::{fmt, sync::Arc};

use portcullis_core::{Time, Verdict, balance::Measure, outlier::Admitted};

use super::end::End;
use crate::{Ticket, clock};

/// The record of one call on an endpoint: settled with how it ended, or dropped, which says nothing. Until then
/// the call is in flight.
#[must_use = "dropped, it says that the call was given up"]
pub struct BalanceTicket {
    end: Arc<End>,
    admitted: Admitted,
    settled: bool,
    /// When the call began, where that is measured, until it was answered.
    began: Option<Time>,
}

impl BalanceTicket {
    #[inline]
    pub(super) fn new(end: &Arc<End>) -> Self {
        end.load.begin();
        let began = matches!(end.measure, Measure::PeakEwma(_)).then(clock::now);
        Self { end: end.clone(), admitted: end.endpoint.admit(), settled: false, began }
    }

    /// The answer has come: what follows is its body, which may take as long as it likes.
    #[inline]
    pub(super) fn answered(&mut self) {
        if let Some(began) = self.began.take() {
            let now = clock::now();
            self.end.load.observe(self.end.measure, now.since(began), now);
        }
    }

    /// A policy around the endpoint refused the call, in no time: the endpoint is not as quick as that.
    #[cold]
    pub(super) fn refused(&mut self) {
        self.began = None;
        self.end.load.refused(clock::now());
    }

    /// The endpoint's name.
    pub fn endpoint(&self) -> &portcullis_core::Name {
        self.end.endpoint.name()
    }
}

impl Ticket for BalanceTicket {
    fn settle(&mut self, verdict: Verdict) {
        if !std::mem::replace(&mut self.settled, true) {
            self.end.outliers.record(&self.end.endpoint, self.admitted, &verdict);
        }
    }
}

impl Drop for BalanceTicket {
    #[inline]
    fn drop(&mut self) {
        self.end.load.end();
        if let Some(began) = self.began {
            let now = clock::now();
            self.end.load.give_up(self.end.measure, now.since(began), now);
        }
    }
}

impl fmt::Debug for BalanceTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BalanceTicket").field("endpoint", self.endpoint()).finish_non_exhaustive()
    }
}
