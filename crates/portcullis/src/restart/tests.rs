//! From one registry to another, some time later, by the text of a file.

mod damage;
mod taken_over;

use std::time::{Duration, SystemTime};

use portcullis_core::{Delivery, Failure, FailureKind, Verdict};

use super::{
    Restored,
    file::{read_text, write_text},
    registry::{document, take_over},
};
use crate::{Registry, Ticket};

/// Seconds.
fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What one registry found out is written down, and read by another one this long after.
async fn restart(from: &Registry, to: &Registry, after: Duration) -> Restored {
    let then = SystemTime::UNIX_EPOCH + s(1_000_000);
    let text = write_text(&document(from, then)).unwrap();
    tokio::time::advance(after).await;
    take_over(to, &read_text(text.as_bytes()).unwrap(), then + after)
}

fn failed() -> Verdict {
    Failure::new(FailureKind::Unavailable).delivery(Delivery::NotProcessed).into()
}

fn fail(ticket: Result<impl Ticket, crate::Rejection>) {
    ticket.unwrap().settle(failed());
}
