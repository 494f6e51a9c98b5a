//! The response future of a service that can be drained.

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::Rejection;

use super::DrainTicket;
use crate::{Protocol, apart::Apart, protocol::future::fail};

pin_project! {
    /// The response future of [`DrainService`](super::DrainService).
    ///
    /// Dropping it takes the call off those in flight.
    pub struct ResponseFuture<F, P, Cx, Req> {
        #[pin]
        state: State<F>,
        protocol: P,
        context: Cx,
        // The answer can end its connection.
        closes: bool,
        request: PhantomData<fn(Req)>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F> {
        Running { #[pin] inner: F, ticket: Apart<DrainTicket> },
        Refused { rejection: Option<Rejection> },
    }
}

impl<F, P, Cx, Req> ResponseFuture<F, P, Cx, Req> {
    #[inline(always)]
    pub(super) fn running(inner: F, protocol: P, context: Cx, closes: bool, ticket: DrainTicket) -> Self {
        let state = State::Running { inner, ticket: Apart::new(ticket) };
        Self { state, protocol, context, closes, request: PhantomData }
    }

    pub(super) fn refused(rejection: Rejection, protocol: P, context: Cx, closes: bool) -> Self {
        let state = State::Refused { rejection: Some(rejection) };
        Self { state, protocol, context, closes, request: PhantomData }
    }
}

impl<F, P, Req, Res, Err> Future for ResponseFuture<F, P, P::Context, Req>
where
    F: Future<Output = Result<Res, Err>>,
    P: Protocol<Req, Res, Err>,
{
    type Output = Result<P::Response<DrainTicket>, P::Error>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match this.state.project() {
            StateProj::Running { inner, ticket } => match ready!(inner.poll(cx)) {
                Ok(response) => {
                    let ticket = ticket.take();
                    let last = *this.closes && ticket.as_ref().is_some_and(DrainTicket::is_late);
                    let mut response = this.protocol.complete(this.context.clone(), response, ticket);
                    if last {
                        this.protocol.close(&mut response);
                    }
                    Poll::Ready(Ok(response))
                }
                Err(error) => Poll::Ready(Err(fail(this.protocol, error, ticket.take()))),
            },
            StateProj::Refused { rejection } => match rejection.take() {
                Some(rejection) => {
                    let mut refusal = this.protocol.refuse(this.context.clone(), rejection);
                    if let (Ok(response), true) = (&mut refusal, *this.closes) {
                        this.protocol.close(response);
                    }
                    Poll::Ready(refusal)
                }
                None => Poll::Pending, // polled after it was ready
            },
        }
    }
}

impl<F, P, Cx, Req> fmt::Debug for ResponseFuture<F, P, Cx, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("drain::ResponseFuture").finish_non_exhaustive()
    }
}
