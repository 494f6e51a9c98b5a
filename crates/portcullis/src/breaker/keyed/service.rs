//! A service behind a keyed breaker.

use std::{
    borrow::Borrow,
    fmt,
    hash::Hash,
    task::{Context, Poll},
};

use tower_service::Service;

use super::{KeyedBreaker, KeyedBreakerTicket, ResponseFuture};
use crate::{
    Protocol,
    keyed::{Key, KeyOf},
    protocol::watched,
};

/// A service behind a [`KeyedBreaker`].
///
/// Which key a request has is not known before it comes: the service is ready when the inner one is, and a
/// call that will be refused waits for that too. So put it around what is ready soon for all keys alike, such
/// as a client with a pool of connections, and not around what is unready for long while one of the keys is
/// in trouble. An error of readiness is no key's failure, and is passed on. A refused call gives up what the
/// inner service has reserved for it.
#[derive(Clone)]
pub struct KeyedBreakerService<S, K, F, P> {
    inner: S,
    breaker: KeyedBreaker<K>,
    key_of: F,
    protocol: P,
}

impl<S, K, F, P> KeyedBreakerService<S, K, F, P> {
    pub(super) fn new(inner: S, breaker: KeyedBreaker<K>, key_of: F, protocol: P) -> Self {
        Self { inner, breaker, key_of, protocol }
    }
}

impl<S, K, F, P, Req> Service<Req> for KeyedBreakerService<S, K, F, P>
where
    S: Service<Req> + Clone,
    K: Key + Borrow<F::Key>,
    F: KeyOf<Req, Key: Hash + Eq + ToOwned<Owned: Into<K>>>,
    P: Protocol<Req, S::Response, S::Error> + Clone,
{
    type Response = P::Response<KeyedBreakerTicket<K>>;
    type Error = P::Error;
    type Future = ResponseFuture<S::Future, P, P::Context, K, Req>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(|error| self.protocol.lift(error))
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        let context = self.protocol.context(&request);
        let protocol = self.protocol.clone();
        let is_retry = || protocol.attempt(&request).is_retry();
        let admitted = self.key_of.with_key(&request, |key| match key {
            Some(key) => self.breaker.admit(key, is_retry),
            None => Ok(KeyedBreakerTicket::of_nobody()),
        });
        match admitted {
            Ok(mut ticket) => {
                let inner = watched(&mut ticket, || self.inner.call(request));
                ResponseFuture::running(inner, protocol, context, ticket)
            }
            Err(rejection) => {
                // The instance that has something reserved goes.
                self.inner = self.inner.clone();
                ResponseFuture::refused(rejection, protocol, context)
            }
        }
    }
}

impl<S: fmt::Debug, K, F, P: fmt::Debug> fmt::Debug for KeyedBreakerService<S, K, F, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedBreakerService")
            .field("inner", &self.inner)
            .field("breaker", &self.breaker)
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}
