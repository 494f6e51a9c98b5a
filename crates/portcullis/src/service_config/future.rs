//! The response future of a call that goes by a service config.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower_service::Service;

use super::attempts::{Attempts, Call};
use crate::{Protocol, retry::Replay, timeout::BodyDeadline};

/// What a call comes to.
type Answer<P, Req, Res, Err> =
    Result<<P as Protocol<Req, Res, Err>>::Response<BodyDeadline>, <P as Protocol<Req, Res, Err>>::Error>;

pin_project! {
    /// The response future of [`ServiceConfigService`](super::ServiceConfigService).
    ///
    /// When the method's time is over, all attempts are dropped before this one answers. Dropping it drops
    /// them too.
    #[project = FutureProj]
    pub struct ResponseFuture<S, P, R, Req, Cx>
    where
        S: Service<R::Request>,
        R: Replay<Req>,
        P: Protocol<R::Request, S::Response, S::Error>,
    {
        #[pin]
        attempts: Attempts<S, P, R, Req>,
        protocol: P,
        deadline: Option<BodyDeadline>,
        context: Cx,
    }
}

impl<S, P, R, Req, Cx> ResponseFuture<S, P, R, Req, Cx>
where
    R: Replay<Req> + Clone,
    S: Service<R::Request> + Clone,
    P: Protocol<R::Request, S::Response, S::Error> + Clone,
{
    pub(super) fn new(
        call: Call<S, P, R, Req>,
        ready: bool,
        deadline: Option<BodyDeadline>,
        context: Cx,
    ) -> Self {
        let protocol = call.protocol.clone();
        // A call whose time is over before it began is not sent.
        let over = deadline.as_ref().is_some_and(BodyDeadline::is_over);
        let attempts = if ready && !over { call.begin() } else { Attempts::Waiting { call: Some(call) } };
        Self { attempts, protocol, deadline, context }
    }
}

impl<S, P, R, Req, Err, Cx> Future for ResponseFuture<S, P, R, Req, Cx>
where
    R: Replay<Req> + Clone,
    S: Service<R::Request> + Clone,
    P: Protocol<R::Request, S::Response, S::Error, Error = Err> + Clone,
    P: Protocol<Req, S::Response, Err, Context = Cx>,
    Cx: Clone,
{
    type Output = Answer<P, Req, S::Response, Err>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // The answer wins a tie. But a call whose turn comes when its time is over is not sent any more.
        if this.attempts.is_waiting() && this.is_over() {
            return this.end();
        }
        match this.attempts.as_mut().poll(cx) {
            Poll::Ready(Ok(response)) => {
                let context = this.context.clone();
                Poll::Ready(Ok(Protocol::<Req, S::Response, Err>::complete(
                    this.protocol,
                    context,
                    response,
                    this.deadline.take(),
                )))
            }
            // A channel keeps the same time, by the header, and may be the one that sees it first.
            Poll::Ready(Err(_)) if this.is_over() => this.end(),
            Poll::Ready(Err(error)) => {
                Poll::Ready(Err(super::service::lift::<P, Req, S::Response, Err>(this.protocol, error)))
            }
            Poll::Pending => {
                let Some(deadline) = this.deadline else { return Poll::Pending };
                ready!(deadline.poll_over(cx));
                this.end()
            }
        }
    }
}

impl<S, P, R, Req, Err, Cx> FutureProj<'_, S, P, R, Req, Cx>
where
    R: Replay<Req>,
    S: Service<R::Request>,
    P: Protocol<R::Request, S::Response, S::Error, Error = Err>,
    P: Protocol<Req, S::Response, Err, Context = Cx>,
    Cx: Clone,
{
    fn is_over(&self) -> bool {
        self.deadline.as_ref().is_some_and(BodyDeadline::is_over)
    }

    /// Answers a call whose time is over; all attempts are dropped by then.
    fn end(&mut self) -> Poll<Answer<P, Req, S::Response, Err>> {
        let Some(deadline) = self.deadline.take() else { return Poll::Pending };
        let sent = !self.attempts.is_waiting();
        self.attempts.set(Attempts::Done);
        let rejection = deadline.rejection(sent);
        Poll::Ready(Protocol::<Req, S::Response, Err>::refuse(self.protocol, self.context.clone(), rejection))
    }
}

impl<S, P, R, Req, Cx> fmt::Debug for ResponseFuture<S, P, R, Req, Cx>
where
    S: Service<R::Request>,
    R: Replay<Req>,
    P: Protocol<R::Request, S::Response, S::Error>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("service_config::ResponseFuture").finish_non_exhaustive()
    }
}
