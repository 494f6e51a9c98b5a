//! The cache's handle.

use std::{borrow::Borrow, fmt, future::Future, hash::Hash, sync::Arc, time::Duration};

use portcullis_core::{ConfigError, Mode, Name, PolicyKind};

use super::{
    CacheBuilder, CacheStatus, Config, Key, Lasts, Plain, Value,
    by_hand::{Call, Run},
    service::{Looked, Work, enter},
    shared::{Found, Shared},
};
use crate::{
    BoxError, Boxed, Registry,
    event::{Emitter, Event},
};

/// What an entry weighs.
pub(super) type Weigher<K, V> = Arc<dyn Fn(&K, &V) -> u64 + Send + Sync>;
/// How long an entry is fresh, if not as long as others.
pub(super) type Lasting<K, V> = Arc<dyn Fn(&K, &V) -> Option<Duration> + Send + Sync>;

/// What the program says of single entries.
pub(super) struct Single<K, V> {
    pub(super) weigher: Option<Weigher<K, V>>,
    pub(super) lasting: Option<Lasting<K, V>>,
}

/// A named cache: a cheap handle to what is kept. Clones are the same cache.
///
/// It works without tower too: see [`call`](Self::call), and [`get`](Self::get) and [`insert`](Self::insert) where a
/// call is no future.
///
/// What is kept is cloned for each that gets it: have large values behind an [`Arc`]. The drop of a value, and the
/// comparison of keys, must not use the cache.
pub struct Cache<K, V> {
    pub(super) shared: Arc<Shared<K, V>>,
}

impl<K: Key, V: Value> Cache<K, V> {
    /// A cache with the default [`Config`], in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A cache to be configured.
    pub fn builder(name: impl Into<Name>) -> CacheBuilder<K, V> {
        CacheBuilder::new(name.into())
    }

    pub(super) fn from_parts(
        name: Name,
        config: Config,
        seed: Option<u64>,
        single: Single<K, V>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let emitter = Emitter::new(name.clone(), PolicyKind::Cache, registry);
        let shared = Arc::new(Shared::new(emitter, config, seed, single));
        registry.join(PolicyKind::Cache, name, &shared);
        Ok(Self { shared })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.name()
    }

    /// The settings.
    pub fn config(&self) -> Arc<Config> {
        self.shared.config.load()
    }

    /// Changes the settings while calls flow. What is kept stays for as long as it was to; only a smaller bound makes
    /// some of it go. A change of a bound takes time by the number of entries, in which fetched answers wait for their
    /// being kept.
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.update(|_| config)
    }

    /// Says whether what is kept is served, or only counted.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.shared.update(|config| Config { mode, ..config.clone() })
    }

    /// Everything there is to see.
    pub fn status(&self) -> CacheStatus {
        self.shared.status()
    }

    /// Its last events, the youngest last; single calls are not among them.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.emitter.recent()
    }

    /// What is kept for a key and fresh, in every mode. It is not counted.
    ///
    /// ```
    /// use portcullis::Cache;
    ///
    /// let prices = Cache::<Box<str>, u32>::new("prices");
    /// prices.insert("apple".into(), 99);
    /// assert_eq!(prices.get("apple"), Some(99));
    /// prices.invalidate("apple");
    /// assert_eq!(prices.get("apple"), None);
    /// ```
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        match self.shared.find(key, |_, _| true) {
            Found::Fresh(entry) => Some(entry.value.clone()),
            Found::Stale(_) | Found::Nothing(_) => None,
        }
    }

    /// Keeps a value, for as long as others, in the place of what there is.
    pub fn insert(&self, key: K, value: V) {
        self.shared.put(key, value, Lasts::default());
    }

    /// The same for this long; zero: only to be served stale, if that is set.
    pub fn insert_for(&self, key: K, value: V, ttl: Duration) {
        self.shared.put(key, value, Lasts { ttl: Some(ttl), ..Lasts::default() });
    }

    /// Throws away what is kept for a key. What calls come to that are under way is not kept either, and not given
    /// to calls that come after this.
    pub fn invalidate<Q>(&self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.shared.remove(key);
    }

    /// Throws away everything, in the same way.
    pub fn invalidate_all(&self) {
        self.shared.clear();
    }

    /// Answers with what is kept for a key, or makes the call, once for all who want the same at the time, and keeps
    /// what it returns. Errors are not kept, but given to those who wait for the call.
    ///
    /// Dropping the future drops the call; who has waited longest makes his own then. A call in the background, for
    /// what is stale, is dropped with the last handle of the cache.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), portcullis::BoxError> {
    /// use portcullis::{BoxError, Cache};
    ///
    /// let prices = Cache::<Box<str>, u32>::new("prices");
    /// assert_eq!(prices.call("apple", || async { Ok::<_, BoxError>(99) }).await?, 99);
    /// assert_eq!(prices.call("apple", || async { Err::<u32, _>("no connection") }).await?, 99);
    /// assert_eq!(prices.status().hits, 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// That of the call: the error itself, or, where several have it, a
    /// [`SharedError`](crate::share::SharedError) of it.
    pub fn call<Q, F, Fut, E>(&self, key: &Q, call: F) -> Call<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let looked = match self.shared.look(key, |_, _| true) {
            Looked::Hit(served) => return Call::ready(served.value),
            looked => looked,
        };
        let shared = Arc::downgrade(&self.shared);
        let (protocol, rules, max_body) = (Boxed::default(), Plain, usize::MAX);
        let work = || Work { shared, service: Run, request: call(), protocol, rules, max_body };
        Call::made(enter(&self.shared, looked, work))
    }
}

impl<K, V> Clone for Cache<K, V> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<K: Key, V: Value> fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("name", self.name()).field("status", &self.status()).finish()
    }
}

crate::registry::handle!(Cache<K: super::Key, V: super::Value>, Cache);
crate::registry::new_in!(Cache<K: super::Key, V: super::Value>);
