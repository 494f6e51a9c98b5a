//! A service that sheds load.

use std::task::{Context, Poll};

use portcullis_core::shed::Arrival;
use tower_service::Service;

use super::{
    LoadShed, Plain, Reads, ResponseFuture, ShedTicket,
    ticket::{Admitted, Held},
};
use crate::{Protocol, turn::Entered};

/// A service that sheds load by a [`LoadShed`].
///
/// While as many calls are in flight as may be, the service is ready though the inner one is not: refusals wait
/// for nothing, and exempt calls wait by themselves. A call that is refused gives up what the inner service
/// reserved for it when it was polled ready.
#[derive(Clone, Debug)]
pub struct LoadShedService<S, P, R = Plain> {
    inner: S,
    shed: LoadShed,
    protocol: P,
    reads: R,
    /// The inner service said that it is ready, and was not called since.
    ready: bool,
}

impl<S, P, R> LoadShedService<S, P, R> {
    pub(super) fn new(inner: S, shed: LoadShed, protocol: P, reads: R) -> Self {
        Self { inner, shed, protocol, reads, ready: false }
    }
}

impl<S: Clone, P, R> LoadShedService<S, P, R> {
    /// Gives back what the inner service has reserved, or its place in the line for it, where it is not ready: the
    /// instance that was asked is dropped.
    fn give_up(&mut self) {
        self.ready = false;
        self.inner = self.inner.clone();
    }

    /// A call that finds something in its way, or an inner service that is not ready. All by value: what is only
    /// used here is only put into memory here.
    #[inline(never)]
    fn enter<Req, Q, Cx>(
        &mut self,
        arrival: Arrival,
        request: Req,
        protocol: Q,
        context: Cx,
    ) -> Entered<S, Q, Cx, Req, Admitted>
    where
        S: Service<Req>,
    {
        match self.shed.enter(arrival) {
            Ok(held) => self.run(request, protocol, context, held),
            Err(rejection) => {
                self.give_up();
                Entered::refused(rejection, protocol, context)
            }
        }
    }

    fn run<Req, Q, Cx>(
        &mut self,
        request: Req,
        protocol: Q,
        context: Cx,
        held: Held,
    ) -> Entered<S, Q, Cx, Req, Admitted>
    where
        S: Service<Req>,
    {
        if std::mem::take(&mut self.ready) {
            return Entered::running(self.inner.call(request), protocol, context, held);
        }
        // The instance that was asked goes along: it may have its place in a line.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        Entered::waiting(Admitted(Some(held)), inner, request, protocol, context)
    }
}

impl<S, P, R, Req> Service<Req> for LoadShedService<S, P, R>
where
    R: Reads<Req>,
    S: Service<Req> + Clone,
    P: Protocol<Req, S::Response, S::Error> + Clone,
{
    type Response = P::Response<ShedTicket>;
    type Error = P::Error;
    type Future = ResponseFuture<S, P, P::Context, Req>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let readiness = self.inner.poll_ready(cx).map_err(|error| self.protocol.lift(error));
        self.ready = matches!(readiness, Poll::Ready(Ok(())));
        if readiness.is_pending() && self.shed.is_full() {
            return Poll::Ready(Ok(()));
        }
        readiness
    }

    #[inline(always)]
    fn call(&mut self, request: Req) -> Self::Future {
        let (context, protocol) = (self.protocol.context(&request), self.protocol.clone());
        let arrival = self.reads.arrival(&request);
        if self.ready {
            if let Some(held) = self.shed.admit_now(&arrival) {
                self.ready = false;
                let entered = Entered::running(self.inner.call(request), protocol, context, held);
                return ResponseFuture::new(entered);
            }
        }
        ResponseFuture::new(self.enter(arrival, request, protocol, context))
    }
}
