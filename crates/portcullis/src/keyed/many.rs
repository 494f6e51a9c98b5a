//! A policy per key: what is the same for every kind of policy whose keys are policies themselves.

use std::{
    borrow::Borrow,
    hash::Hash,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{Ordering::SeqCst, fence},
    },
};

use portcullis_core::{ConfigError, Name, Time};

use super::{Entry, Key, Keyed, KeyedValue, Limits, family::Family};
use crate::clock;

/// A policy of which there is one for each key. All share what is the same for all.
pub(crate) trait OfMany: Clone + Send + Sync + 'static {
    /// What they share: their settings, and what is told of all of them.
    type Common: Family;

    /// One, in no registry.
    fn of_many(name: Name, common: &Arc<Self::Common>) -> Result<Self, ConfigError>;

    /// Goes on with the settings of all.
    fn follow(&self) -> Result<(), ConfigError>;

    /// See [`KeyedValue::may_go`].
    fn may_go(&self, now: Time, idle: bool) -> bool;
}

/// The policies.
pub(crate) struct Many<K, P: OfMany> {
    pub(crate) keys: Keyed<K, One<P>>,
    pub(crate) common: Arc<P::Common>,
    /// That of the keys for which there is no room; an ordinary one.
    pub(crate) overflow: P,
    /// Held while all keys are told of new settings, so that nobody tells them of older ones.
    telling: Mutex<()>,
}

/// The policy of a key, made by who first asks for it: it is named by the key.
pub(crate) struct One<P: OfMany> {
    common: Arc<P::Common>,
    made: OnceLock<P>,
}

impl<K: Key, P: OfMany> Many<K, P> {
    /// None yet.
    pub(crate) fn new(limits: Limits, common: Arc<P::Common>, overflow: P) -> Result<Self, ConfigError> {
        Ok(Self { keys: Keyed::new(limits)?, common, overflow, telling: Mutex::new(()) })
    }

    fn telling(&self) -> MutexGuard<'_, ()> {
        self.telling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The policy of a key, made if it is not there; that of the overflow, when there is no room for it.
    #[inline]
    pub(crate) fn policy<Q>(&self, key: &Q) -> P
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
    {
        let new = || One { common: self.common.clone(), made: OnceLock::new() };
        let one = self.keys.get_or_insert_with(key, clock::coarse(), new).into_entry();
        one.as_deref().and_then(|one| self.policy_of(one)).unwrap_or(&self.overflow).clone()
    }

    /// The policy of a key, made if it is not there; none, when there is no room for it.
    pub(crate) fn policy_of_key(&self, key: K) -> Option<P> {
        let new = || One { common: self.common.clone(), made: OnceLock::new() };
        let one = self.keys.get_or_put(key, clock::coarse(), new).into_entry()?;
        self.policy_of(&one).cloned()
    }

    /// The policy of a key that is there.
    pub(crate) fn get<Q>(&self, key: &Q) -> Option<P>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.keys.get(key).and_then(|one| self.policy_of(&one).cloned())
    }

    /// Calls `each` for all that were asked for, with no lock of the map held.
    pub(crate) fn for_each(&self, mut each: impl FnMut(&K, &P)) {
        self.keys.for_each(|one| {
            if let Some(policy) = one.value().made.get() {
                each(one.key(), policy);
            }
        });
    }

    /// Changes the settings of all by `change`, and lets the keys follow. The overflow is for `change` to see to.
    pub(crate) fn update(&self, change: impl FnOnce() -> Result<(), ConfigError>) -> Result<(), ConfigError> {
        let _telling = self.telling();
        change()?;
        // With the fence of `make`: the key is seen here, or the change there, or both.
        fence(SeqCst);
        let mut told = Ok(());
        self.for_each(|_, policy| told = told.clone().and(policy.follow()));
        told
    }

    #[inline]
    fn policy_of<'a>(&self, one: &'a Entry<K, One<P>>) -> Option<&'a P> {
        match one.value().made.get() {
            Some(policy) => Some(policy),
            // It cannot fail: the settings were checked. Nobody is left without a policy if it did.
            None => self.make(one).ok(),
        }
    }

    #[cold]
    #[inline(never)]
    fn make<'a>(&self, one: &'a Entry<K, One<P>>) -> Result<&'a P, ConfigError> {
        let One { common, made } = one.value();
        let version = common.version();
        let name = Name::from(format!("{}/{}", common.emitter().name(), one.key()));
        let policy = P::of_many(name, common)?;
        let policy = made.get_or_init(|| policy);
        // Who changed the settings since may have looked at this key before it had a policy.
        fence(SeqCst);
        if common.version() != version {
            let _telling = self.telling();
            policy.follow()?;
        }
        Ok(policy)
    }
}

impl<P: OfMany> KeyedValue for One<P> {
    fn may_go(&self, now: Time, idle: bool) -> bool {
        self.made.get().is_none_or(|policy| policy.may_go(now, idle))
    }
}
