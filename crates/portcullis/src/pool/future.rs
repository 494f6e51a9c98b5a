//! The response future of a pool of threads.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::Rejection;
use tower_service::Service;

use super::{Answer, ThreadPoolTicket, job, waiting::Waiting};
use crate::{Protocol, carried::Carried, oneshot::Oneshot, protocol::future::finish};

pin_project! {
    /// The response future of [`ThreadPoolService`](super::ThreadPoolService).
    ///
    /// Dropping it leaves the queue, or has the inner future dropped, on its thread, where it next waits.
    pub struct ResponseFuture<S, P, Cx, Req>
    where
        S: Service<Req>,
    {
        #[pin]
        state: State<S, Req, Result<S::Response, S::Error>>,
        protocol: P,
        context: Cx,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, Req, T>
    where
        S: Service<Req>,
    {
        // Begun when it is first polled: one that is dropped before has nothing to stop.
        Admitted { call: Option<(ThreadPoolTicket, Call<S, Req>)> },
        Waiting { waiting: Waiting, call: Option<Call<S, Req>> },
        Running { answer: Answer<T> },
        // The pool is disabled.
        InPlace { #[pin] inner: Oneshot<S, Req> },
        Refused { rejection: Option<Rejection> },
    }
}

/// A call that is not begun.
struct Call<S, Req> {
    inner: S,
    request: Req,
    /// As it was when it was made.
    carried: Carried,
}

impl<S, Req> Call<S, Req> {
    fn new(inner: S, request: Req) -> Self {
        Self { inner, request, carried: Carried::current() }
    }
}

impl<S, P, Cx, Req> ResponseFuture<S, P, Cx, Req>
where
    S: Service<Req> + Clone + Send + 'static,
    S::Response: Send + 'static,
    S::Error: Send + 'static,
    Req: Send + 'static,
{
    /// Calls an instance that is ready.
    pub(super) fn admitted(
        ticket: ThreadPoolTicket,
        inner: S,
        request: Req,
        protocol: P,
        context: Cx,
    ) -> Self {
        Self { state: State::Admitted { call: Some((ticket, Call::new(inner, request))) }, protocol, context }
    }

    pub(super) fn waiting(waiting: Waiting, inner: S, request: Req, protocol: P, context: Cx) -> Self {
        Self { state: State::Waiting { waiting, call: Some(Call::new(inner, request)) }, protocol, context }
    }

    pub(super) fn refused(rejection: Rejection, protocol: P, context: Cx) -> Self {
        Self { state: State::Refused { rejection: Some(rejection) }, protocol, context }
    }
}

/// Calls the service on the ticket's thread, which waits for its readiness if need be.
fn begin<S, Req>(
    ticket: ThreadPoolTicket,
    call: Call<S, Req>,
    ready: bool,
) -> State<S, Req, Result<S::Response, S::Error>>
where
    S: Service<Req> + Clone + Send + 'static,
    S::Response: Send + 'static,
    S::Error: Send + 'static,
    Req: Send + 'static,
{
    let Call { mut inner, request, carried } = call;
    if !ticket.is_isolated() {
        return State::InPlace { inner: Oneshot::new(&mut inner, ready, request) };
    }
    let answer = job::call(ticket, carried, move || Oneshot::new(&mut inner, ready, request));
    State::Running { answer }
}

impl<S, P, Req> Future for ResponseFuture<S, P, P::Context, Req>
where
    S: Service<Req> + Clone + Send + 'static,
    S::Response: Send + 'static,
    S::Error: Send + 'static,
    Req: Send + 'static,
    P: Protocol<Req, S::Response, S::Error>,
{
    type Output = Result<P::Response<()>, P::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let result = loop {
            match this.state.as_mut().project() {
                // Admitted => Running or InPlace
                StateProj::Admitted { call } => {
                    let Some((ticket, call)) = call.take() else { return Poll::Pending };
                    this.state.set(begin(ticket, call, true));
                }
                // Waiting => Running, InPlace or Refused
                StateProj::Waiting { waiting, call } => {
                    let turn = ready!(Pin::new(waiting).poll(cx));
                    let next = match (turn, call.take()) {
                        (Ok(ticket), Some(call)) => begin(ticket, call, false),
                        (Ok(_), None) => return Poll::Pending, // polled after it was ready
                        (Err(rejection), _) => State::Refused { rejection: Some(rejection) },
                    };
                    this.state.set(next);
                }
                StateProj::Running { answer } => match ready!(Pin::new(answer).poll(cx)) {
                    Ok(result) => break result,
                    // Running => Refused, when it panicked
                    Err(rejection) => this.state.set(State::Refused { rejection: Some(rejection) }),
                },
                StateProj::InPlace { inner } => break ready!(inner.poll(cx)),
                StateProj::Refused { rejection } => match rejection.take() {
                    Some(rejection) => {
                        return Poll::Ready(this.protocol.refuse(this.context.clone(), rejection));
                    }
                    None => return Poll::Pending, // polled after it was ready
                },
            }
        };
        // The thread is free again by now: nothing is held until a response's body ends.
        Poll::Ready(finish(this.protocol, this.context.clone(), result, None::<()>))
    }
}

impl<S: Service<Req>, P, Cx, Req> fmt::Debug for ResponseFuture<S, P, Cx, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("pool::ResponseFuture").finish_non_exhaustive()
    }
}
