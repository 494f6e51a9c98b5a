//! The keyed hedge's handle.

use std::{borrow::Borrow, fmt, hash::Hash, sync::Arc};

use portcullis_core::{ConfigError, Mode, Name, PolicyKind, retry::BudgetConfig};

use super::{ByKey, KeyedHedgeBuilder, KeyedHedgeStatus};
use crate::{
    Hedge, RetryBudget,
    alarm::Lines,
    clock,
    event::Event,
    hedge::{Config, policy::Counts},
    keyed::{
        Evictions, Key, Limits,
        budgeted::{Budgeted, Common},
        many::Many,
    },
};

/// A hedge per key: a cheap handle to shared state. Clones are the same hedges. See the
/// [module](super).
pub struct KeyedHedge<K = Box<str>> {
    pub(super) shared: Arc<Shared<K>>,
}

pub(super) type Shared<K> = Many<K, Hedge>;

impl KeyedHedge {
    /// A keyed hedge for texts with the defaults, in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A keyed hedge to be configured.
    pub fn builder(name: impl Into<Name>) -> KeyedHedgeBuilder {
        KeyedHedgeBuilder::new(name.into())
    }
}

impl<K> KeyedHedge<K> {
    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.common.emitter.name()
    }

    /// The policies, picked by the key of a request: one of [`by`](crate::keyed::by), or a function that
    /// returns the key. For [`HedgeLayer::by`](crate::HedgeLayer::by). A request without a key is sent once.
    pub fn by<F>(&self, key_of: F) -> ByKey<K, F> {
        ByKey::new(self.clone(), key_of)
    }

    /// The policy that all keys share for which there is no room: an ordinary one, with the same rules, and
    /// the name of this one and "/(other)".
    pub fn overflow(&self) -> &Hedge {
        &self.shared.overflow
    }

    /// The settings of every key.
    pub fn config(&self) -> Arc<Config> {
        self.shared.common.config.load()
    }

    /// Its last events; those of a key are [its own](Hedge::recent_events).
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.common.emitter.recent()
    }
}

impl<K: Key> KeyedHedge<K> {
    /// The policy of a key, made if it is not there; that of [`overflow`](Self::overflow), when there is no
    /// room for it. While it is held, the key is not forgotten. It calls without tower, too.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), portcullis::BoxError> {
    /// use portcullis::{BoxError, hedge::KeyedHedge};
    ///
    /// let hosts = KeyedHedge::new("upstream");
    /// let stock = hosts.policy("host-a").call(|_| async { Ok::<_, BoxError>(42) }).await?;
    /// assert_eq!((stock, &**hosts.policy("host-a").name()), (42, "upstream/host-a"));
    /// # Ok(()) }
    /// ```
    pub fn policy<Q>(&self, key: &Q) -> Hedge
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
    {
        self.shared.policy(key)
    }

    /// The policy of a key that is there. This does not count as use.
    pub fn get<Q>(&self, key: &Q) -> Option<Hedge>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.shared.get(key)
    }

    /// Calls `each` for all keys, with no lock held. Keys that come or go meanwhile may be left out.
    pub fn for_each(&self, each: impl FnMut(&K, &Hedge)) {
        self.shared.for_each(each);
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
    pub fn status(&self) -> KeyedHedgeStatus {
        self.shared.status()
    }

    /// Changes the settings of all keys, and of [`overflow`](Self::overflow), while calls flow, as
    /// [`Hedge::reconfigure`] does: budgets keep what was taken from them. Takes a look at each key.
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.reconfigure(|_| Ok(config))
    }

    /// Says whether hedges are sent, or only counted, of any key.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.shared.reconfigure(|config| Ok(Config { mode, ..config.clone() }))
    }
}

impl Budgeted for Hedge {
    const KIND: PolicyKind = PolicyKind::Hedge;
    type Config = Config;
    type Counts = Counts;
    type Besides = Arc<Lines>;

    fn check(config: &Config) -> Result<(), ConfigError> {
        config.check()
    }

    fn budget_of(config: &Config) -> BudgetConfig {
        config.budget
    }

    fn one_of_many(name: Name, common: &Arc<Common<Self>>) -> Result<Self, ConfigError> {
        Self::one_of(name, common)
    }

    fn common(&self) -> Option<&Arc<Common<Self>>> {
        self.shared.many.as_ref()
    }

    fn take(&self, config: Arc<Config>) -> Result<(), ConfigError> {
        self.shared.take(config)
    }

    fn its_budget(&self) -> &RetryBudget {
        self.budget()
    }

    fn is_shared(&self) -> bool {
        self.shared.is_shared()
    }
}

impl<K> Clone for KeyedHedge<K> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<K> fmt::Debug for KeyedHedge<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Many { keys, common, .. } = &*self.shared;
        f.debug_struct("KeyedHedge").field("name", common.emitter.name()).field("keys", keys).finish()
    }
}

crate::registry::handle!(KeyedHedge<K: crate::keyed::Key>, Hedge);
crate::registry::new_in!(KeyedHedge of Box<str>);

impl<K: crate::keyed::Key> crate::registry::Member for KeyedHedge<K> {
    fn member(&self) -> Option<(portcullis_core::Name, std::sync::Weak<dyn crate::registry::Policy>)> {
        Some((self.name().clone(), Arc::downgrade(&self.shared) as _))
    }
}
