//! The keyed bulkhead's handle.

use std::{
    borrow::Borrow,
    fmt,
    future::{Future, poll_fn},
    hash::Hash,
    sync::Arc,
};

use portcullis_core::{ConfigError, Mode, Name, Rejection, bulkhead::keyed::Config};

use super::{
    KeyStatus, KeyedBulkheadBuilder, KeyedBulkheadStatus, KeyedBulkheadTicket,
    common::Common,
    one::{Met, OneKey, Owner},
};
use crate::{
    FromRejection, clock,
    event::Event,
    keyed::{Key, Keyed, Limits},
};

/// A bulkhead that many keys share: a cheap handle to shared state. Clones are the same bulkhead. See the
/// [module](super).
pub struct KeyedBulkhead<K = Box<str>> {
    pub(super) shared: Arc<Shared<K>>,
}

pub(super) struct Shared<K> {
    pub(super) keys: Keyed<K, OneKey>,
    pub(super) common: Arc<Common>,
    /// Of keys for which there is no room.
    pub(super) overflow: Arc<OneKey>,
    /// Of requests without a key.
    pub(super) keyless: Arc<OneKey>,
}

impl<K> Shared<K> {
    pub(super) fn update(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        self.common.semaphore.update(change)?;
        self.common.emitter.config_changed();
        Ok(())
    }
}

impl KeyedBulkhead {
    /// A keyed bulkhead for texts with the default [`Config`], in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A keyed bulkhead to be configured.
    pub fn builder(name: impl Into<Name>) -> KeyedBulkheadBuilder {
        KeyedBulkheadBuilder::new(name.into())
    }
}

impl<K> KeyedBulkhead<K> {
    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.common.emitter.name()
    }

    /// Whether any call that came now would be refused, whatever its key.
    pub fn is_refusing(&self) -> bool {
        self.shared.common.emitter.is_stopped() || self.is_full()
    }

    /// Whether there is neither a permit nor a place in the queue, for any key.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.shared.common.semaphore.is_refusing()
    }

    /// The settings.
    pub fn config(&self) -> Config {
        self.shared.common.semaphore.config()
    }

    /// Changes the settings while calls flow. Calls that run go on, even if a new limit is below what is held. Calls
    /// that wait keep their place, and go on at once if the new limits let them; each waits for as long as was said
    /// when it came. The queue may be made shorter than it is: it then takes nobody until it is, but in the place of
    /// another.
    ///
    /// ```
    /// use portcullis::{KeyedBulkhead, bulkhead::keyed::Config};
    ///
    /// let tenants = KeyedBulkhead::builder("tenants").overall(20).per_key(10).build()?;
    /// let running = tenants.try_admit_weighted("a", 8).unwrap();
    /// tenants.reconfigure(Config { overall: 9, per_key: Some(5), ..tenants.config() })?;
    /// assert!(tenants.try_admit("a").is_err());
    /// assert!(tenants.try_admit("b").is_ok());
    /// # drop(running);
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.update(|_| config)
    }

    /// Says how many permits there are for all keys, as [`reconfigure`](Self::reconfigure) does.
    ///
    /// # Errors
    ///
    /// When that is outside its range, or less than one key [may hold](Config::per_key).
    pub fn resize(&self, overall: u32) -> Result<(), ConfigError> {
        self.shared.update(|config| Config { overall, ..config.clone() })
    }

    /// Says whether calls are refused, or only counted. In shadow and when disabled, those that wait go on at once.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.shared.update(|config| Config { mode, ..config.clone() })
    }

    /// The keys for which there is no room: they count as one, "tenants/(other)".
    pub fn overflow(&self) -> KeyStatus {
        self.shared.overflow.status()
    }

    /// The requests without a key: they count as one, "tenants/(none)".
    pub fn keyless(&self) -> KeyStatus {
        self.shared.keyless.status()
    }

    /// Its last events, the youngest last; refusals are not among them.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.common.emitter.recent()
    }
}

impl<K: Key> KeyedBulkhead<K> {
    /// Takes a permit for a key that is free now; it is given back when the ticket is dropped.
    ///
    /// # Errors
    ///
    /// The rejection, when none is free, or the key has its share. This does not queue; [`admit`](Self::admit) does.
    pub fn try_admit<Q>(&self, key: &Q) -> Result<KeyedBulkheadTicket<K>, Rejection>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
    {
        self.try_admit_weighted(key, 1)
    }

    /// Takes so many permits for a key that are free now, all or none. At least one, and at most all that a key may
    /// hold: a call that asks for more is the only one of its key.
    ///
    /// # Errors
    ///
    /// The rejection, when they are not free, or the key has its share.
    pub fn try_admit_weighted<Q>(&self, key: &Q, permits: u32) -> Result<KeyedBulkheadTicket<K>, Rejection>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
    {
        let owner = self.owner(Some(key));
        owner.stopped()?;
        let OneKey { common, account, .. } = owner.one();
        match common.semaphore.take(account, permits) {
            Ok(taken) => Ok(KeyedBulkheadTicket::new(owner, taken)),
            Err(reason) => owner.refuse(permits, reason),
        }
    }

    /// Takes a permit for a key, waiting in the queue for it if need be. Dropping the future leaves the queue; a permit
    /// that it was just given goes to who is next.
    ///
    /// # Errors
    ///
    /// The rejection, when the queue is full and the key has its part of it, when a key with less in it takes the place,
    /// or when the longest wait is over.
    pub async fn admit<Q>(&self, key: &Q) -> Result<KeyedBulkheadTicket<K>, Rejection>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
    {
        self.admit_weighted(key, 1).await
    }

    /// The same with so many permits, as for [`try_admit_weighted`](Self::try_admit_weighted).
    ///
    /// # Errors
    ///
    /// As for [`admit`](Self::admit).
    pub async fn admit_weighted<Q>(&self, key: &Q, permits: u32) -> Result<KeyedBulkheadTicket<K>, Rejection>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
    {
        match self.owner(Some(key)).enter(permits)? {
            Met::Admitted(ticket) => Ok(ticket),
            Met::Waiting(mut waiting) => poll_fn(|cx| waiting.poll(cx)).await,
        }
    }

    /// Runs `call` once there is a permit for its key. Dropping the future gives the permit back, or leaves the queue.
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
        let _ticket = self.admit(key).await.map_err(E::from_rejection)?;
        call().await
    }

    /// Whose permits a call takes: its key's, made if it is not there.
    #[inline]
    pub(super) fn owner<Q>(&self, key: Option<&Q>) -> Owner<K>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
    {
        let Shared { keys, common, overflow, keyless } = &*self.shared;
        let Some(key) = key else { return Owner::Others(keyless.clone()) };
        let one = keys.get_or_insert_with(key, clock::coarse(), || OneKey::new(common)).into_entry();
        one.map_or_else(|| Owner::Others(overflow.clone()), Owner::Key)
    }

    /// A key that is there. This does not count as use.
    pub fn get<Q>(&self, key: &Q) -> Option<KeyStatus>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.shared.keys.get(key).map(|one| one.value().status())
    }

    /// Calls `each` for all keys, with no lock held. Keys that come or go meanwhile may be left out.
    pub fn for_each(&self, mut each: impl FnMut(&K, KeyStatus)) {
        self.shared.keys.for_each(|one| each(one.key(), one.value().status()));
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

    /// The bounds.
    pub fn limits(&self) -> &Limits {
        self.shared.keys.limits()
    }

    /// Everything there is to see but the keys themselves: takes no longer for more keys.
    pub fn status(&self) -> KeyedBulkheadStatus {
        self.shared.status()
    }
}

impl<K> Clone for KeyedBulkhead<K> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<K> fmt::Debug for KeyedBulkhead<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedBulkhead").field("name", self.name()).field("keys", &self.shared.keys).finish()
    }
}

crate::registry::handle!(KeyedBulkhead<K: crate::keyed::Key>, Bulkhead);
crate::registry::new_in!(KeyedBulkhead of Box<str>);
