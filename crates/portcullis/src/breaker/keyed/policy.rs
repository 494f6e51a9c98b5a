//! The keyed breaker's handle.

use std::{borrow::Borrow, fmt, future::Future, hash::Hash, sync::Arc, time::Duration};

use portcullis_core::{
    ConfigError, Name, Rejection,
    breaker::{Config, Mode, State},
};

use super::{
    KeyBreaker, KeyedBreakerBuilder, KeyedBreakerTicket, KeyedStatus,
    common::Common,
    one::{One, OneKey},
};
use crate::{
    Breaker, FromRejection,
    breaker::policy::run,
    clock,
    keyed::{Evictions, Key, Keyed, Limits, Lookup},
};

/// A circuit breaker per key: a cheap handle to shared state. Clones are the same breakers. See the
/// [module](super).
pub struct KeyedBreaker<K = Box<str>> {
    pub(super) shared: Arc<Shared<K>>,
}

pub(super) struct Shared<K> {
    pub(super) keys: Keyed<K, OneKey<K>>,
    pub(super) common: Arc<Common<K>>,
    pub(super) overflow: Breaker,
}

impl KeyedBreaker {
    /// A keyed breaker for texts with the defaults, in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A keyed breaker to be configured.
    pub fn builder(name: impl Into<Name>) -> KeyedBreakerBuilder {
        KeyedBreakerBuilder::new(name.into())
    }
}

impl<K: Key> KeyedBreaker<K> {
    /// The name.
    pub fn name(&self) -> &Name {
        &self.shared.common.name
    }

    /// Asks for one call of this key. The ticket is to be [settled](crate::Ticket::settle) with how the call
    /// ended; dropped unsettled, it counts as abandoned.
    ///
    /// # Errors
    ///
    /// The rejection, when the key's breaker does not let the call through; when there is no room for the
    /// key, that of [`overflow`](Self::overflow).
    #[inline]
    pub fn try_admit<Q>(&self, key: &Q) -> Result<KeyedBreakerTicket<K>, Rejection>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
    {
        self.admit(key, || false)
    }

    /// Asks for a further attempt of a call that failed: with
    /// [`only_retries`](KeyedBreakerBuilder::only_retries), these alone are refused.
    ///
    /// # Errors
    ///
    /// The rejection, when the key's breaker does not let the call through.
    pub fn try_admit_retry<Q>(&self, key: &Q) -> Result<KeyedBreakerTicket<K>, Rejection>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
    {
        self.admit(key, || true)
    }

    /// Runs `call` if the key's breaker lets it, and records how it ended, as [`Breaker::call`] does.
    ///
    /// # Errors
    ///
    /// What `call` returned, or the rejection.
    pub async fn call<Q, F, Fut, T, E>(&self, key: &Q, call: F) -> Result<T, E>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: FromRejection,
    {
        run(self.try_admit(key), call).await
    }

    #[inline]
    pub(super) fn admit<Q>(
        &self,
        key: &Q,
        is_retry: impl FnOnce() -> bool,
    ) -> Result<KeyedBreakerTicket<K>, Rejection>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
    {
        self.shared.common.enter()?;
        let Some(one) = self.find(key) else { return self.admit_overflow(is_retry()) };
        let admission = match one.value().machine.admit_closed() {
            Some(admission) => admission,
            None => one.admit_slow(is_retry())?,
        };
        Ok(KeyedBreakerTicket::of_key(one, admission))
    }

    #[cold]
    fn admit_overflow(&self, retry: bool) -> Result<KeyedBreakerTicket<K>, Rejection> {
        let overflow = &self.shared.overflow;
        let ticket = if retry { overflow.try_admit_retry() } else { overflow.try_admit() };
        ticket.map(KeyedBreakerTicket::of_overflow)
    }

    /// The key's breaker, made if it is not there; `None` when there is no room.
    #[inline]
    fn find<Q>(&self, key: &Q) -> Option<Arc<One<K>>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
    {
        let common = &self.shared.common;
        let (now, mut version) = (clock::coarse(), 0);
        let make = || {
            version = common.settings.version();
            OneKey::new(common, now)
        };
        match self.shared.keys.get_or_insert_with(key, now, make) {
            Lookup::Found(one) => Some(one),
            Lookup::Made(one) => {
                // Who changed the settings since may have looked for all keys before it was there.
                if common.settings.version() != version {
                    one.refresh(Mode::Disabled);
                }
                Some(one)
            }
            Lookup::Overflow => None,
        }
    }

    /// The breaker of a key that is there. This does not count as use.
    pub fn get<Q>(&self, key: &Q) -> Option<KeyBreaker<K>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.shared.keys.get(key).map(KeyBreaker::new)
    }

    /// The breaker of a key, made if it is not there; `None` when there is no room for it.
    pub fn get_or_make<Q>(&self, key: &Q) -> Option<KeyBreaker<K>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
    {
        self.find(key).map(KeyBreaker::new)
    }

    /// The breaker that all keys share for which there is no room: an ordinary one, with the same rules, and
    /// the name of this one and "/(other)". Keys that find it make room for nobody, so it is for a limit that
    /// is too low, or for a flood of keys that all fail.
    pub fn overflow(&self) -> &Breaker {
        &self.shared.overflow
    }

    /// Calls `each` for all keys, with no lock held. Keys that come or go meanwhile may be left out.
    pub fn for_each(&self, mut each: impl FnMut(&KeyBreaker<K>)) {
        self.shared.keys.for_each(|one| each(&KeyBreaker::new(one.clone())));
    }

    /// The keys that are not closed.
    pub fn abnormal(&self) -> Vec<KeyBreaker<K>> {
        let mut found = Vec::new();
        self.shared.keys.for_each(|one| {
            if one.value().machine.state() != State::Closed {
                found.push(KeyBreaker::new(one.clone()));
            }
        });
        found
    }

    /// Forgets what is idle now; inserts do it little by little anyway. Returns how many keys that were.
    pub fn sweep(&self) -> usize {
        self.shared.keys.sweep(clock::now())
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.shared.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.shared.keys.is_empty()
    }

    /// How many keys were forgotten.
    pub fn evictions(&self) -> Evictions {
        self.shared.keys.evictions()
    }

    /// The bounds.
    pub fn limits(&self) -> &Limits {
        self.shared.keys.limits()
    }

    /// Everything there is to see but the keys themselves: takes no longer for more keys.
    pub fn status(&self) -> KeyedStatus {
        self.shared.status()
    }

    /// The settings of every key.
    pub fn config(&self) -> Arc<Config> {
        self.shared.common.settings.config()
    }

    /// Changes the settings of all keys, and of [`overflow`](Self::overflow), while calls flow, as
    /// [`Breaker::reconfigure`] does: open keys stay open. Takes a look at each key.
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.reconfigure(config)
    }

    /// Says what happens to calls that are to be refused, of any key.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.shared.set_mode(mode)
    }

    /// Refuses every call of every key, of those too that come later, until [`release`](Self::release) or
    /// [`reset`](Self::reset). The keys' own states stay.
    pub fn isolate(&self) {
        self.shared.isolate(None);
    }

    /// Refuses every call of every key for this time, or until [`release`](Self::release) or
    /// [`reset`](Self::reset).
    pub fn isolate_for(&self, time: Duration) {
        self.shared.isolate(Some(time));
    }

    /// Ends every override: of all keys together, of each by itself, and of [`overflow`](Self::overflow).
    pub fn release(&self) {
        self.shared.release();
    }

    /// Closes all keys with empty windows, and [`overflow`](Self::overflow); ends every override.
    pub fn reset(&self) {
        self.shared.reset();
    }
}

impl<K> Clone for KeyedBreaker<K> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<K> fmt::Debug for KeyedBreaker<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { keys, common, .. } = &*self.shared;
        f.debug_struct("KeyedBreaker").field("name", &common.name).field("keys", keys).finish()
    }
}

crate::registry::handle!(KeyedBreaker<K: crate::keyed::Key>, Breaker);
crate::registry::new_in!(KeyedBreaker of Box<str>);
