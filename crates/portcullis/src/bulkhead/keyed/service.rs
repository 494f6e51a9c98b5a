//! A service behind a keyed bulkhead.

use std::{
    borrow::Borrow,
    fmt,
    hash::Hash,
    task::{Context, Poll},
};

use tower_service::Service;

use super::{
    KeyedBulkhead, KeyedBulkheadTicket, ResponseFuture,
    one::{Met, Owner},
    waiting::Waiting,
};
use crate::{
    Protocol,
    apart::Apart,
    bulkhead::demand::Demands,
    keyed::{Key, KeyOf},
    turn::Entered,
};

/// A service behind a [`KeyedBulkhead`].
///
/// Which key a request has is not known before it comes: the service is ready when the inner one is, and at once while
/// the bulkhead refuses all keys alike. A call that must wait or is refused gives up what the inner service reserved
/// for it when it was polled ready. Its turn come, a call polls an instance of its own ready.
#[derive(Clone)]
pub struct KeyedBulkheadService<S, K, F, D, P> {
    inner: S,
    bulkhead: KeyedBulkhead<K>,
    key_of: F,
    demands: D,
    protocol: P,
    /// The inner service was not asked whether it is ready, because everybody is refused.
    unready: bool,
    /// The inner service was asked, and not called since: it may have something reserved.
    asked: bool,
}

impl<S, K, F, D, P> KeyedBulkheadService<S, K, F, D, P> {
    pub(super) fn new(inner: S, bulkhead: KeyedBulkhead<K>, key_of: F, demands: D, protocol: P) -> Self {
        Self { inner, bulkhead, key_of, demands, protocol, unready: false, asked: false }
    }
}

impl<S: Clone, K: Key, F, D, P> KeyedBulkheadService<S, K, F, D, P> {
    /// Gives back what the inner service has reserved: the instance that reserved it is dropped.
    fn give_up(&mut self) {
        if std::mem::take(&mut self.asked) {
            self.inner = self.inner.clone();
        }
    }

    /// A call that did not find its permits free.
    #[cold]
    #[inline(never)]
    fn enter<Q, Req>(
        &mut self,
        owner: Owner<K>,
        weight: u32,
        request: Req,
        protocol: Q,
        context: Q::Context,
    ) -> Entered<S, Q, Q::Context, Req, Waiting<K>>
    where
        S: Service<Req>,
        Q: Protocol<Req, S::Response, S::Error>,
    {
        let met = if std::mem::take(&mut self.unready) {
            Err(owner.refuse_late(weight))
        } else {
            owner.enter(weight)
        };
        match met {
            Ok(Met::Admitted(ticket)) => {
                self.asked = false;
                Entered::running(self.inner.call(request), protocol, context, Apart::new(ticket))
            }
            Ok(Met::Waiting(waiting)) => {
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

impl<S, K, F, D, P, Req> Service<Req> for KeyedBulkheadService<S, K, F, D, P>
where
    S: Service<Req> + Clone,
    K: Key + Borrow<F::Key>,
    F: KeyOf<Req, Key: Hash + Eq + ToOwned<Owned: Into<K>>>,
    D: Demands<Req>,
    P: Protocol<Req, S::Response, S::Error> + Clone,
{
    type Response = P::Response<KeyedBulkheadTicket<K>>;
    type Error = P::Error;
    type Future = ResponseFuture<S, P, P::Context, K, Req>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.unready = self.bulkhead.is_full();
        if self.unready {
            self.give_up();
            return Poll::Ready(Ok(()));
        }
        self.asked = true;
        self.inner.poll_ready(cx).map_err(|error| self.protocol.lift(error))
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        let (context, protocol) = (self.protocol.context(&request), self.protocol.clone());
        let weight = self.demands.demand(&request).weight;
        let owner = self.key_of.with_key(&request, |key| self.bulkhead.owner(key));
        let taken = if self.unready { None } else { owner.try_take(weight) };
        let Some(taken) = taken else {
            return ResponseFuture::new(self.enter(owner, weight, request, protocol, context));
        };
        let held = Apart::new(KeyedBulkheadTicket::new(owner, taken));
        self.asked = false;
        ResponseFuture::new(Entered::running(self.inner.call(request), protocol, context, held))
    }
}

impl<S: fmt::Debug, K, F, D, P: fmt::Debug> fmt::Debug for KeyedBulkheadService<S, K, F, D, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedBulkheadService")
            .field("inner", &self.inner)
            .field("bulkhead", &self.bulkhead)
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}
