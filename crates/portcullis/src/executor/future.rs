//! The response future of an executor.

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::Rejection;
use tokio::runtime::Handle;

use super::{policy::Shared, task::Task};
use crate::{Protocol, protocol::future::finish, shard::Pinned};

pin_project! {
    /// The response future of [`ExecutorService`](super::ExecutorService).
    ///
    /// Dropping it aborts the task: the inner future is dropped on its runtime, where it next waits. A panic of the task
    /// goes on here.
    pub struct ResponseFuture<F, P, Cx, Req, Res, Err> {
        #[pin]
        state: State<F, Result<Res, Err>>,
        protocol: P,
        context: Cx,
        request: PhantomData<fn(Req)>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, T> {
        Running { task: Task<T> },
        // By the mode.
        Here { #[pin] inner: F },
        Refused { rejection: Option<Rejection> },
    }
}

impl<F, P, Cx, Req, Res, Err> ResponseFuture<F, P, Cx, Req, Res, Err> {
    pub(super) fn spawned(
        runtime: &Handle,
        shared: Pinned<Shared>,
        call: impl Future<Output = Result<Res, Err>> + Send + 'static,
        protocol: P,
        context: Cx,
    ) -> Self
    where
        Res: Send + 'static,
        Err: Send + 'static,
    {
        let task = Task::spawn(runtime, shared, call);
        Self { state: State::Running { task }, protocol, context, request: PhantomData }
    }

    pub(super) fn here(inner: F, protocol: P, context: Cx) -> Self {
        Self { state: State::Here { inner }, protocol, context, request: PhantomData }
    }

    pub(super) fn refused(rejection: Rejection, protocol: P, context: Cx) -> Self {
        let state = State::Refused { rejection: Some(rejection) };
        Self { state, protocol, context, request: PhantomData }
    }
}

impl<F, P, Req, Res, Err> Future for ResponseFuture<F, P, P::Context, Req, Res, Err>
where
    F: Future<Output = Result<Res, Err>>,
    P: Protocol<Req, Res, Err>,
{
    type Output = Result<P::Response<()>, P::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let rejection = match this.state.project() {
            StateProj::Running { task } => match ready!(Pin::new(task).poll(cx)) {
                Ok(result) => {
                    return Poll::Ready(finish(this.protocol, this.context.clone(), result, None::<()>));
                }
                Err(rejection) => Some(rejection),
            },
            StateProj::Here { inner } => {
                let result = ready!(inner.poll(cx));
                return Poll::Ready(finish(this.protocol, this.context.clone(), result, None::<()>));
            }
            StateProj::Refused { rejection } => rejection.take(),
        };
        match rejection {
            Some(rejection) => Poll::Ready(this.protocol.refuse(this.context.clone(), rejection)),
            None => Poll::Pending, // polled after it was ready
        }
    }
}

impl<F, P, Cx, Req, Res, Err> fmt::Debug for ResponseFuture<F, P, Cx, Req, Res, Err> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("executor::ResponseFuture").finish_non_exhaustive()
    }
}
