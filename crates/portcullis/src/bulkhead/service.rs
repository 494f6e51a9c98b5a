//! A service behind a bulkhead.

use std::task::{Context, Poll};

use portcullis_core::bulkhead::Demand;
use tower_service::Service;

use super::{Bulkhead, BulkheadTicket, Demands, Plain, ResponseFuture, policy::Entry, ticket::Waiting};
use crate::{Protocol, turn::Entered};

/// A service behind a [`Bulkhead`].
///
/// A call that must wait or is refused gives up what the inner service reserved for it when it was polled
/// ready: kept, it could be just what the calls in flight need to go on. Its turn come, a call polls an
/// instance of its own ready.
#[derive(Clone, Debug)]
pub struct BulkheadService<S, P, D = Plain> {
    inner: S,
    bulkhead: Bulkhead,
    protocol: P,
    demands: D,
    readiness: Readiness,
}

/// What came of the last question whether it is ready, until it is called.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Readiness {
    #[default]
    Unknown,
    /// The inner service was asked: it may have something reserved.
    Asked,
    /// The inner service was not asked, because the bulkhead was full.
    Refusing,
}

impl<S, P, D> BulkheadService<S, P, D> {
    pub(super) fn new(inner: S, bulkhead: Bulkhead, protocol: P, demands: D) -> Self {
        Self { inner, bulkhead, protocol, demands, readiness: Readiness::Unknown }
    }
}

impl<S: Clone, P, D> BulkheadService<S, P, D> {
    /// Gives back what the inner service has reserved: the instance that reserved it is dropped.
    fn give_up(&mut self) {
        if std::mem::take(&mut self.readiness) == Readiness::Asked {
            self.inner = self.inner.clone();
        }
    }

    /// A call that did not find one permit free, or asks for something else.
    #[inline(never)]
    fn enter<Req, Cx>(
        &mut self,
        demand: Demand,
        request: Req,
        protocol: P,
        context: Cx,
    ) -> Entered<S, P, Cx, Req, Waiting>
    where
        S: Service<Req>,
    {
        match self.bulkhead.enter(demand) {
            Ok(Entry::Admitted(taken)) => {
                let held = taken.held();
                self.readiness = Readiness::Unknown;
                Entered::running(self.inner.call(request), protocol, context, held)
            }
            Ok(Entry::Waiting(waiting)) => {
                self.give_up();
                Entered::waiting(waiting, self.inner.clone(), request, protocol, context)
            }
            Err(rejection) => {
                self.give_up();
                Entered::refused(rejection, protocol, context)
            }
        }
    }
}

impl<S, P, D, Req> Service<Req> for BulkheadService<S, P, D>
where
    D: Demands<Req>,
    S: Service<Req> + Clone,
    P: Protocol<Req, S::Response, S::Error> + Clone,
{
    type Response = P::Response<BulkheadTicket>;
    type Error = P::Error;
    type Future = ResponseFuture<S, P, P::Context, Req>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        if self.bulkhead.is_full() {
            self.give_up();
            self.readiness = Readiness::Refusing;
            return Poll::Ready(Ok(()));
        }
        self.readiness = Readiness::Asked;
        self.inner.poll_ready(cx).map_err(|error| self.protocol.lift(error))
    }

    #[inline(always)]
    fn call(&mut self, request: Req) -> Self::Future {
        let context = self.protocol.context(&request);
        let protocol = self.protocol.clone();
        if self.readiness == Readiness::Refusing {
            self.readiness = Readiness::Unknown;
            return ResponseFuture::new(Entered::refused(self.bulkhead.refuse(), protocol, context));
        }
        let demand = self.demands.demand(&request);
        let Some(taken) = self.bulkhead.admit_now(demand) else {
            return ResponseFuture::new(self.enter(demand, request, protocol, context));
        };
        let held = taken.held();
        self.readiness = Readiness::Unknown;
        ResponseFuture::new(Entered::running(self.inner.call(request), protocol, context, held))
    }
}
