//! The response future of a cache.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower_service::Service;

use crate::{Protocol, oneshot::Oneshot, share::Share};

/// A call that is made, by this or by another. Boxed: what is kept is answered without it, and a miss allocates for
/// its flight and its entry anyway.
type Miss<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

pin_project! {
    /// The response future of [`CacheService`](super::CacheService).
    ///
    /// Dropping it drops the call that it makes; who has waited for that longest makes his own then. A call in the
    /// background goes on.
    pub struct ResponseFuture<S, Req, P>
    where
        S: Service<Req>,
        P: Protocol<Req, S::Response, S::Error>,
        P: Share<S::Response>,
    {
        #[pin]
        state: State<S, Req, P, <P as Share<S::Response>>::Response, <P as Protocol<Req, S::Response, S::Error>>::Error>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, Req, P, T, E>
    where
        S: Service<Req>,
    {
        Ready { response: Option<T> },
        Pass { #[pin] call: Oneshot<S, Req>, protocol: P },
        Miss { miss: Miss<T, E> },
    }
}

impl<S, Req, P> ResponseFuture<S, Req, P>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error> + Share<S::Response>,
{
    #[inline]
    pub(super) fn ready(response: <P as Share<S::Response>>::Response) -> Self {
        Self { state: State::Ready { response: Some(response) } }
    }

    pub(super) fn pass(call: Oneshot<S, Req>, protocol: P) -> Self {
        Self { state: State::Pass { call, protocol } }
    }

    pub(super) fn miss(
        call: impl Future<Output = Result<<P as Share<S::Response>>::Response, P::Error>> + Send + 'static,
    ) -> Self {
        Self { state: State::Miss { miss: Box::pin(call) } }
    }
}

impl<S, Req, P> Future for ResponseFuture<S, Req, P>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error> + Share<S::Response>,
{
    type Output = Result<<P as Share<S::Response>>::Response, P::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            // Without a response it was polled after it was ready.
            StateProj::Ready { response } => {
                response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(response)))
            }
            StateProj::Miss { miss } => miss.as_mut().poll(cx),
            StateProj::Pass { call, protocol } => Poll::Ready(match ready!(call.poll(cx)) {
                Ok(response) => Ok(protocol.alone(response)),
                Err(error) => Err(protocol.lift(error)),
            }),
        }
    }
}

impl<S, Req, P> fmt::Debug for ResponseFuture<S, Req, P>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error> + Share<S::Response>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("cache::ResponseFuture").finish_non_exhaustive()
    }
}
