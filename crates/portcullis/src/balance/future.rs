//! The response future of a balancer.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::{Rejection, Verdict};
use tower_service::Service;

use super::BalanceTicket;
use crate::{Protocol, Ticket, oneshot::Oneshot, protocol::watched};

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
                let result = result.map_err(|error| this.protocol.lift(error));
                if let Some(ticket) = ticket {
                    if is_refusal(this.protocol, &result) {
                        ticket.refused();
                    }
                    ticket.answered();
                }
                Poll::Ready(match result {
                    Ok(response) => Ok(this.protocol.complete(this.context.clone(), response, ticket.take())),
                    Err(error) => {
                        ticket.settle(this.protocol.judge_error(&error));
                        *ticket = None;
                        Err(error)
                    }
                })
            }
            StateProj::Refused { rejection } => match rejection.take() {
                Some(rejection) => Poll::Ready(this.protocol.refuse(this.context.clone(), rejection)),
                None => Poll::Pending, // polled after it was ready
            },
        }
    }
}

/// Whether a policy around the endpoint refused the call. One whose time was over did not: that is the endpoint's doing.
fn is_refusal<Req, Res, Err, P>(protocol: &P, result: &Result<Res, P::Error>) -> bool
where
    P: Protocol<Req, Res, Err>,
{
    let rejection = match result {
        Ok(response) => protocol.refusal_in(response),
        Err(error) => protocol.refusal_in_error(error),
    };
    rejection.is_some_and(|rejection| rejection.verdict() == Verdict::Ignored)
}

impl<S: Service<Req>, P, Cx, Req> fmt::Debug for ResponseFuture<S, P, Cx, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("balance::ResponseFuture").finish_non_exhaustive()
    }
}
