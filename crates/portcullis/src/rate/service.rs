//! A service behind a rate limit.

use std::{
    borrow::Cow,
    task::{Context, Poll},
};

use portcullis_core::Time;
use tower_service::Service;

use super::{Cost, Limits, RateLimit, ResponseFuture, Tell, policy::Entry, tell::Told};
use crate::{Protocol, clock, turn::Entered};

/// A service behind a [`RateLimit`].
///
/// A call that must wait or is refused gives up what the inner service reserved for it when it was polled ready. Its
/// turn come, a call polls an instance of its own ready.
#[derive(Clone, Debug)]
pub struct RateLimitService<S, P, K, C, H> {
    limits: K,
    limited: Limited<S, P, C, H>,
}

/// The service, whichever limit it is behind.
#[derive(Clone, Debug)]
struct Limited<S, P, C, H> {
    inner: S,
    protocol: P,
    cost: C,
    tell: H,
    /// The inner service was asked whether it is ready, and not called since: it may have something reserved.
    asked: bool,
}

/// A call that found no permit, with all that it came with.
struct Late<Cx, Req, T> {
    cost: u32,
    now: Time,
    request: Req,
    context: Cx,
    told: Option<T>,
}

impl<S, P, K, C, H> RateLimitService<S, P, K, C, H> {
    pub(super) fn new(inner: S, limits: K, protocol: P, cost: C, tell: H) -> Self {
        Self { limits, limited: Limited { inner, protocol, cost, tell, asked: false } }
    }
}

impl<S, P: Clone, C, H> Limited<S, P, C, H> {
    /// The call, if there is a permit.
    #[inline(always)]
    fn call<Req>(&mut self, limit: &RateLimit, request: Req) -> ResponseFuture<S, P, P::Context, Req, H::Kept>
    where
        S: Service<Req> + Clone,
        P: Protocol<Req, S::Response, S::Error>,
        C: Cost<Req>,
        H: Tell,
    {
        let (context, told) = (self.protocol.context(&request), Some(self.tell.keep(limit)));
        let (cost, now) = (self.cost.cost(&request), clock::now());
        if !limit.take(cost, now) {
            return self.late(limit, Late { cost, now, request, context, told });
        }
        self.pass(request, context, told)
    }

    #[inline(always)]
    fn pass<Req, Cx, T>(
        &mut self,
        request: Req,
        context: Cx,
        told: Option<T>,
    ) -> ResponseFuture<S, P, Cx, Req, T>
    where
        S: Service<Req>,
    {
        self.asked = false;
        let entered = Entered::running(self.inner.call(request), self.protocol.clone(), context, ());
        ResponseFuture::new(entered, told)
    }

    #[cold]
    #[inline(never)]
    fn late<Req, T>(
        &mut self,
        limit: &RateLimit,
        call: Late<P::Context, Req, T>,
    ) -> ResponseFuture<S, P, P::Context, Req, T>
    where
        S: Service<Req> + Clone,
        P: Protocol<Req, S::Response, S::Error>,
    {
        let Late { cost, now, request, context, told } = call;
        match limit.enter(cost, now, self.protocol.deadline(&request)) {
            Ok(Entry::Admitted) => self.pass(request, context, told),
            Ok(Entry::Waiting(waiting)) => {
                self.give_up();
                let (inner, protocol) = (self.inner.clone(), self.protocol.clone());
                ResponseFuture::new(Entered::waiting(waiting, inner, request, protocol, context), told)
            }
            Err(rejection) => {
                self.give_up();
                ResponseFuture::new(Entered::refused(rejection, self.protocol.clone(), context), told)
            }
        }
    }

    /// Gives back what the inner service has reserved: the instance that reserved it is dropped.
    fn give_up(&mut self)
    where
        S: Clone,
    {
        if std::mem::take(&mut self.asked) {
            self.inner = self.inner.clone();
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
        let Limited { inner, protocol, asked, .. } = &mut self.limited;
        *asked = true;
        inner.poll_ready(cx).map_err(|error| protocol.lift(error))
    }

    #[inline(always)]
    fn call(&mut self, request: Req) -> Self::Future {
        // Each by itself: nothing is asked of a limit that is borrowed when it goes.
        match self.limits.limit(&request) {
            Some(Cow::Borrowed(limit)) => self.limited.call(limit, request),
            Some(Cow::Owned(limit)) => self.limited.call(&limit, request),
            None => {
                let context = self.limited.protocol.context(&request);
                self.limited.pass(request, context, None)
            }
        }
    }
}
