//! The keyed rate limit's handle.

use std::{
    borrow::Borrow,
    fmt,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
};

use portcullis_core::{ConfigError, Mode, Name, PolicyKind, health::Level};

use super::{
    ByKey, KeyedRateLimitBuilder,
    one::{One, OneKey},
};
use crate::{
    clock,
    event::{Emitter, Event},
    keyed::{Evictions, Key, Keyed, Limits},
    metrics::Measures,
    rate::{Config, RateLimit, RateLimitStatus, common::Common, measure, saved},
    registry::{Action, Policy, Snapshot},
    restart::{Kept, Saved, keys},
};

/// A rate limit per key: a cheap handle to shared state. Clones are the same limits.
///
/// At most [`max_keys`](KeyedRateLimitBuilder::max_keys) are kept. A key is forgotten when its place is wanted or it
/// was not used for [`idle_after`](KeyedRateLimitBuilder::idle_after), but not before all its permits are there
/// again, so that a flood of keys gives nobody new ones; see [`keyed`](crate::keyed#who-goes). Keys for which there
/// is no room share one limit, [`overflow`](Self::overflow).
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), portcullis::BoxError> {
/// use portcullis::{BoxError, RateLimitLayer, keyed::by, rate::KeyedRateLimit};
/// use std::time::Duration;
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// let tenants = KeyedRateLimit::builder("tenants").rate(1, Duration::from_secs(1)).build()?;
/// let service = ServiceBuilder::new()
///     .layer(RateLimitLayer::by(tenants.by(by::text(|tenant: &String| Some(tenant)))))
///     .service(service_fn(|tenant: String| async move { Ok::<_, BoxError>(tenant) }));
///
/// service.clone().oneshot("a".to_owned()).await?;
/// service.clone().oneshot("a".to_owned()).await.unwrap_err();
/// service.clone().oneshot("b".to_owned()).await?;
/// assert_eq!(tenants.status().rejected, 1);
/// # Ok(()) }
/// ```
pub struct KeyedRateLimit<K = Box<str>> {
    pub(super) shared: Arc<Shared<K>>,
}

pub(super) struct Shared<K> {
    pub(super) keys: Keyed<K, OneKey>,
    pub(super) common: Arc<Common>,
    pub(super) overflow: RateLimit,
    /// Held while all keys are told of new settings, so that nobody tells them of older ones.
    pub(super) telling: Mutex<()>,
}

/// A keyed rate limit at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyedRateLimitStatus {
    /// How many keys there are.
    pub keys: usize,
    /// How many there may be.
    pub max_keys: usize,
    /// How many were forgotten.
    pub evictions: Evictions,
    /// How often there was no room for a key.
    pub overflows: u64,
    /// Calls of any key that have waited, of those too that are forgotten.
    pub waited: u64,
    /// Calls of any key that were refused.
    pub rejected: u64,
    /// Calls of any key that would have been, but for the mode.
    pub shadowed: u64,
    /// The limit of the keys without room.
    pub overflow: RateLimitStatus,
}

impl KeyedRateLimit {
    /// A keyed rate limit for texts with the defaults, in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A keyed rate limit to be configured.
    pub fn builder(name: impl Into<Name>) -> KeyedRateLimitBuilder {
        KeyedRateLimitBuilder::new(name.into())
    }
}

impl<K> KeyedRateLimit<K> {
    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.common.emitter.name()
    }

    /// The limits, picked by the key of a request: one of [`by`](crate::keyed::by), or a function that returns the
    /// key. For [`RateLimitLayer::by`](crate::RateLimitLayer::by). A request without a key is let through.
    pub fn by<F>(&self, key_of: F) -> ByKey<K, F> {
        ByKey::new(self.clone(), key_of)
    }

    /// The limit that all keys share for which there is no room: an ordinary one, with the same rules, and the name
    /// of this one and "/(other)".
    pub fn overflow(&self) -> &RateLimit {
        &self.shared.overflow
    }

    /// The settings of every key.
    pub fn config(&self) -> Arc<Config> {
        self.shared.common.config.load()
    }

    /// Its last events.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.common.emitter.recent()
    }
}

impl<K: Key> KeyedRateLimit<K> {
    /// The limit of a key, made if it is not there; that of [`overflow`](Self::overflow), when there is no room for
    /// it. While it is held, the key is not forgotten.
    pub fn limit<Q>(&self, key: &Q) -> RateLimit
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
    {
        let Shared { keys, common, overflow, .. } = &*self.shared;
        let one = keys.get_or_insert_with(key, clock::coarse(), || OneKey::new(common)).into_entry();
        one.as_deref().and_then(|one| self.shared.limit_of(one)).unwrap_or(overflow).clone()
    }

    /// The limit of a key that is there. This does not count as use.
    pub fn get<Q>(&self, key: &Q) -> Option<RateLimit>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.shared.keys.get(key).and_then(|one| self.shared.limit_of(&one).cloned())
    }

    /// Calls `each` for all keys, with no lock held. Keys that come or go meanwhile may be left out.
    pub fn for_each(&self, mut each: impl FnMut(&K, &RateLimit)) {
        self.shared.keys.for_each(|one| {
            if let Some(limit) = one.value().made() {
                each(one.key(), limit);
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

    /// The bounds.
    pub fn limits(&self) -> &Limits {
        self.shared.keys.limits()
    }

    /// Everything there is to see but the keys themselves: takes no longer for more keys.
    pub fn status(&self) -> KeyedRateLimitStatus {
        self.shared.status()
    }

    /// Changes the settings of all keys, and of [`overflow`](Self::overflow), while calls flow, as
    /// [`RateLimit::reconfigure`] does. Takes a look at each key.
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.update(|_| config)
    }

    /// Says whether calls are refused, or only counted, of any key.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.shared.set_mode(mode)
    }
}

impl<K: Key> Shared<K> {
    fn limit_of<'a>(&self, one: &'a One<K>) -> Option<&'a RateLimit> {
        let follow = |limit: &RateLimit| {
            let _telling = self.telling();
            limit.shared.limiter.reconfigure(&self.common.config.load(), clock::now())
        };
        // It cannot fail: the settings were checked. Nobody is left without a limit if it did.
        one.limit(follow).ok()
    }

    fn telling(&self) -> MutexGuard<'_, ()> {
        self.telling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        let telling = self.telling();
        self.common.config.update(|before| {
            let config = change(before);
            config.check()?;
            Ok(config)
        })?;
        let config = self.common.config.load();
        let mut told = self.overflow.shared.take_over(|_| (*config).clone());
        self.keys.for_each(|one| {
            if let Some(limit) = one.value().made() {
                told = told.clone().and(limit.shared.limiter.reconfigure(&config, clock::now()));
            }
        });
        // Who hears of it may change it again, or ask for a new key.
        drop(telling);
        self.overflow.shared.common.emitter.config_changed();
        self.common.emitter.config_changed();
        told
    }

    fn status(&self) -> KeyedRateLimitStatus {
        let Self { keys, common, overflow, .. } = self;
        KeyedRateLimitStatus {
            keys: keys.len(),
            max_keys: keys.limits().max_keys,
            evictions: keys.evictions(),
            overflows: keys.overflows(),
            waited: common.waited.load(Relaxed),
            rejected: common.refused(),
            shadowed: common.shadowed.load(Relaxed),
            overflow: overflow.status(),
        }
    }
}

impl<K: Key> Policy for Shared<K> {
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        Some(portcullis_core::pipeline::Facts::from(&*self.common.config.load()).by_key())
    }

    fn snapshot(&self) -> Snapshot {
        let status = self.status();
        let values = vec![
            ("mode", self.common.config.load().mode.as_str().into()),
            ("waited", status.waited.into()),
            ("rejected", status.rejected.into()),
            ("shadowed", status.shadowed.into()),
            ("entries", (status.keys as u64).into()),
            ("max_keys", (status.max_keys as u64).into()),
            ("evicted_idle", status.evictions.idle.into()),
            ("evicted_full", status.evictions.full.into()),
            ("overflows", status.overflows.into()),
        ];
        // What one key has spent is no matter for the whole service.
        let (kind, level) = (PolicyKind::RateLimit, Level::Healthy);
        let name = self.common.emitter.name().clone();
        self.common.emitter.marked(Snapshot { name, kind, state: "active", level, values })
    }

    /// No series per key: their number is up to who sends the requests.
    fn measure(&self, into: &mut dyn Measures) {
        measure::rejected(&self.common, into);
        self.keys.measure(into);
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Isolate, Action::Release, Action::Mode]
    }

    fn mode(&self) -> Option<Mode> {
        Some(self.common.config.load().mode)
    }

    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.update(|config| Config { mode, ..config.clone() })
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.common.emitter)
    }

    fn save(&self, into: &mut Saved) {
        self.common.emitter.save(into);
        self.keys.for_each(|one| {
            if let Some(limit) = one.value().made() {
                keys::save(into, one.key(), |into| saved::save(&limit.shared.limiter, into));
            }
        });
    }

    fn resume(&self, from: &Kept<'_>) -> bool {
        let stopped = self.common.emitter.resume(from).is_some();
        let resume = |(key, kept)| {
            let new = || OneKey::new(&self.common);
            let one = self.keys.get_or_put(key, clock::coarse(), new).into_entry()?;
            Some(saved::resume(&self.limit_of(&one)?.shared.limiter, &kept))
        };
        // All of them, and not until the first.
        let keys = keys::kept(from).filter_map(resume).filter(|resumed| *resumed).count();
        stopped || keys > 0
    }
}

impl<K> Clone for KeyedRateLimit<K> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<K> fmt::Debug for KeyedRateLimit<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedRateLimit").field("name", self.name()).field("keys", &self.shared.keys).finish()
    }
}

crate::registry::handle!(KeyedRateLimit<K: crate::keyed::Key>, RateLimit);
crate::registry::new_in!(KeyedRateLimit of Box<str>);

impl<K: crate::keyed::Key> crate::registry::Member for KeyedRateLimit<K> {
    fn member(&self) -> Option<(portcullis_core::Name, std::sync::Weak<dyn crate::registry::Policy>)> {
        Some((self.name().clone(), Arc::downgrade(&self.shared) as _))
    }
}
