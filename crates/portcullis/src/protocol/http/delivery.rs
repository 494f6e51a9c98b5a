//! Whether a request was sent, from the errors of hyper, hyper-util and h2.

use std::error::Error;

use hyper_util::client::legacy;
use portcullis_core::{Delivery, Failure, FailureKind};

/// What one error of a chain says; `None` when it says nothing.
pub(crate) fn judge(error: &(dyn Error + 'static)) -> Option<Failure> {
    if let Some(error) = error.downcast_ref::<legacy::Error>() {
        // Every error after a connection was chosen carries its `connect_info`.
        let unsent = error.is_connect() || error.connect_info().is_none();
        return unsent.then(|| Failure::new(FailureKind::Connection).delivery(Delivery::NotSent));
    }
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        return judge_hyper(error);
    }
    error.downcast_ref::<h2::Error>().map(judge_h2)
}

fn judge_hyper(error: &hyper::Error) -> Option<Failure> {
    if error.is_canceled() {
        // hyper cancels what it still holds: the message never left.
        Some(Failure::new(FailureKind::Connection).delivery(Delivery::NotSent))
    } else if error.is_timeout() {
        Some(Failure::new(FailureKind::Timeout))
    } else if error.is_incomplete_message() || error.is_closed() || error.is_body_write_aborted() {
        Some(Failure::new(FailureKind::Network))
    } else {
        None
    }
}

/// A stream that was refused, or that the peer's GOAWAY leaves out, was not processed (RFC 9113, 6.8, 8.7).
fn judge_h2(error: &h2::Error) -> Failure {
    let reason = error.reason();
    let refused = error.is_reset() && reason == Some(h2::Reason::REFUSED_STREAM);
    let left_out = error.is_go_away() && reason == Some(h2::Reason::NO_ERROR);
    let failure = Failure::new(FailureKind::Network);
    if error.is_remote() && (refused || left_out) {
        failure.delivery(Delivery::NotProcessed)
    } else {
        failure
    }
}
