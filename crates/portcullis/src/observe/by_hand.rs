//! Calls and attempts without tower.

use std::{
    future::{Future, poll_fn},
    pin::pin,
};

use pin_project_lite::pin_project;
use portcullis_core::Verdict;

use super::{
    ObserveTicket,
    future::{abandon, poll_inside},
};
use crate::{FromRejection, Ticket, protocol::watched_inside};

/// Calls, and waits, inside of the ticket's span, which is settled by the result.
pub(super) async fn run<F, Fut, T, E>(mut ticket: ObserveTicket, call: F) -> Result<T, E>
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: FromRejection,
{
    let inner = Some(watched_inside(&mut ticket, call));
    let mut run = pin!(Run { inner, ticket });
    let result = poll_fn(|cx| {
        let run = run.as_mut().project();
        poll_inside(run.inner, run.ticket, cx)
    });
    let result = result.await;
    let ticket = run.project().ticket;
    match &result {
        Ok(_) => ticket.settle(Verdict::Success),
        Err(error) => ticket.failed(error.as_rejection(), || error.verdict()),
    }
    result
}

pin_project! {
    struct Run<F> {
        #[pin]
        inner: Option<F>,
        ticket: ObserveTicket,
    }

    impl<F> PinnedDrop for Run<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            abandon(this.inner, this.ticket.take());
        }
    }
}
