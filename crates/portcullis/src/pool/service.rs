//! A service on the threads of a pool.

use std::task::{Context, Poll};

use tower_service::Service;

use super::{ResponseFuture, ThreadPool, policy::Entry};
use crate::Protocol;

/// A service on the threads of a [`ThreadPool`].
///
/// A call that must wait or is refused gives up what the inner service reserved for it when it was polled
/// ready: kept, it could be just what the calls that run need to go on. Its turn come, a call polls an instance
/// of its own ready, on its thread.
#[derive(Clone, Debug)]
pub struct ThreadPoolService<S, P> {
    inner: S,
    pool: ThreadPool,
    protocol: P,
    /// The inner service was not asked whether it is ready, because the pool was full.
    unready: bool,
    /// The inner service was asked, and not called since: it may have something reserved.
    asked: bool,
}

impl<S, P> ThreadPoolService<S, P> {
    pub(super) fn new(inner: S, pool: ThreadPool, protocol: P) -> Self {
        Self { inner, pool, protocol, unready: false, asked: false }
    }
}

impl<S: Clone, P> ThreadPoolService<S, P> {
    /// Gives back what the inner service has reserved: the instance that reserved it is dropped.
    fn give_up(&mut self) {
        if std::mem::take(&mut self.asked) {
            self.inner = self.inner.clone();
        }
    }
}

impl<S, P, Req> Service<Req> for ThreadPoolService<S, P>
where
    S: Service<Req> + Clone + Send + 'static,
    S::Response: Send + 'static,
    S::Error: Send + 'static,
    Req: Send + 'static,
    P: Protocol<Req, S::Response, S::Error> + Clone,
{
    type Response = P::Response<()>;
    type Error = P::Error;
    type Future = ResponseFuture<S, P, P::Context, Req>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.unready = self.pool.is_refusing();
        if self.unready {
            self.give_up();
            return Poll::Ready(Ok(()));
        }
        self.asked = true;
        self.inner.poll_ready(cx).map_err(|error| self.protocol.lift(error))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let context = self.protocol.context(&request);
        let protocol = self.protocol.clone();
        if std::mem::take(&mut self.unready) {
            return ResponseFuture::refused(self.pool.refuse(), protocol, context);
        }
        match self.pool.enter() {
            Ok(Entry::Admitted(ticket)) => {
                // The instance that is ready goes with the call.
                let clone = self.inner.clone();
                let inner = std::mem::replace(&mut self.inner, clone);
                self.asked = false;
                ResponseFuture::admitted(ticket, inner, request, protocol, context)
            }
            Ok(Entry::Waiting(waiting)) => {
                self.give_up();
                ResponseFuture::waiting(waiting, self.inner.clone(), request, protocol, context)
            }
            Err(rejection) => {
                self.give_up();
                ResponseFuture::refused(rejection, protocol, context)
            }
        }
    }
}
