//! The response future of a bulkhead.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::Rejection;
use tower_service::Service;

use super::{
    BulkheadTicket,
    ticket::{Held, Waiting},
};
use crate::{Protocol, protocol::future::finish};

pin_project! {
    /// The response future of [`BulkheadService`](super::BulkheadService).
    ///
    /// Dropping it leaves the queue, or gives the permits back.
    pub struct ResponseFuture<S, P, Cx, Req>
    where
        S: Service<Req>,
    {
        #[pin]
        state: State<S::Future, S, Req>,
        protocol: P,
        context: Cx,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, S, Req> {
        Running { #[pin] inner: F, held: Held },
        Waiting { queued: Option<Parked<S, Req>> },
        Refused { rejection: Option<Rejection> },
    }
}

/// A call that waits. Boxed, because few do, in an `Arc`, because the code that drops the content of one stands
/// apart: that of a `Box` would stand in this future's, which then is not inlined in those of the layers above.
/// It is never cloned; and the mutex, which is never locked, makes it `Send` where the call is.
struct Parked<S, Req>(Arc<Mutex<Queued<S, Req>>>);

impl<S, Req> Parked<S, Req> {
    fn new(queued: Queued<S, Req>) -> Self {
        Self(Arc::new(Mutex::new(queued)))
    }

    fn get(&mut self) -> Option<&mut Queued<S, Req>> {
        Arc::get_mut(&mut self.0).map(|queued| queued.get_mut().unwrap_or_else(PoisonError::into_inner))
    }

    fn into_inner(self) -> Option<Queued<S, Req>> {
        Arc::into_inner(self.0).map(|queued| queued.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

/// All that a call needs when its turn comes.
struct Queued<S, Req> {
    waiting: Waiting,
    /// The permits, once the turn has come.
    held: Option<Held>,
    inner: S,
    request: Req,
}

impl<S: Service<Req>, P, Cx, Req> ResponseFuture<S, P, Cx, Req> {
    #[inline(always)]
    pub(super) fn running(inner: S::Future, protocol: P, context: Cx, held: Held) -> Self {
        Self { state: State::Running { inner, held }, protocol, context }
    }

    pub(super) fn refused(rejection: Rejection, protocol: P, context: Cx) -> Self {
        Self { state: State::Refused { rejection: Some(rejection) }, protocol, context }
    }

    pub(super) fn waiting(waiting: Waiting, inner: S, request: Req, protocol: P, context: Cx) -> Self {
        let queued = Parked::new(Queued { waiting, held: None, inner, request });
        Self { state: State::Waiting { queued: Some(queued) }, protocol, context }
    }
}

impl<S, P, Req> Future for ResponseFuture<S, P, P::Context, Req>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
{
    type Output = Result<P::Response<BulkheadTicket>, P::Error>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let State::Waiting { .. } = *this.state {
            if let Some(unready) = ready!(this.state.as_mut().poll_turn(cx)) {
                return Poll::Ready(Err(this.protocol.lift(unready)));
            }
        }
        match this.state.project() {
            StateProj::Running { inner, held } => {
                let result = ready!(inner.poll(cx));
                finish(this.protocol, this.context.clone(), result, held.take())
            }
            StateProj::Refused { rejection } => match rejection.take() {
                Some(rejection) => Poll::Ready(this.protocol.refuse(this.context.clone(), rejection)),
                None => Poll::Pending, // polled after it was ready
            },
            StateProj::Waiting { .. } => Poll::Pending,
        }
    }
}

impl<S: Service<Req>, Req> State<S::Future, S, Req> {
    /// Waiting => Running or Refused, when the turn has come, or will not. Ready with the inner service's
    /// error when that is not ready for it.
    #[cold]
    #[inline(never)]
    fn poll_turn(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Error>> {
        let StateProj::Waiting { queued } = self.as_mut().project() else { return Poll::Ready(None) };
        let Some(waits) = queued.as_mut().and_then(Parked::get) else { return Poll::Pending };
        let turn = ready!(waits.poll_turn(cx));
        let Some(waits) = queued.take().and_then(Parked::into_inner) else { return Poll::Pending };
        match turn {
            Turn::Come(held) => {
                let Queued { mut inner, request, .. } = waits;
                let inner = inner.call(request);
                self.set(Self::Running { inner, held });
            }
            Turn::Refused(rejection) => {
                drop(waits);
                self.set(Self::Refused { rejection: Some(rejection) });
            }
            Turn::Unready(error) => return Poll::Ready(Some(error)),
        }
        Poll::Ready(None)
    }
}

/// What the wait came to.
enum Turn<E> {
    Come(Held),
    Refused(Rejection),
    Unready(E),
}

impl<S, Req> Queued<S, Req> {
    /// Waits for the permits, and then with them for the inner service's readiness.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn<S::Error>>
    where
        S: Service<Req>,
    {
        if self.held.is_none() {
            match ready!(self.waiting.as_mut().poll(cx)) {
                Ok(taken) => self.held = Some(taken.held()),
                Err(rejection) => return Poll::Ready(Turn::Refused(rejection)),
            }
        }
        let readiness = ready!(self.inner.poll_ready(cx));
        match (readiness, self.held.take()) {
            (Ok(()), Some(held)) => Poll::Ready(Turn::Come(held)),
            (Ok(()), None) => Poll::Pending, // polled after it was ready
            (Err(error), _) => Poll::Ready(Turn::Unready(error)),
        }
    }
}

impl<S: Service<Req>, P, Cx, Req> fmt::Debug for ResponseFuture<S, P, Cx, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("bulkhead::ResponseFuture").finish_non_exhaustive()
    }
}
