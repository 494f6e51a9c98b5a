//! A service whose calls are hedged.

use std::{
    borrow::Cow,
    task::{Context, Poll},
};

use tower_service::Service;

use super::{Hedge, Policies, ResponseFuture, call::Call, future::Hedging};
use crate::{
    Protocol,
    replay::{Idempotency, Replay},
};

/// A service whose calls are hedged, by a [`Hedge`].
///
/// The first attempt runs on the instance that was polled ready; each further one polls an instance of
/// its own ready.
#[derive(Clone, Debug)]
pub struct HedgeService<S, P, R, I, K = Hedge> {
    pub(super) inner: S,
    pub(super) policies: K,
    pub(super) protocol: P,
    pub(super) replay: R,
    pub(super) idempotency: I,
}

impl<S, P, R, I, K, Req> Service<Req> for HedgeService<S, P, R, I, K>
where
    K: Policies<Req>,
    R: Replay<Req> + Clone,
    I: Idempotency<Req>,
    S: Service<R::Request> + Clone,
    P: Protocol<R::Request, S::Response, S::Error> + Clone,
{
    type Response = S::Response;
    type Error = P::Error;
    type Future = ResponseFuture<S, P, R, Req, P::Context, P::Error>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(|error| self.protocol.lift(error))
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        let idempotent = self.replay.is_idempotent(&request) || self.idempotency.is_idempotent(&request);
        // The hedge is let go before anything is made: what is kept of it is the entry.
        let entry = match if idempotent { self.policies.policy(&request) } else { None } {
            Some(Cow::Borrowed(hedge)) => hedge.enter(),
            Some(Cow::Owned(hedge)) => hedge.enter(),
            None => None,
        };
        let Some(entry) = entry else {
            let only = self.replay.once(request);
            let context = self.protocol.context(&only);
            return ResponseFuture::new(self.inner.call(only), self.protocol.clone(), context, None);
        };
        let (first, kept) = self.replay.first(request);
        let context = self.protocol.context(&first);
        let above = self.protocol.attempt(&first);
        let call = Call::begin(entry, above, self.protocol.deadline(&first));
        let hedging = Hedging::new(self.inner.clone(), self.replay.clone(), kept, call);
        ResponseFuture::new(self.inner.call(first), self.protocol.clone(), context, Some(hedging))
    }
}
