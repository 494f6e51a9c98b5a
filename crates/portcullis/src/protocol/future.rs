//! The future of a call that was admitted or refused.

use std::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::Rejection;

use super::{Protocol, Ticket, watched};

pin_project! {
    /// The response future of the layers that admit a call or refuse it.
    ///
    /// Dropping it abandons the ticket, which gives back whatever it held.
    pub struct ResponseFuture<F, P, Cx, T, Req> {
        #[pin]
        state: State<F, T>,
        protocol: P,
        context: Cx,
        request: PhantomData<fn(Req)>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, T> {
        Running { #[pin] inner: F, ticket: Option<T> },
        Refused { rejection: Option<Rejection> },
    }
}

impl<F, P, Cx, T, Req> ResponseFuture<F, P, Cx, T, Req> {
    #[inline(always)]
    pub(crate) fn running(inner: F, protocol: P, context: Cx, ticket: T) -> Self {
        let state = State::Running { inner, ticket: Some(ticket) };
        Self { state, protocol, context, request: PhantomData }
    }

    #[inline(always)]
    pub(crate) fn refused(rejection: Rejection, protocol: P, context: Cx) -> Self {
        let state = State::Refused { rejection: Some(rejection) };
        Self { state, protocol, context, request: PhantomData }
    }
}

impl<F, P, T, Req, Res, Err> Future for ResponseFuture<F, P, P::Context, T, Req>
where
    F: Future<Output = Result<Res, Err>>,
    P: Protocol<Req, Res, Err>,
    T: Ticket,
{
    type Output = Result<P::Response<T>, P::Error>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match this.state.project() {
            // Here, so that what is in an error is not looked at before it is one.
            StateProj::Running { inner, ticket } => match ready!(watched(ticket, || inner.poll(cx))) {
                Ok(response) => {
                    Poll::Ready(Ok(this.protocol.complete(this.context.clone(), response, ticket.take())))
                }
                Err(error) => Poll::Ready(Err(fail(this.protocol, error, ticket.take()))),
            },
            StateProj::Refused { rejection } => match rejection.take() {
                Some(rejection) => Poll::Ready(this.protocol.refuse(this.context.clone(), rejection)),
                None => Poll::Pending, // polled after it was ready
            },
        }
    }
}

/// Settles the ticket by the result, or hands it over to the response.
#[inline(always)]
pub(crate) fn finish<P, T, Req, Res, Err>(
    protocol: &P,
    context: P::Context,
    result: Result<Res, Err>,
    ticket: Option<T>,
) -> Result<P::Response<T>, P::Error>
where
    P: Protocol<Req, Res, Err>,
    T: Ticket,
{
    match result {
        Ok(response) => Ok(protocol.complete(context, response, ticket)),
        Err(error) => Err(fail(protocol, error, ticket)),
    }
}

/// Settles the ticket by an error.
#[inline(always)]
pub(crate) fn fail<P, T, Req, Res, Err>(protocol: &P, error: Err, ticket: Option<T>) -> P::Error
where
    P: Protocol<Req, Res, Err>,
    T: Ticket,
{
    let error = protocol.lift(error);
    if let Some(mut ticket) = ticket {
        ticket.settle(protocol.judge_error(&error));
    }
    error
}
