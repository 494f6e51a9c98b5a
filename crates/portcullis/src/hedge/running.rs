//! The attempts of a call after the first.

use std::{
    any::Any,
    future::Future,
    mem::ManuallyDrop,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tower_service::Service;

use super::call::Ticket;
use crate::oneshot::Oneshot;

/// What a call has once another attempt was thought of.
pub(super) struct Others<S, Q, E>
where
    S: Service<Q>,
{
    running: Vec<Pin<Box<Running<S, Q>>>>,
    /// The next attempt, where it was taken before its time because nothing else runs.
    pub(super) prepared: Option<(Q, Ticket)>,
    /// How the last attempt failed, to be returned if nothing better comes. Only errors: a response would
    /// hold its connection.
    pub(super) error: Option<E>,
}

/// The others of a call, if there are any. That there are none, as nearly always, is seen without a call to
/// what would drop them: so it is left out, and done by hand.
pub(super) struct Maybe<T>(ManuallyDrop<Option<Box<T>>>);

impl<T> Maybe<T> {
    pub(super) const NONE: Self = Self(ManuallyDrop::new(None));

    #[inline(always)]
    pub(super) fn get(&self) -> Option<&T> {
        self.0.as_deref()
    }

    #[inline(always)]
    pub(super) fn get_mut(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()
    }

    /// Those there are, or those that `make` makes.
    pub(super) fn get_or(&mut self, make: impl FnOnce() -> T) -> &mut T {
        self.0.get_or_insert_with(|| Box::new(make()))
    }

    /// Drops them.
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        if self.0.is_some() {
            self.clear_some();
        }
    }

    #[cold]
    #[inline(never)]
    fn clear_some(&mut self) {
        drop(self.0.take());
    }
}

impl<T> Drop for Maybe<T> {
    #[inline(always)]
    fn drop(&mut self) {
        self.clear();
    }
}

pin_project! {
    /// An attempt that runs.
    struct Running<S, Q>
    where
        S: Service<Q>,
    {
        #[pin]
        call: Oneshot<S, Q>,
        // Last, so that the attempt is gone when it has lost. Taken when it has ended.
        ticket: Option<Ticket>,
    }
}

/// How an attempt ended.
pub(super) enum End<Res, Err> {
    Answered(Result<Res, Err>),
    /// Its instance did not get ready.
    Unready(Err),
    Panicked(Box<dyn Any + Send>),
}

/// The same, with the attempt's record.
type Ended<S, Q> = (End<<S as Service<Q>>::Response, <S as Service<Q>>::Error>, Ticket);

impl<S: Service<Q>, Q, E> Others<S, Q, E> {
    pub(super) fn none() -> Self {
        Self { running: Vec::new(), prepared: None, error: None }
    }

    pub(super) fn is_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// Sends an attempt, as soon as its instance is ready.
    pub(super) fn send(&mut self, call: Oneshot<S, Q>, ticket: Ticket) {
        self.running.push(Box::pin(Running { call, ticket: Some(ticket) }));
    }

    /// The first that has ended, in the order in which they were sent. It is dropped by then.
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Option<Ended<S, Q>> {
        let mut place = 0;
        while let Some(running) = self.running.get_mut(place) {
            if let Poll::Ready(ended) = running.as_mut().poll_end(cx) {
                let over = self.running.remove(place);
                quietly(|| drop(over));
                return ended;
            }
            place += 1;
        }
        None
    }
}

impl<S: Service<Q>, Q> Running<S, Q> {
    /// A panic in here must not take the other attempts along.
    fn poll_end(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Ended<S, Q>>> {
        let this = self.project();
        let mut call = this.call;
        let end = match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(Err(error))) if !call.is_called() => End::Unready(error),
            Ok(Poll::Ready(result)) => End::Answered(result),
            Err(panic) => End::Panicked(panic),
        };
        Poll::Ready(this.ticket.take().map(|ticket| (end, ticket)))
    }
}

impl<S: Service<Q>, Q, E> Drop for Others<S, Q, E> {
    fn drop(&mut self) {
        while let Some(running) = self.running.pop() {
            quietly(|| drop(running));
        }
    }
}

/// Drops what has lost. The caller has its answer, or wants none: a panic in there must not come between.
pub(super) fn quietly(drop: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(drop));
}
