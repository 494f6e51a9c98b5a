//! The keyed retry's handle.

use std::{
    borrow::Borrow,
    fmt,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use portcullis_core::{ConfigError, Mode, Name};

use super::{
    ByKey, Common, KeyedRetryBuilder, KeyedRetryStatus,
    one::{One, OneKey},
};
use crate::{
    RetryPolicy, clock,
    event::Event,
    keyed::{Evictions, Key, Keyed, Limits},
    retry::Config,
};

/// A retry policy per key: a cheap handle to shared state. Clones are the same policies. See the
/// [module](super).
pub struct KeyedRetry<K = Box<str>> {
    pub(super) shared: Arc<Shared<K>>,
}

pub(super) struct Shared<K> {
    pub(super) keys: Keyed<K, OneKey>,
    pub(super) common: Arc<Common>,
    pub(super) overflow: RetryPolicy,
    /// Held while all keys are told of new settings, so that nobody tells them of older ones.
    pub(super) telling: Mutex<()>,
}

impl KeyedRetry {
    /// A keyed retry for texts with the defaults, in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A keyed retry to be configured.
    pub fn builder(name: impl Into<Name>) -> KeyedRetryBuilder {
        KeyedRetryBuilder::new(name.into())
    }
}

impl<K> KeyedRetry<K> {
    /// The name.
    pub fn name(&self) -> &Name {
        &self.shared.common.name
    }

    /// The policies, picked by the key of a request: one of [`by`](crate::keyed::by), or a function that
    /// returns the key. For [`RetryLayer::by`](crate::RetryLayer::by). A request without a key is sent once.
    pub fn by<F>(&self, key_of: F) -> ByKey<K, F> {
        ByKey::new(self.clone(), key_of)
    }

    /// The policy that all keys share for which there is no room: an ordinary one, with the same rules, and
    /// the name of this one and "/(other)".
    pub fn overflow(&self) -> &RetryPolicy {
        &self.shared.overflow
    }

    /// The settings of every key.
    pub fn config(&self) -> Arc<Config> {
        self.shared.common.config.load()
    }

    /// Its last events; those of a key are [its own](RetryPolicy::recent_events).
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.common.emitter.recent()
    }
}

impl<K: Key> KeyedRetry<K> {
    /// The policy of a key, made if it is not there; that of [`overflow`](Self::overflow), when there is no
    /// room for it. While it is held, the key is not forgotten. It calls without tower, too.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), portcullis::BoxError> {
    /// use portcullis::{BoxError, retry::KeyedRetry};
    ///
    /// let hosts = KeyedRetry::new("upstream");
    /// let stock = hosts.policy("host-a").call(|_| async { Ok::<_, BoxError>(42) }).await?;
    /// assert_eq!((stock, &**hosts.policy("host-a").name()), (42, "upstream/host-a"));
    /// # Ok(()) }
    /// ```
    pub fn policy<Q>(&self, key: &Q) -> RetryPolicy
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
    {
        let Shared { keys, common, overflow, .. } = &*self.shared;
        let one = keys.get_or_insert_with(key, clock::coarse(), || OneKey::new(common)).into_entry();
        let policy = one.as_deref().and_then(|one| self.shared.policy_of(one));
        policy.unwrap_or(overflow).clone()
    }

    /// The policy of a key that is there. This does not count as use.
    pub fn get<Q>(&self, key: &Q) -> Option<RetryPolicy>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.shared.keys.get(key).and_then(|one| self.shared.policy_of(&one).cloned())
    }

    /// Calls `each` for all keys, with no lock held. Keys that come or go meanwhile may be left out.
    pub fn for_each(&self, mut each: impl FnMut(&K, &RetryPolicy)) {
        self.shared.keys.for_each(|one| {
            if let Some(policy) = one.value().made() {
                each(one.key(), policy);
            }
        });
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
    pub fn status(&self) -> KeyedRetryStatus {
        self.shared.status()
    }

    /// Changes the settings of all keys, and of [`overflow`](Self::overflow), while calls flow, as
    /// [`RetryPolicy::reconfigure`] does: budgets keep what was taken from them. Takes a look at each key.
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.update(|_| Ok(config))
    }

    /// Says whether calls are retried, or only counted, of any key.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.shared.update(|config| Ok(Config { mode, ..config.clone() }))
    }
}

impl<K: Key> Shared<K> {
    fn policy_of<'a>(&self, one: &'a One<K>) -> Option<&'a RetryPolicy> {
        let follow = |policy: &RetryPolicy| {
            let _telling = self.telling();
            policy.shared.follow(self.common.config.load())
        };
        // It cannot fail: the settings were checked. Nobody is left without a policy if it did.
        one.policy(follow).ok()
    }

    fn telling(&self) -> MutexGuard<'_, ()> {
        self.telling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&Config) -> Result<Config, ConfigError>) -> Result<(), ConfigError> {
        let telling = self.telling();
        // Until all keys have new settings, and dropped with no lock held: they may hold functions.
        let before = self.common.config.load();
        self.common.replace(change)?;
        let config = self.common.config.load();
        let mut told = self.overflow.shared.follow(config.clone());
        self.keys.for_each(|one| {
            if let Some(policy) = one.value().made() {
                told = told.clone().and(policy.shared.follow(config.clone()));
            }
        });
        drop(telling);
        drop(before);
        self.common.emitter.config_changed();
        told
    }
}

impl<K> Clone for KeyedRetry<K> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<K> fmt::Debug for KeyedRetry<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { keys, common, .. } = &*self.shared;
        f.debug_struct("KeyedRetry").field("name", &common.name).field("keys", keys).finish()
    }
}
