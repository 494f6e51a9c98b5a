//! What is answered in place of a call that failed.

use std::{
    future::{Future, Ready, ready},
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use portcullis_core::Time;
use tower_service::Service;

use super::Why;
use crate::{Protocol, oneshot::Oneshot, replay::Replay};

/// What is kept of a request that is sent again by `R`, if at all.
pub trait Keep<Req, R> {
    /// What the inner service gets.
    type Request;
    /// What is kept until the call is over.
    type Kept;

    /// Whether the request is sent again, which then tells how much of its time is left (default: it is not).
    const SENDS_AGAIN: bool = false;

    /// The inner service's request, and what is kept of it.
    fn keep(&self, request: Req, replay: &R) -> (Self::Request, Self::Kept);
}

/// What the inner service gets.
pub(super) type Sent<I, Req, R> = <I as Keep<Req, R>>::Request;

/// What is answered in place of a call that failed, by a protocol `P`, to requests that are sent again by `R`.
///
/// [`Value`], [`Function`] and [`Other`] are made by the layer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not answer requests `{Req}` with `{Res}`",
    note = "`FallbackLayer::value` wants a function from `Why` to the service's response, \
            `FallbackLayer::function` one to a future of a result with the layer's error, and \
            `FallbackLayer::service` a service that is `Clone` and has the same response"
)]
pub trait Instead<Req, Res, P, R, Err>: Keep<Req, R> {
    /// Makes the answer.
    type Future: Future<Output = Result<Res, Err>>;

    /// Begins to answer a call that has until this deadline; `None` when the request cannot be had again.
    fn answer(
        &self,
        kept: Self::Kept,
        why: Why,
        protocol: &P,
        replay: &R,
        deadline: Option<Time>,
    ) -> Option<Self::Future>;
}

/// A value, which a function makes of the reason.
#[derive(Clone, Copy, Debug)]
pub struct Value<F>(pub(super) F);

impl<Req, R, F> Keep<Req, R> for Value<F> {
    type Request = Req;
    type Kept = ();

    #[inline(always)]
    fn keep(&self, request: Req, _: &R) -> (Req, ()) {
        (request, ())
    }
}

impl<Req, Res, P, R, Err, F: Fn(Why) -> Res> Instead<Req, Res, P, R, Err> for Value<F> {
    type Future = Ready<Result<Res, Err>>;

    fn answer(&self, (): (), why: Why, _: &P, _: &R, _: Option<Time>) -> Option<Self::Future> {
        Some(ready(Ok((self.0)(why))))
    }
}

/// What an asynchronous function makes of the reason.
#[derive(Clone, Copy, Debug)]
pub struct Function<F>(pub(super) F);

impl<Req, R, F> Keep<Req, R> for Function<F> {
    type Request = Req;
    type Kept = ();

    #[inline(always)]
    fn keep(&self, request: Req, _: &R) -> (Req, ()) {
        (request, ())
    }
}

impl<Req, Res, P, R, Err, F, Fut> Instead<Req, Res, P, R, Err> for Function<F>
where
    F: Fn(Why) -> Fut,
    Fut: Future<Output = Result<Res, Err>>,
{
    type Future = Fut;

    fn answer(&self, (): (), why: Why, _: &P, _: &R, _: Option<Time>) -> Option<Fut> {
        Some((self.0)(why))
    }
}

/// What an asynchronous function makes of the reason and of what was kept of the request.
#[derive(Clone, Copy, Debug)]
pub struct Keeping<G, F> {
    pub(super) keep: G,
    pub(super) function: F,
}

impl<Req, R, G: Fn(&Req) -> K, K, F> Keep<Req, R> for Keeping<G, F> {
    type Request = Req;
    type Kept = K;

    #[inline(always)]
    fn keep(&self, request: Req, _: &R) -> (Req, K) {
        let kept = (self.keep)(&request);
        (request, kept)
    }
}

impl<Req, Res, P, R, Err, G, K, F, Fut> Instead<Req, Res, P, R, Err> for Keeping<G, F>
where
    G: Fn(&Req) -> K,
    F: Fn(K, Why) -> Fut,
    Fut: Future<Output = Result<Res, Err>>,
{
    type Future = Fut;

    fn answer(&self, kept: K, why: Why, _: &P, _: &R, _: Option<Time>) -> Option<Fut> {
        Some((self.function)(kept, why))
    }
}

/// Another service, which gets the same request.
#[derive(Clone, Copy, Debug)]
pub struct Other<T>(pub(super) T);

impl<Req, R: Replay<Req>, T> Keep<Req, R> for Other<T> {
    type Request = R::Request;
    type Kept = R::Kept;

    const SENDS_AGAIN: bool = true;

    fn keep(&self, request: Req, replay: &R) -> (R::Request, R::Kept) {
        replay.first(request)
    }
}

impl<Req, Res, P, R, Err, T> Instead<Req, Res, P, R, Err> for Other<T>
where
    R: Replay<Req>,
    T: Service<R::Request, Response = Res> + Clone,
    P: Protocol<R::Request, Res, T::Error, Error = Err> + Clone,
{
    type Future = OtherFuture<T, R::Request, P>;

    fn answer(
        &self,
        kept: R::Kept,
        _: Why,
        protocol: &P,
        replay: &R,
        deadline: Option<Time>,
    ) -> Option<Self::Future> {
        let mut request = replay.again(&kept)?;
        if let Some(deadline) = deadline {
            protocol.mark_deadline(&mut request, deadline);
        }
        let call = Oneshot::new(&mut self.0.clone(), false, request);
        Some(OtherFuture { call, protocol: protocol.clone(), response: PhantomData })
    }
}

pin_project! {
    /// The answer of another service.
    pub struct OtherFuture<T, Q, P>
    where
        T: Service<Q>,
    {
        #[pin]
        call: Oneshot<T, Q>,
        protocol: P,
        response: PhantomData<fn(Q)>,
    }
}

impl<T, Q, P> Future for OtherFuture<T, Q, P>
where
    T: Service<Q>,
    P: Protocol<Q, T::Response, T::Error>,
{
    type Output = Result<T::Response, P::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.call.poll(cx).map_err(|error| this.protocol.lift(error))
    }
}
