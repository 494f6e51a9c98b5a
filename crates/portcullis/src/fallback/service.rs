//! A service with a fallback.

use std::{
    marker::PhantomData,
    task::{Context, Poll},
};

use tower_service::Service;

use super::{Fallback, Instead, Keep, ResponseFuture, future::Fall, instead::Sent};
use crate::{Protocol, oneshot::Oneshot};

/// A service with a [`Fallback`].
///
/// While the inner service is not ready, this one is not. Where that ends in an error, the call asks another
/// instance, and if that has one too, it has failed.
#[derive(Clone, Debug)]
pub struct FallbackService<S, P, R, I> {
    inner: S,
    fallback: Fallback,
    protocol: P,
    replay: R,
    instead: I,
    /// The inner service's readiness ended in an error; it is another instance now, that was not asked.
    unready: bool,
}

impl<S, P, R, I> FallbackService<S, P, R, I> {
    pub(super) fn new(inner: S, fallback: Fallback, protocol: P, replay: R, instead: I) -> Self {
        Self { inner, fallback, protocol, replay, instead, unready: false }
    }
}

impl<S, P, R, I, Req> Service<Req> for FallbackService<S, P, R, I>
where
    S: Service<Sent<I, Req, R>> + Clone,
    P: Protocol<Sent<I, Req, R>, S::Response, S::Error> + Clone,
    R: Clone,
    I: Keep<Req, R> + Instead<Req, S::Response, P, R, P::Error> + Clone,
{
    type Response = S::Response;
    type Error = P::Error;
    type Future = ResponseFuture<
        S,
        Sent<I, Req, R>,
        P,
        P::Context,
        Fall<R, I, <I as Keep<Req, R>>::Kept, Req>,
        I::Future,
    >;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let inner = self.inner.poll_ready(cx);
        self.unready = matches!(inner, Poll::Ready(Err(_)));
        if self.unready {
            self.inner = self.inner.clone();
        }
        inner.map(|_| Ok(()))
    }

    #[inline(always)]
    fn call(&mut self, request: Req) -> Self::Future {
        let (request, kept) = self.instead.keep(request, &self.replay);
        let context = self.protocol.context(&request);
        let deadline = if I::SENDS_AGAIN { self.protocol.deadline(&request) } else { None };
        let (lead, brief) = (self.fallback.shared.lead, self.fallback.shared.cover.brief());
        let (protocol, replay, instead) = (self.protocol.clone(), self.replay.clone(), self.instead.clone());
        let fall = Fall { lead, brief, replay, instead, kept, deadline, request: PhantomData };
        if std::mem::take(&mut self.unready) {
            let call = Oneshot::new(&mut self.inner, false, request);
            return ResponseFuture::uncalled(call, protocol, context, fall);
        }
        ResponseFuture::called(self.inner.call(request), protocol, context, fall)
    }
}
