//! The response future of a keyed bulkhead.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tower_service::Service;

use super::{ticket::KeyedBulkheadTicket, waiting::Waiting};
use crate::{Protocol, keyed::Key, turn::Entered};

pin_project! {
    /// The response future of [`KeyedBulkheadService`](super::KeyedBulkheadService).
    ///
    /// Dropping it leaves the queue, or gives the permits back.
    pub struct ResponseFuture<S, P, Cx, K, Req>
    where
        S: Service<Req>,
        K: Key,
    {
        #[pin]
        entered: Entered<S, P, Cx, Req, Waiting<K>>,
    }
}

impl<S: Service<Req>, P, Cx, K: Key, Req> ResponseFuture<S, P, Cx, K, Req> {
    #[inline(always)]
    pub(super) fn new(entered: Entered<S, P, Cx, Req, Waiting<K>>) -> Self {
        Self { entered }
    }
}

impl<S, P, K, Req> Future for ResponseFuture<S, P, P::Context, K, Req>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
    K: Key,
{
    type Output = Result<P::Response<KeyedBulkheadTicket<K>>, P::Error>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().entered.poll(cx)
    }
}

impl<S: Service<Req>, P, Cx, K: Key, Req> fmt::Debug for ResponseFuture<S, P, Cx, K, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("bulkhead::keyed::ResponseFuture").finish_non_exhaustive()
    }
}
