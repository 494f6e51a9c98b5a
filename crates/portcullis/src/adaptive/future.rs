//! The response future of an adaptive limit.

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::Rejection;

use super::{AdaptiveTicket, ticket::Held};
use crate::{
    Protocol,
    protocol::{future::fail, watched},
};

pin_project! {
    /// The response future of [`AdaptiveLimitService`](super::AdaptiveLimitService).
    ///
    /// Dropping it gives the place back.
    pub struct ResponseFuture<F, P, Cx, Req> {
        #[pin]
        state: State<F>,
        protocol: P,
        context: Cx,
        request: PhantomData<fn(Req)>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F> {
        Running { #[pin] inner: F, held: Held },
        Refused { rejection: Option<Rejection> },
    }
}

impl<F, P, Cx, Req> ResponseFuture<F, P, Cx, Req> {
    #[inline(always)]
    pub(super) fn running(inner: F, protocol: P, context: Cx, held: Held) -> Self {
        let state = State::Running { inner, held };
        Self { state, protocol, context, request: PhantomData }
    }

    pub(super) fn refused(rejection: Rejection, protocol: P, context: Cx) -> Self {
        let state = State::Refused { rejection: Some(rejection) };
        Self { state, protocol, context, request: PhantomData }
    }
}

impl<F, P, Req, Res, Err> Future for ResponseFuture<F, P, P::Context, Req>
where
    F: Future<Output = Result<Res, Err>>,
    P: Protocol<Req, Res, Err>,
{
    type Output = Result<P::Response<AdaptiveTicket>, P::Error>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match this.state.project() {
            StateProj::Running { inner, held } => {
                // Here, so that what is in an error is not looked at before it is one.
                match ready!(watched(held, || inner.poll(cx))) {
                    Ok(response) => {
                        let context = this.context.clone();
                        Poll::Ready(Ok(this.protocol.complete(context, response, held.answered())))
                    }
                    Err(error) => Poll::Ready(Err(fail(this.protocol, error, held.answered()))),
                }
            }
            StateProj::Refused { rejection } => match rejection.take() {
                Some(rejection) => Poll::Ready(this.protocol.refuse(this.context.clone(), rejection)),
                None => Poll::Pending, // polled after it was ready
            },
        }
    }
}

impl<F, P, Cx, Req> fmt::Debug for ResponseFuture<F, P, Cx, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("adaptive::ResponseFuture").finish_non_exhaustive()
    }
}
