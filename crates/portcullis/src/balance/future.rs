//! The response future of a balancer.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::Rejection;
use tower_service::Service;

use super::BalanceTicket;
use crate::{
    Protocol,
    oneshot::Oneshot,
    protocol::{future::finish, watched},
};

pin_project! {
    /// The response future of [`Balance`](super::Balance). Dropping it says nothing about the endpoint.
    pub struct ResponseFuture<S, P, Cx, Req>
    where
        S: Service<Req>,
    {
        #[pin]
        state: State<S, Req>,
        protocol: P,
        context: Cx,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, Req>
    where
        S: Service<Req>,
    {
        Running { #[pin] inner: Oneshot<S, Req>, ticket: Option<BalanceTicket> },
        Refused { rejection: Option<Rejection> },
    }
}

impl<S: Service<Req>, P, Cx, Req> ResponseFuture<S, P, Cx, Req> {
    pub(super) fn running(inner: Oneshot<S, Req>, ticket: BalanceTicket, protocol: P, context: Cx) -> Self {
        Self { state: State::Running { inner, ticket: Some(ticket) }, protocol, context }
    }

    pub(super) fn refused(rejection: Rejection, protocol: P, context: Cx) -> Self {
        Self { state: State::Refused { rejection: Some(rejection) }, protocol, context }
    }
}

impl<S, P, Req> Future for ResponseFuture<S, P, P::Context, Req>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
{
    type Output = Result<P::Response<BalanceTicket>, P::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match this.state.project() {
            StateProj::Running { inner, ticket } => {
                let result = ready!(watched(ticket, || inner.poll(cx)));
                if let Some(ticket) = ticket {
                    ticket.answered();
                }
                Poll::Ready(finish(this.protocol, this.context.clone(), result, ticket.take()))
            }
            StateProj::Refused { rejection } => match rejection.take() {
                Some(rejection) => Poll::Ready(this.protocol.refuse(this.context.clone(), rejection)),
                None => Poll::Pending, // polled after it was ready
            },
        }
    }
}

impl<S: Service<Req>, P, Cx, Req> fmt::Debug for ResponseFuture<S, P, Cx, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("balance::ResponseFuture").finish_non_exhaustive()
    }
}
