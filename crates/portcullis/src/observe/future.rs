//! The response future of an observer.

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    mem::ManuallyDrop,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;

use super::ObserveTicket;
use crate::{Protocol, Ticket, protocol::watched_inside};

pin_project! {
    /// The response future of [`ObserveService`](super::ObserveService).
    ///
    /// Dropping it abandons the call.
    pub struct ResponseFuture<F, P, Cx, Req> {
        // Inside of a span it is dropped as soon as it is done; else when this is dropped.
        #[pin]
        inner: Option<F>,
        ticket: ManuallyDrop<ObserveTicket>,
        protocol: P,
        context: Cx,
        request: PhantomData<fn(Req)>,
    }

    impl<F, P, Cx, Req> PinnedDrop for ResponseFuture<F, P, Cx, Req> {
        #[inline(always)]
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if !this.ticket.is_over() {
                abandon(this.inner, this.ticket.take());
            }
        }
    }
}

/// Drops the future inside of the span, and then the ticket: spans further in end first.
#[cold]
#[inline(never)]
pub(super) fn abandon<F>(mut inner: Pin<&mut Option<F>>, mut ticket: ObserveTicket) {
    ticket.inside(|| inner.set(None));
}

impl<F, P, Cx, Req> ResponseFuture<F, P, Cx, Req> {
    #[inline(always)]
    pub(super) fn new(inner: F, protocol: P, context: Cx, ticket: ObserveTicket) -> Self {
        let (inner, ticket) = (Some(inner), ManuallyDrop::new(ticket));
        Self { inner, ticket, protocol, context, request: PhantomData }
    }
}

impl<F, P, Req, Res, Err> Future for ResponseFuture<F, P, P::Context, Req>
where
    F: Future<Output = Result<Res, Err>>,
    P: Protocol<Req, Res, Err>,
{
    type Output = Result<P::Response<ObserveTicket>, P::Error>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.ticket.trace().is_some() {
            return self.poll_inside(cx);
        }
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else { return Poll::Pending }; // polled after it was ready
        let watch = this.ticket.watch();
        let polled = inner.poll(cx);
        watch.over();
        let result = ready!(polled);
        Poll::Ready(end(this.protocol, this.context, this.ticket.take(), result))
    }
}

/// Polls the future inside of the span, and drops it there when it is done.
pub(super) fn poll_inside<F: Future>(
    mut inner: Pin<&mut Option<F>>,
    ticket: &mut ObserveTicket,
    cx: &mut Context<'_>,
) -> Poll<F::Output> {
    watched_inside(ticket, || {
        let Some(polled) = inner.as_mut().as_pin_mut() else { return Poll::Pending }; // polled after it was ready
        let result = ready!(polled.poll(cx));
        inner.set(None);
        Poll::Ready(result)
    })
}

/// Settles the ticket by the result, or hands it over to the response.
#[inline(always)]
fn end<P, Req, Res, Err>(
    protocol: &P,
    context: &P::Context,
    mut ticket: ObserveTicket,
    result: Result<Res, Err>,
) -> Result<P::Response<ObserveTicket>, P::Error>
where
    P: Protocol<Req, Res, Err>,
{
    match result {
        Ok(response) => {
            if let Some(rejection) = protocol.refusal_in(&response) {
                ticket.refused(rejection);
            }
            Ok(protocol.complete(context.clone(), response, Some(ticket)))
        }
        Err(error) => {
            let error = protocol.lift(error);
            ticket.failed(protocol.refusal_in_error(&error), || protocol.judge_error(&error));
            Err(error)
        }
    }
}

impl<F, P, Req, Res, Err> ResponseFuture<F, P, P::Context, Req>
where
    F: Future<Output = Result<Res, Err>>,
    P: Protocol<Req, Res, Err>,
{
    /// The same inside of the span, which is told of what the answer says.
    #[cold]
    #[inline(never)]
    fn poll_inside(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<P::Response<ObserveTicket>, P::Error>> {
        let this = self.project();
        let result = ready!(poll_inside(this.inner, this.ticket, cx));
        if let (Ok(response), Some(trace)) = (&result, this.ticket.trace()) {
            let grpc = this.protocol.grpc_status(response).map(|(code, _)| code);
            trace.answered(this.protocol.status(response), grpc);
        }
        Poll::Ready(end(this.protocol, this.context, this.ticket.take(), result))
    }
}

impl<F, P, Cx, Req> fmt::Debug for ResponseFuture<F, P, Cx, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("observe::ResponseFuture").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}
