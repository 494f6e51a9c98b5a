//! A service behind a rate limit.

use std::task::{Context, Poll};

use portcullis_core::Time;
use tower_service::Service;

use super::{Cost, Limits, RateLimit, ResponseFuture, Tell, policy::Entry, tell::Told};
use crate::{Protocol, clock};

/// A service behind a [`RateLimit`].
///
/// A call that must wait or is refused gives up what the inner service reserved for it when it was polled ready. Its
/// turn come, a call polls an instance of its own ready.
#[derive(Clone, Debug)]
pub struct RateLimitService<S, P, K, C, H> {
    pub(super) inner: S,
    pub(super) limits: K,
    pub(super) protocol: P,
    pub(super) cost: C,
    pub(super) tell: H,
    /// The inner service was asked whether it is ready, and not called since: it may have something reserved.
    pub(super) asked: bool,
}

/// A call that found no permit, with all that it came with.
struct Late<P, Cx, Req, T> {
    cost: u32,
    now: Time,
    request: Req,
    protocol: P,
    context: Cx,
    told: Option<T>,
}

impl<S: Clone, P, K, C, H> RateLimitService<S, P, K, C, H> {
    /// Gives back what the inner service has reserved: the instance that reserved it is dropped.
    fn give_up(&mut self) {
        if std::mem::take(&mut self.asked) {
            self.inner = self.inner.clone();
        }
    }

    #[cold]
    #[inline(never)]
    fn late<Q, Req, T>(
        &mut self,
        limit: &RateLimit,
        call: Late<Q, Q::Context, Req, T>,
    ) -> ResponseFuture<S, Q, Q::Context, Req, T>
    where
        S: Service<Req>,
        Q: Protocol<Req, S::Response, S::Error>,
    {
        let Late { cost, now, request, protocol, context, told } = call;
        match limit.enter(cost, now, protocol.deadline(&request)) {
            Ok(Entry::Admitted) => {
                self.asked = false;
                ResponseFuture::running(self.inner.call(request), protocol, context, told)
            }
            Ok(Entry::Waiting(waiting)) => {
                self.give_up();
                ResponseFuture::waiting(waiting, self.inner.clone(), request, protocol, context, told)
            }
            Err(rejection) => {
                self.give_up();
                ResponseFuture::refused(rejection, protocol, context, told)
            }
        }
    }
}

impl<S, P, K, C, H, Req> Service<Req> for RateLimitService<S, P, K, C, H>
where
    S: Service<Req> + Clone,
    P: Protocol<Req, S::Response, S::Error> + Clone,
    K: Limits<Req> + Clone,
    C: Cost<Req>,
    H: Tell<Kept: Told<P::Response<()>>>,
{
    type Response = P::Response<()>;
    type Error = P::Error;
    type Future = ResponseFuture<S, P, P::Context, Req, H::Kept>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.asked = true;
        self.inner.poll_ready(cx).map_err(|error| self.protocol.lift(error))
    }

    #[inline(always)]
    fn call(&mut self, request: Req) -> Self::Future {
        let (context, protocol) = (self.protocol.context(&request), self.protocol.clone());
        let Some(limit) = self.limits.limit(&request) else {
            self.asked = false;
            return ResponseFuture::running(self.inner.call(request), protocol, context, None);
        };
        let (cost, now, told) = (self.cost.cost(&request), clock::now(), Some(self.tell.keep(&limit)));
        if limit.take(cost, now) {
            drop(limit);
            self.asked = false;
            return ResponseFuture::running(self.inner.call(request), protocol, context, told);
        }
        let limit = limit.into_owned();
        self.late(&limit, Late { cost, now, request, protocol, context, told })
    }
}
