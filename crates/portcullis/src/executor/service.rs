//! A service whose calls run as tasks.

use std::task::{Context, Poll};

use tower_service::Service;

use super::{Executor, ResponseFuture, policy::Place};
use crate::Protocol;

/// A service whose calls run as tasks, by an [`Executor`].
///
/// The instance that is ready goes with the call, and a clone takes its place.
#[derive(Clone, Debug)]
pub struct ExecutorService<S, P> {
    pub(super) inner: S,
    pub(super) executor: Executor,
    pub(super) protocol: P,
}

impl<S, P, Req> Service<Req> for ExecutorService<S, P>
where
    S: Service<Req> + Clone + Send + 'static,
    S::Response: Send + 'static,
    S::Error: Send + 'static,
    S::Future: Send,
    Req: Send + 'static,
    P: Protocol<Req, S::Response, S::Error> + Clone,
{
    type Response = P::Response<()>;
    type Error = P::Error;
    type Future = ResponseFuture<S::Future, P, P::Context, Req, S::Response, S::Error>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(|error| self.protocol.lift(error))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let context = self.protocol.context(&request);
        let (protocol, shared) = (self.protocol.clone(), self.executor.shared.pin());
        match shared.place() {
            Place::On(runtime) => {
                let clone = self.inner.clone();
                let mut inner = std::mem::replace(&mut self.inner, clone);
                let call = async move { inner.call(request).await };
                ResponseFuture::spawned(&runtime, shared, call, protocol, context)
            }
            Place::Here => ResponseFuture::here(self.inner.call(request), protocol, context),
            Place::Nowhere(rejection) => {
                // What the instance has reserved is given back.
                self.inner = self.inner.clone();
                ResponseFuture::refused(rejection, protocol, context)
            }
        }
    }
}
