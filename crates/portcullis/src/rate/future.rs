//! The response future of a rate limit.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower_service::Service;

use super::{tell::Told, waiting::Waiting};
use crate::{Protocol, turn::Entered};

pin_project! {
    /// The response future of [`RateLimitService`](super::RateLimitService).
    ///
    /// Dropping it leaves the line, or drops the call. A permit that was taken is spent.
    pub struct ResponseFuture<S, P, Cx, Req, T>
    where
        S: Service<Req>,
    {
        #[pin]
        entered: Entered<S, P, Cx, Req, Waiting>,
        told: Option<T>,
    }
}

impl<S: Service<Req>, P, Cx, Req, T> ResponseFuture<S, P, Cx, Req, T> {
    #[inline(always)]
    pub(super) fn new(entered: Entered<S, P, Cx, Req, Waiting>, told: Option<T>) -> Self {
        Self { entered, told }
    }
}

impl<S, P, Req, T> Future for ResponseFuture<S, P, P::Context, Req, T>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
    T: Told<P::Response<()>>,
{
    type Output = Result<P::Response<()>, P::Error>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut answer = ready!(this.entered.poll(cx));
        if let (Ok(response), Some(told)) = (&mut answer, this.told) {
            told.tell(response);
        }
        Poll::Ready(answer)
    }
}

impl<S: Service<Req>, P, Cx, Req, T> fmt::Debug for ResponseFuture<S, P, Cx, Req, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("rate::ResponseFuture").finish_non_exhaustive()
    }
}
