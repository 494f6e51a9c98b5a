//! A service behind a throttle.

use std::task::{Context, Poll, ready};

use tower_service::Service;

use super::{ResponseFuture, ThrottleTicket, Throttles, policy::Drawn};
use crate::{Protocol, Ticket, protocol::watched};

/// A service behind a [`Throttle`](super::Throttle).
///
/// The lot falls when it is asked whether it is ready: a call that will be held back waits for nothing, and reserves
/// nothing. Where the throttle depends on the request, it falls when the call comes, and a call that is held back
/// gives up what the inner service has reserved for it. An error of the inner service's readiness counts as a call.
#[derive(Debug)]
pub struct ThrottleService<S, K, P> {
    inner: S,
    throttles: K,
    protocol: P,
    /// What is to become of the next call, once that is drawn.
    drawn: Option<Drawn>,
    /// The inner service was asked whether it is ready, and not called since: it may have something reserved.
    asked: bool,
}

impl<S, K, P> ThrottleService<S, K, P> {
    pub(super) fn new(inner: S, throttles: K, protocol: P) -> Self {
        Self { inner, throttles, protocol, drawn: None, asked: false }
    }
}

/// A clone has a lot of its own, or one would fall for all of them.
impl<S: Clone, K: Clone, P: Clone> Clone for ThrottleService<S, K, P> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.throttles.clone(), self.protocol.clone())
    }
}

impl<S, K, P, Req> Service<Req> for ThrottleService<S, K, P>
where
    S: Service<Req> + Clone,
    K: Throttles<Req>,
    P: Protocol<Req, S::Response, S::Error> + Clone,
{
    type Response = P::Response<ThrottleTicket>;
    type Error = P::Error;
    type Future = ResponseFuture<S::Future, P, P::Context, Req>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let throttle = self.throttles.of_all();
        if self.drawn.is_none() {
            self.drawn = throttle.map(|throttle| throttle.draw());
        }
        if self.drawn == Some(Drawn::HeldBack) {
            return Poll::Ready(Ok(()));
        }
        self.asked = true;
        Poll::Ready(ready!(self.inner.poll_ready(cx)).map_err(|error| {
            let error = self.protocol.lift(error);
            let drawn = self.drawn.take().unwrap_or(Drawn::Free);
            if let Some(Ok(mut ticket)) = throttle.map(|throttle| throttle.take(drawn)) {
                ticket.settle(self.protocol.judge_error(&error));
            }
            error
        }))
    }

    #[inline(always)]
    fn call(&mut self, request: Req) -> Self::Future {
        let (context, protocol) = (self.protocol.context(&request), self.protocol.clone());
        let Some(throttle) = self.throttles.throttle(&request) else {
            self.asked = false;
            let ticket = ThrottleTicket::of_nothing();
            return ResponseFuture::running(self.inner.call(request), protocol, context, ticket);
        };
        let drawn = self.drawn.take().unwrap_or_else(|| throttle.draw());
        match throttle.take(drawn) {
            Ok(mut ticket) => {
                drop(throttle);
                self.asked = false;
                let inner = watched(&mut ticket, || self.inner.call(request));
                ResponseFuture::running(inner, protocol, context, ticket)
            }
            Err(rejection) => {
                drop(throttle);
                if std::mem::take(&mut self.asked) {
                    // The instance that has something reserved goes.
                    self.inner = self.inner.clone();
                }
                ResponseFuture::refused(rejection, protocol, context)
            }
        }
    }
}
