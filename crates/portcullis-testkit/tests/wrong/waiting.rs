//! Wrong about wakers.

use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use tower::Service;

use crate::support::{Boxed, unit_layer};

unit_layer!(WakesItself, Restless);

impl<S, Req> Service<Req> for Restless<S>
where
    S: Service<Req, Future: Send + 'static>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Boxed<S::Response, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let mut answer = Box::pin(self.inner.call(request));
        Box::pin(poll_fn(move |cx| {
            let polled = answer.as_mut().poll(cx);
            if polled.is_pending() {
                // Wrong: the inner future has kept the waker.
                cx.waker().wake_by_ref();
            }
            polled
        }))
    }
}

unit_layer!(WakesItselfForReadiness, RestlesslyReady);

impl<S, Req> Service<Req> for RestlesslyReady<S>
where
    S: Service<Req>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let polled = self.inner.poll_ready(cx);
        if polled.is_pending() {
            // Wrong: the inner service has kept the waker.
            cx.waker().wake_by_ref();
        }
        polled
    }

    fn call(&mut self, request: Req) -> S::Future {
        self.inner.call(request)
    }
}

unit_layer!(KeepsTheFirstWaker, Faithful);

impl<S, Req> Service<Req> for Faithful<S>
where
    S: Service<Req, Future: Send + 'static>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Boxed<S::Response, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let mut answer = Box::pin(self.inner.call(request));
        let mut first = None;
        Box::pin(poll_fn(move |cx| {
            // Wrong: a future may move to another task, and then only the last waker counts.
            let waker = first.get_or_insert_with(|| cx.waker().clone());
            answer.as_mut().poll(&mut Context::from_waker(waker))
        }))
    }
}
