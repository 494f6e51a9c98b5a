//! A service whose calls have deadlines.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use portcullis_core::Time;
use tokio::time::Instant;
use tower_service::Service;

use super::{Carry, ResponseFuture};
use crate::{Protocol, Timeout, clock, current, oneshot::Oneshot, timeout::BodyDeadline};

/// A service whose calls have deadlines.
///
/// It is always ready. A call that finds the inner service not ready takes that instance with it, leaves a clone,
/// and waits within its time.
#[derive(Clone, Debug)]
pub struct DeadlineService<S, C, P> {
    inner: S,
    timeout: Timeout,
    margin: Duration,
    carry: C,
    protocol: P,
    /// The inner service was not ready when it was asked.
    unready: bool,
}

impl<S, C, P> DeadlineService<S, C, P> {
    pub(super) fn new(inner: S, timeout: Timeout, margin: Duration, carry: C, protocol: P) -> Self {
        Self { inner, timeout, margin, carry, protocol, unready: false }
    }

    /// The soonest of all that is known, but not later than the timeout's limit.
    fn deadline<Req, Res, Err>(&self, request: &Req, now: Time) -> Time
    where
        C: Carry<Req>,
        P: Protocol<Req, Res, Err>,
    {
        let told = self.carry.left(request).map(|left| now + left);
        let known = [told, self.protocol.deadline(request), current::current()];
        known.into_iter().flatten().fold(now + self.timeout.limit(), Time::min)
    }
}

impl<S, C, P, Req> Service<Req> for DeadlineService<S, C, P>
where
    C: Carry<Req>,
    S: Service<Req> + Clone,
    P: Protocol<Req, S::Response, S::Error> + Clone,
{
    type Response = P::Response<BodyDeadline>;
    type Error = P::Error;
    type Future = ResponseFuture<S, P, P::Context, Req>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let inner = self.inner.poll_ready(cx);
        self.unready = inner.is_pending();
        match inner {
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.protocol.lift(error))),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, mut request: Req) -> Self::Future {
        let context = self.protocol.context(&request);
        // Before the other look at the clock: the timer is not to be late, however long it takes from here to it.
        let start = Instant::now();
        let now = clock::now();
        let at = self.deadline(&request, now);
        let left = at.since(now);
        let mut body = self.timeout.until(start + left, left);
        let protocol = self.protocol.clone();
        let ready = !std::mem::take(&mut self.unready);
        if left <= self.margin && body.enforces(false) {
            // The instance that was asked and is not called is dropped, with all that it has reserved.
            self.inner = self.inner.clone();
            return ResponseFuture::refused(body, protocol, context);
        }
        self.carry.write(&mut request, at, left, self.margin);
        let call = current::within(at, || Oneshot::new(&mut self.inner, ready, request));
        ResponseFuture::new(call, (at, self.margin), body, protocol, context)
    }
}
