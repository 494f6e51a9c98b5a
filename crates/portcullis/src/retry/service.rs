//! A service whose calls are made again.

use std::{
    borrow::Cow,
    task::{Context, Poll},
};

use tower_service::Service;

use super::{Idempotency, Policies, Replay, ResponseFuture, RetryPolicy, entry::Begin, future::Again};
use crate::Protocol;

/// A service whose calls are made again, by a [`RetryPolicy`].
///
/// The first attempt runs on the instance that was polled ready; each further one polls an instance of
/// its own ready.
#[derive(Clone, Debug)]
pub struct RetryService<S, P, R, I, K = RetryPolicy> {
    pub(super) inner: S,
    pub(super) policies: K,
    pub(super) protocol: P,
    pub(super) replay: R,
    pub(super) idempotency: I,
}

impl<S, P, R, I, K, Req> Service<Req> for RetryService<S, P, R, I, K>
where
    K: Policies<Req>,
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

    #[inline(always)]
    fn call(&mut self, request: Req) -> Self::Future {
        let owned;
        let policy = match self.policies.policy(&request) {
            Some(Cow::Borrowed(policy)) => policy,
            Some(Cow::Owned(policy)) => {
                owned = policy;
                &owned
            }
            None => return self.bypass(request),
        };
        let entry = policy.enter();
        if entry.is_bypassed() {
            return self.bypass(request);
        }
        let idempotent = self.replay.is_idempotent(&request) || self.idempotency.is_idempotent(&request);
        let (first, kept) = self.replay.first(request);
        let context = self.protocol.context(&first);
        let above = self.protocol.attempt(&first);
        let begin = Begin { above, idempotent, deadline: self.protocol.deadline(&first) };
        // What is kept of the policy is the call.
        let call = entry.begin(begin);
        let service = self.inner.clone();
        let again = Again { service, replay: self.replay.clone(), kept, call };
        ResponseFuture::new(self.inner.call(first), self.protocol.clone(), context, Some(again))
    }
}

impl<S, P, R, I, K> RetryService<S, P, R, I, K> {
    /// A call that is made once, as if there were no policy.
    #[cold]
    #[inline(never)]
    fn bypass<Req>(&mut self, request: Req) -> ResponseFuture<S, P, R, P::Context, Req>
    where
        R: Replay<Req>,
        S: Service<R::Request>,
        P: Protocol<R::Request, S::Response, S::Error> + Clone,
    {
        let only = self.replay.once(request);
        let context = self.protocol.context(&only);
        ResponseFuture::new(self.inner.call(only), self.protocol.clone(), context, None)
    }
}
