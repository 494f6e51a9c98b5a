//! A service whose calls share their answers.

use std::{
    borrow::ToOwned,
    hash::Hash,
    task::{Context, Poll},
};

use tower_service::Service;

use super::{Coalesce, ResponseFuture, policy::Entry};
use crate::{
    Protocol,
    keyed::KeyOf,
    oneshot::Oneshot,
    share::{Share, ShareError},
};

/// A service whose calls share their answers, by a [`Coalesce`].
///
/// It is always ready: a call that waits for another needs nothing of the inner service, and one that does not waits
/// for its readiness, within its own future. A call that waits gives up what the inner service reserved for it.
#[derive(Clone, Debug)]
pub struct CoalesceService<S, P, K> {
    inner: S,
    coalesce: Coalesce,
    protocol: P,
    by: K,
    /// The inner service is not ready.
    unready: bool,
}

impl<S, P, K> CoalesceService<S, P, K> {
    pub(super) fn new(inner: S, coalesce: Coalesce, protocol: P, by: K) -> Self {
        Self { inner, coalesce, protocol, by, unready: false }
    }
}

/// What is kept of a call for others.
type SharedOf<P, Req, Res, Err> =
    Result<<P as Share<Res>>::Shared, <P as ShareError<<P as Protocol<Req, Res, Err>>::Error>>::Shared>;

impl<S, P, K, Req> Service<Req> for CoalesceService<S, P, K>
where
    S: Service<Req> + Clone,
    P: Protocol<Req, S::Response, S::Error> + Share<S::Response> + Clone,
    P: ShareError<<P as Protocol<Req, S::Response, S::Error>>::Error>,
    K: KeyOf<Req>,
    K::Key: ToOwned<Owned: Hash + Eq + Send + Sync + 'static>,
{
    type Response = <P as Share<S::Response>>::Response;
    type Error = <P as Protocol<Req, S::Response, S::Error>>::Error;
    type Future = ResponseFuture<
        S,
        Req,
        P,
        P::Context,
        <P as Share<S::Response>>::Collecting,
        <K::Key as ToOwned>::Owned,
        SharedOf<P, Req, S::Response, S::Error>,
    >;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let inner = self.inner.poll_ready(cx);
        self.unready = !matches!(inner, Poll::Ready(Ok(())));
        if let Poll::Ready(Err(_)) = inner {
            // An instance that has failed is not asked again.
            self.inner = self.inner.clone();
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let context = self.protocol.context(&request);
        let (protocol, shared) = (self.protocol.clone(), self.coalesce.shared.pin());
        let ready = !std::mem::take(&mut self.unready);
        let entry = self.by.with_key(&request, |key| shared.enter(|| key.map(ToOwned::to_owned)));
        let leader = match entry {
            Entry::Waiting(waiter) => {
                let fresh = self.inner.clone();
                if ready {
                    self.inner = fresh.clone();
                }
                return ResponseFuture::waiting(waiter, fresh, request, protocol, context, shared);
            }
            Entry::Leading(leader) => Some(leader),
            Entry::Alone => None,
        };
        let inner = Oneshot::new(&mut self.inner, ready, request);
        ResponseFuture::calling(inner, leader, protocol, context, shared)
    }
}
