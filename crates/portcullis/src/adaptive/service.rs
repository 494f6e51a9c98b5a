//! A service behind an adaptive limit.

use std::{
    borrow::Cow,
    task::{Context, Poll},
};

use portcullis_core::Rejection;
use tower_service::Service;

use super::{AdaptiveLimit, AdaptiveLimits, AdaptiveTicket, ResponseFuture, ticket::Held};
use crate::{Protocol, protocol::watched};

/// A service behind an [`AdaptiveLimit`].
///
/// While the limit refuses, the service is ready at once, whatever the inner one is: a refusal waits for nothing. A call
/// that is refused gives up what the inner service reserved for it when it was polled ready: kept, it could be
/// just what the calls in flight need to go on. Where the limit depends on the request, it is known only when that
/// comes: then every call waits until the inner service is ready.
#[derive(Clone, Debug)]
pub struct AdaptiveLimitService<S, K, P> {
    inner: S,
    limits: K,
    protocol: P,
    readiness: Readiness,
}

/// What came of the last question whether it is ready, until it is called.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Readiness {
    #[default]
    Unknown,
    /// The inner service was asked: it may have something reserved.
    Asked,
    /// The inner service was not asked, because there was no place.
    Refusing,
}

impl<S, K, P> AdaptiveLimitService<S, K, P> {
    pub(super) fn new(inner: S, limits: K, protocol: P) -> Self {
        Self { inner, limits, protocol, readiness: Readiness::Unknown }
    }
}

impl<S: Clone, K, P> AdaptiveLimitService<S, K, P> {
    /// Gives back what the inner service has reserved: the instance that reserved it is dropped.
    fn give_up(&mut self) {
        if std::mem::take(&mut self.readiness) == Readiness::Asked {
            self.inner = self.inner.clone();
        }
    }

    /// A call that found no place.
    #[cold]
    #[inline(never)]
    fn late<Req, Cx>(
        &mut self,
        entered: Result<Held, Rejection>,
        request: Req,
        protocol: P,
        context: Cx,
    ) -> ResponseFuture<S::Future, P, Cx, Req>
    where
        S: Service<Req>,
    {
        match entered {
            Ok(held) => self.begin(held, request, protocol, context),
            Err(rejection) => {
                self.give_up();
                ResponseFuture::refused(rejection, protocol, context)
            }
        }
    }
}

impl<S, K, P> AdaptiveLimitService<S, K, P> {
    #[inline(always)]
    fn begin<Req, Cx>(
        &mut self,
        mut held: Held,
        request: Req,
        protocol: P,
        context: Cx,
    ) -> ResponseFuture<S::Future, P, Cx, Req>
    where
        S: Service<Req>,
    {
        self.readiness = Readiness::Unknown;
        let inner = watched(&mut held, || self.inner.call(request));
        ResponseFuture::running(inner, protocol, context, held)
    }
}

impl<S, K, P, Req> Service<Req> for AdaptiveLimitService<S, K, P>
where
    K: AdaptiveLimits<Req>,
    S: Service<Req> + Clone,
    P: Protocol<Req, S::Response, S::Error> + Clone,
{
    type Response = P::Response<AdaptiveTicket>;
    type Error = P::Error;
    type Future = ResponseFuture<S::Future, P, P::Context, Req>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        if self.limits.of_all().is_some_and(AdaptiveLimit::is_full) {
            self.give_up();
            self.readiness = Readiness::Refusing;
            return Poll::Ready(Ok(()));
        }
        self.readiness = Readiness::Asked;
        self.inner.poll_ready(cx).map_err(|error| self.protocol.lift(error))
    }

    #[inline(always)]
    fn call(&mut self, request: Req) -> Self::Future {
        let (context, protocol) = (self.protocol.context(&request), self.protocol.clone());
        if self.readiness == Readiness::Refusing {
            self.readiness = Readiness::Unknown;
            if let Some(limit) = self.limits.of_all() {
                return ResponseFuture::refused(limit.refuse(), protocol, context);
            }
        }
        let entered = match self.limits.limit(&request) {
            Some(Cow::Borrowed(limit)) => enter(limit),
            Some(Cow::Owned(limit)) => enter(&limit),
            None => Ok(Held::nothing()),
        };
        match entered {
            Ok(held) => self.begin(held, request, protocol, context),
            Err(late) => self.late(late, request, protocol, context),
        }
    }
}

/// A place, or what becomes of a call that finds none.
#[inline(always)]
fn enter(limit: &AdaptiveLimit) -> Result<Held, Result<Held, Rejection>> {
    limit.admit_now().ok_or_else(|| limit.admit_or_refuse())
}
