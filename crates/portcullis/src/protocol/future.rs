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
            StateProj::Running { inner, ticket } => {
                let result = ready!(watched(ticket, || inner.poll(cx)));
                finish(this.protocol, this.context.clone(), result, ticket)
            }
            StateProj::Refused { rejection } => refuse(this.protocol, this.context.clone(), rejection),
        }
    }
}

/// What a call that was refused is ready with.
#[inline]
fn refuse<P, T, Req, Res, Err>(
    protocol: &P,
    context: P::Context,
    rejection: &mut Option<Rejection>,
) -> Poll<Result<P::Response<T>, P::Error>>
where
    P: Protocol<Req, Res, Err>,
    T: Ticket,
{
    match rejection.take() {
        Some(rejection) => Poll::Ready(protocol.refuse(context, rejection)),
        None => Poll::Pending, // polled after it was ready
    }
}

/// Settles the ticket by the result, or hands it over to the response.
#[inline(always)]
pub(crate) fn finish<P, T, Req, Res, Err>(
    protocol: &P,
    context: P::Context,
    result: Result<Res, Err>,
    ticket: &mut Option<T>,
) -> Poll<Result<P::Response<T>, P::Error>>
where
    P: Protocol<Req, Res, Err>,
    T: Ticket,
{
    // The ticket goes before the result is put together, so that the result is not moved for it.
    match result {
        Ok(response) => {
            let response = protocol.complete(context, response, ticket);
            *ticket = None;
            Poll::Ready(Ok(response))
        }
        Err(error) => fail(protocol, error, ticket),
    }
}

/// Of its own, so that a success is not moved to where the errors are.
#[inline(never)]
fn fail<P, T, Req, Res, Err>(
    protocol: &P,
    error: Err,
    ticket: &mut Option<T>,
) -> Poll<Result<P::Response<T>, P::Error>>
where
    P: Protocol<Req, Res, Err>,
    T: Ticket,
{
    let error = protocol.lift(error);
    ticket.settle(protocol.judge_error(&error));
    *ticket = None;
    Poll::Ready(Err(error))
}
