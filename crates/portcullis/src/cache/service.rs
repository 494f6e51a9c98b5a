//! A service with a cache.

use std::{
    borrow::Borrow,
    fmt,
    hash::Hash,
    sync::{Arc, Weak},
    task::{Context, Poll},
};

use tower_service::Service;

use super::{
    Ask, Cache, CacheProtocol, Key, ResponseFuture, Rules, Value,
    entry::{Entry, Served},
    lead::{self, lead},
    measure::Count,
    shared::{Course, Found, Serving, Shared},
};
use crate::{flight::Joined, keyed::KeyOf, oneshot::Oneshot};

/// A service with a [`Cache`].
///
/// It is always ready: what is kept is served whatever the inner service does, and a call that must be made waits for
/// an instance of its own.
pub struct CacheService<S, K, V, F, R, P> {
    inner: S,
    cache: Cache<K, V>,
    by: F,
    rules: R,
    protocol: P,
    max_body: usize,
}

impl<S, K, V, F, R, P> CacheService<S, K, V, F, R, P> {
    pub(super) fn new(
        inner: S,
        cache: Cache<K, V>,
        (by, rules, protocol): (F, R, P),
        max_body: usize,
    ) -> Self {
        Self { inner, cache, by, rules, protocol, max_body }
    }
}

/// A call that may be made.
pub(super) struct Work<S, Req, P, R, K, V> {
    /// Weak, so that no call keeps a cache that nobody else has.
    pub(super) shared: Weak<Shared<K, V>>,
    pub(super) service: S,
    pub(super) request: Req,
    pub(super) protocol: P,
    pub(super) rules: R,
    pub(super) max_body: usize,
}

/// What a look into the cache has come to.
pub(super) enum Looked<K, V> {
    /// There is nothing to look for.
    Pass,
    Hit(Served<V>),
    /// It is served, and another is fetched.
    Stale(Served<V>, Course<K>),
    /// The call is made, perhaps by another, or else something stale is served.
    Miss(Course<K>, Option<Arc<Entry<V>>>),
    /// The call is made, and what it comes to is kept.
    Alone(Course<K>),
}

impl<K: Key, V: Value> Shared<K, V> {
    /// Looks for a key, as the mode says.
    #[inline]
    pub(super) fn look<Q>(&self, key: &Q, fits: impl FnOnce(&V, std::time::Duration) -> bool) -> Looked<K, V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
    {
        let serving = self.serving();
        if serving == Serving::Off {
            return Looked::Pass;
        }
        let found = self.find(key, fits);
        if serving == Serving::Shadow {
            if !matches!(found, Found::Nothing(_)) {
                self.count(Count::Shadowed);
            }
            return Looked::Alone(self.course(key.to_owned().into()));
        }
        match found {
            Found::Fresh(entry) => {
                self.count(Count::Hit);
                Looked::Hit(Served::of(&entry, crate::clock::now()))
            }
            Found::Stale(entry) => {
                self.count(Count::Stale);
                let served = Served::of(&entry, crate::clock::now());
                Looked::Stale(served, self.course(key.to_owned().into()))
            }
            Found::Nothing(entry) => Looked::Miss(self.course(key.to_owned().into()), entry),
        }
    }

    /// Makes a call and keeps what it comes to, without a look.
    fn reload<Q>(&self, key: &Q) -> Looked<K, V>
    where
        Q: ToOwned<Owned: Into<K>> + ?Sized,
    {
        match self.serving() {
            Serving::Off => Looked::Pass,
            Serving::Yes | Serving::Shadow => Looked::Alone(self.course(key.to_owned().into())),
        }
    }
}

/// Answers by what was found.
#[inline]
pub(super) fn enter<S, Req, P, R, K, V>(
    shared: &Shared<K, V>,
    looked: Looked<K, V>,
    work: impl FnOnce() -> Work<S, Req, P, R, K, V>,
) -> ResponseFuture<S, Req, P>
where
    K: Key,
    V: Value,
    S: Service<Req, Future: Send> + Send + 'static,
    Req: Send + 'static,
    P: CacheProtocol<Req, S::Response, S::Error, V>,
    R: Rules<Req, S::Response, V> + Send + 'static,
{
    match looked {
        Looked::Pass => {
            let Work { service, request, protocol, .. } = work();
            ResponseFuture::pass(Oneshot::unready(service, request), protocol)
        }
        Looked::Hit(served) => {
            let Work { protocol, rules, .. } = work();
            ResponseFuture::ready(lead::open(&protocol, &rules, served))
        }
        Looked::Stale(served, course) => {
            let work = work();
            let response = lead::open(&work.protocol, &work.rules, served);
            refresh(shared, course, work);
            ResponseFuture::ready(response)
        }
        Looked::Miss(course, entry) => ResponseFuture::miss(lead::fetch(work(), course, entry)),
        Looked::Alone(course) => {
            let work = work();
            ResponseFuture::miss(async move { lead(work, None, course, None).await.result })
        }
    }
}

/// What a refresh has come to, counted when that is over.
struct Told<K: Key, V: Value> {
    of: Weak<Shared<K, V>>,
    count: Option<Count>,
}

impl<K: Key, V: Value> Drop for Told<K, V> {
    fn drop(&mut self) {
        if let Some((count, shared)) = self.count.zip(self.of.upgrade()) {
            shared.count(count);
        }
    }
}

/// Makes the call in the background, unless somebody makes it.
#[cold]
#[inline(never)]
fn refresh<S, Req, P, R, K, V>(shared: &Shared<K, V>, course: Course<K>, work: Work<S, Req, P, R, K, V>)
where
    K: Key,
    V: Value,
    S: Service<Req, Future: Send> + Send + 'static,
    Req: Send + 'static,
    P: CacheProtocol<Req, S::Response, S::Error, V>,
    R: Rules<Req, S::Response, V> + Send + 'static,
{
    let Joined::Leader(leader) = shared.join::<P::SharedError>(course.clone()) else { return };
    let config = shared.config.load();
    let time = config.refresh_timeout;
    let of = work.shared.clone();
    let call = async move {
        // Unless it comes to something else: it may panic.
        let mut told = Told { of, count: Some(Count::RefreshFailed) };
        match tokio::time::timeout(time, lead::refresh(work, leader, course)).await {
            Ok(true) => told.count = None,
            Ok(false) => {}
            Err(_elapsed) => told.count = Some(Count::RefreshTimedOut),
        }
    };
    let begun = shared.refreshes.begin(config.max_refreshes, call);
    shared.count(if begun { Count::Refresh } else { Count::RefreshDenied });
}

impl<S, K, V, F, R, P, Req> Service<Req> for CacheService<S, K, V, F, R, P>
where
    K: Key + Borrow<F::Key>,
    V: Value,
    F: KeyOf<Req, Key: Hash + Eq + ToOwned<Owned: Into<K>>>,
    S: Service<Req, Future: Send> + Clone + Send + 'static,
    Req: Send + 'static,
    P: CacheProtocol<Req, S::Response, S::Error, V>,
    R: Rules<Req, S::Response, V> + Clone + Send + 'static,
{
    type Response = <P as crate::share::Share<S::Response>>::Response;
    type Error = P::Error;
    type Future = ResponseFuture<S, Req, P>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        let shared = &self.cache.shared;
        let looked = match self.rules.ask(&request) {
            Ask::Pass => Looked::Pass,
            ask => self.by.with_key(&request, |key| match key {
                None => Looked::Pass,
                Some(key) if ask == Ask::Reload => shared.reload(key),
                Some(key) => shared.look(key, |value, age| self.rules.fits(&request, value, age)),
            }),
        };
        let Self { inner, cache: _, rules, protocol, max_body, .. } = self;
        enter(shared, looked, || Work {
            shared: Arc::downgrade(shared),
            service: inner.clone(),
            request,
            protocol: protocol.clone(),
            rules: rules.clone(),
            max_body: *max_body,
        })
    }
}

impl<S: Clone, K, V, F: Clone, R: Clone, P: Clone> Clone for CacheService<S, K, V, F, R, P> {
    fn clone(&self) -> Self {
        let Self { inner, cache, by, rules, protocol, max_body } = self;
        Self::new(inner.clone(), cache.clone(), (by.clone(), rules.clone(), protocol.clone()), *max_body)
    }
}

impl<S: fmt::Debug, K: Key, V: Value, F, R, P> fmt::Debug for CacheService<S, K, V, F, R, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inner, cache, .. } = self;
        f.debug_struct("CacheService").field("inner", inner).field("cache", cache).finish_non_exhaustive()
    }
}
