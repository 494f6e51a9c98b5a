//! The response future of load shedding.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tower_service::Service;

use super::{ShedTicket, ticket::Admitted};
use crate::{Protocol, turn::Entered};

pin_project! {
    /// The response future of [`LoadShedService`](super::LoadShedService).
    ///
    /// Dropping it takes the call off those in flight.
    pub struct ResponseFuture<S, P, Cx, Req>
    where
        S: Service<Req>,
    {
        #[pin]
        entered: Entered<S, P, Cx, Req, Admitted>,
    }
}

impl<S: Service<Req>, P, Cx, Req> ResponseFuture<S, P, Cx, Req> {
    #[inline(always)]
    pub(super) fn new(entered: Entered<S, P, Cx, Req, Admitted>) -> Self {
        Self { entered }
    }
}

impl<S, P, Req> Future for ResponseFuture<S, P, P::Context, Req>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
{
    type Output = Result<P::Response<ShedTicket>, P::Error>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().entered.poll(cx)
    }
}

impl<S: Service<Req>, P, Cx, Req> fmt::Debug for ResponseFuture<S, P, Cx, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("shed::ResponseFuture").finish_non_exhaustive()
    }
}
