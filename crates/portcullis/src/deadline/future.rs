//! The response future of a call that has a deadline.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use portcullis_core::Time;
use tower_service::Service;

use crate::{Protocol, clock, current, oneshot::Oneshot, timeout::BodyDeadline};

pin_project! {
    /// The response future of [`DeadlineService`](super::DeadlineService).
    ///
    /// At the deadline, the inner future is dropped before this one answers. An answer that comes together with
    /// the deadline wins; a call whose turn comes then is not made.
    #[project = FutureProj]
    pub struct ResponseFuture<S, P, Cx, Req>
    where
        S: Service<Req>,
    {
        #[pin]
        call: Option<Oneshot<S, Req>>,
        at: Time,
        margin: Duration,
        // Goes with the answer.
        deadline: Option<BodyDeadline>,
        protocol: P,
        context: Cx,
    }
}

impl<S: Service<Req>, P, Cx, Req> ResponseFuture<S, P, Cx, Req> {
    pub(super) fn new(
        call: Oneshot<S, Req>,
        (at, margin): (Time, Duration),
        deadline: BodyDeadline,
        protocol: P,
        context: Cx,
    ) -> Self {
        Self { call: Some(call), at, margin, deadline: Some(deadline), protocol, context }
    }

    /// A call that is not made.
    pub(super) fn refused(deadline: BodyDeadline, protocol: P, context: Cx) -> Self {
        Self {
            call: None,
            at: Time::ORIGIN,
            margin: Duration::ZERO,
            deadline: Some(deadline),
            protocol,
            context,
        }
    }
}

impl<S, P, Req> Future for ResponseFuture<S, P, P::Context, Req>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
{
    type Output = Result<P::Response<BodyDeadline>, P::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // A call whose turn comes when its time is over is not made any more.
        let late = !this.is_called() && is_over(this.deadline);
        if late && this.enforces() {
            return this.end();
        }
        let answer = match this.call.as_mut().as_pin_mut() {
            Some(call) => current::within(*this.at, || call.poll(cx)),
            None => return this.end(),
        };
        match answer {
            Poll::Ready(Ok(response)) => {
                let deadline = this.deadline.take().and_then(BodyDeadline::of_body);
                Poll::Ready(Ok(this.protocol.complete(this.context.clone(), response, deadline)))
            }
            // Whoever is below keeps the time that was told, and says in its own words that it is over.
            Poll::Ready(Err(_)) if this.is_ending() && this.enforces() => this.end(),
            Poll::Ready(Err(error)) => Poll::Ready(Err(this.protocol.lift(error))),
            Poll::Pending => {
                let Some(deadline) = this.deadline else { return Poll::Pending };
                // Who keeps the same time outside may be woken by a timer that goes off before this one.
                if !deadline.is_over() {
                    ready!(deadline.poll_over(cx));
                }
                if this.enforces() { this.end() } else { Poll::Pending }
            }
        }
    }
}

/// Headers tell whole milliseconds, or at most eight digits: up to so much less than there is.
const ROUNDED: Duration = Duration::from_nanos(999_999);

fn is_over(deadline: &Option<BodyDeadline>) -> bool {
    deadline.as_ref().is_some_and(BodyDeadline::is_over)
}

impl<S, P, Req> FutureProj<'_, S, P, P::Context, Req>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
{
    fn is_called(&self) -> bool {
        self.call.as_ref().as_pin_ref().is_some_and(|call| call.is_called())
    }

    /// Whether no more time is left than whoever is below was not told of.
    fn is_ending(&self) -> bool {
        self.at.since(clock::now()) <= self.margin.saturating_add(ROUNDED)
    }

    /// Whether a call whose time is over is ended. A call that is not made was asked about before.
    fn enforces(&mut self) -> bool {
        let (made, sent) = (self.call.is_some(), self.is_called());
        self.deadline.as_mut().is_none_or(|deadline| !made || deadline.enforces(sent))
    }

    /// Answers a call whose time is over; it is dropped by then.
    fn end(&mut self) -> Poll<Result<P::Response<BodyDeadline>, P::Error>> {
        let Some(deadline) = self.deadline.take() else { return Poll::Pending }; // polled after it was ready
        let sent = self.is_called();
        self.call.set(None);
        Poll::Ready(self.protocol.refuse(self.context.clone(), deadline.rejection(sent)))
    }
}

impl<S: Service<Req>, P, Cx, Req> fmt::Debug for ResponseFuture<S, P, Cx, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("deadline::ResponseFuture").finish_non_exhaustive()
    }
}
