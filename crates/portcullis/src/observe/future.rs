//! The response future of an observer.

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;

use super::ObserveTicket;
use crate::{Protocol, protocol::watched_inside};

pin_project! {
    /// The response future of [`ObserveService`](super::ObserveService).
    ///
    /// Dropping it abandons the call.
    pub struct ResponseFuture<F, P, Cx, Req> {
        // Dropped before the ticket: spans further in end first.
        #[pin]
        inner: F,
        ticket: ObserveTicket,
        protocol: P,
        context: Cx,
        request: PhantomData<fn(Req)>,
    }
}

impl<F, P, Cx, Req> ResponseFuture<F, P, Cx, Req> {
    #[inline(always)]
    pub(super) fn new(inner: F, protocol: P, context: Cx, ticket: ObserveTicket) -> Self {
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
        let watch = this.ticket.watch();
        let polled = this.inner.poll(cx);
        watch.over();
        let result = ready!(polled);
        Poll::Ready(end(this.protocol, this.context, this.ticket.take(), result))
    }
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
        let inner = this.inner;
        let result = ready!(watched_inside(this.ticket, || inner.poll(cx)));
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
