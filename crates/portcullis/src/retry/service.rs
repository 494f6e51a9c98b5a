//! A service whose calls are made again.

use std::task::{Context, Poll};

use tower_service::Service;

use super::{Idempotency, Replay, ResponseFuture, RetryPolicy};
use crate::Protocol;

/// A service whose calls are made again, by a [`RetryPolicy`].
///
/// The first attempt runs on the instance that was polled ready; each further one polls an instance of
/// its own ready.
#[derive(Clone, Debug)]
pub struct RetryService<S, P, R, I> {
    pub(super) inner: S,
    pub(super) policy: RetryPolicy,
    pub(super) protocol: P,
    pub(super) replay: R,
    pub(super) idempotency: I,
}

impl<S, P, R, I, Req> Service<Req> for RetryService<S, P, R, I>
where
    R: Replay<Req> + Clone,
    I: Idempotency<Req>,
    S: Service<R::Request> + Clone,
    P: Protocol<R::Request, S::Response, S::Error> + Clone,
{
    type Response = S::Response;
    type Error = P::Error;
    type Future = ResponseFuture<S, P, R, P::Context, Req>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(|error| self.protocol.lift(error))
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        let idempotent = self.replay.is_idempotent(&request) || self.idempotency.is_idempotent(&request);
        let call = self.policy.begin(idempotent);
        let (first, kept) = self.replay.first(request);
        let context = self.protocol.context(&first);
        let spare = self.inner.clone();
        let inner = self.inner.call(first);
        ResponseFuture::new(inner, spare, self.protocol.clone(), context, self.replay.clone(), kept, call)
    }
}
