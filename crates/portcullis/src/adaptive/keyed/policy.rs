//! The keyed adaptive limit's handle.

use std::{
    borrow::Borrow,
    fmt,
    hash::Hash,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use portcullis_core::{ConfigError, Mode, Name, PolicyKind, health::Level};

use super::{ByKey, KeyedAdaptiveLimitBuilder};
use crate::{
    adaptive::{AdaptiveLimit, AdaptiveLimitStatus, Config, measure},
    clock,
    event::{Emitter, Event},
    keyed::{Evictions, Key, Limits, many::Many},
    metrics::Measures,
    registry::{Action, Policy, Snapshot},
    restart::{Kept, Saved},
};

/// An adaptive limit per key: a cheap handle to shared state. Clones are the same limits.
///
/// For keys that are dependencies of their own, such as the hosts behind one client: what is too much for one says
/// nothing about the others. Each key begins with [`initial`](crate::adaptive::Config::initial), and learns from its own
/// calls alone; a key with a few calls a second learns little.
///
/// At most [`max_keys`](KeyedAdaptiveLimitBuilder::max_keys) are kept. A key is forgotten when it was not used for
/// [`idle_after`](KeyedAdaptiveLimitBuilder::idle_after), or its place is wanted, but not while calls of it are in
/// flight, and for a place that is wanted not while its limit is lower than at first; see
/// [`keyed`](crate::keyed#who-goes). Keys for which there is no room share one limit, [`overflow`](Self::overflow).
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), portcullis::BoxError> {
/// use portcullis::{AdaptiveLimitLayer, BoxError, KeyedAdaptiveLimit, keyed::by};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// let hosts = KeyedAdaptiveLimit::builder("upstream").between(2, 200).build()?;
/// let service = ServiceBuilder::new()
///     .layer(AdaptiveLimitLayer::by(hosts.by(by::text(|host: &String| Some(host)))))
///     .service(service_fn(|host: String| async move { Ok::<_, BoxError>(host) }));
///
/// service.clone().oneshot("a".to_owned()).await?;
/// service.clone().oneshot("b".to_owned()).await?;
/// assert_eq!(hosts.limit("a").status().successes, 1);
/// # Ok(()) }
/// ```
pub struct KeyedAdaptiveLimit<K = Box<str>> {
    pub(super) shared: Arc<Many<K, AdaptiveLimit>>,
}

/// A keyed adaptive limit at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct KeyedAdaptiveLimitStatus {
    /// How many keys there are.
    pub keys: usize,
    /// How many there may be.
    pub max_keys: usize,
    /// How many were forgotten.
    pub evictions: Evictions,
    /// How often there was no room for a key.
    pub overflows: u64,
    /// Calls of any key that were refused, of those too that are forgotten.
    pub rejected: u64,
    /// Calls of any key that would have been, but for the mode.
    pub shadowed: u64,
    /// The limit of the keys without room.
    pub overflow: AdaptiveLimitStatus,
}

impl KeyedAdaptiveLimit {
    /// A keyed adaptive limit for texts with the defaults, in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A keyed adaptive limit to be configured.
    pub fn builder(name: impl Into<Name>) -> KeyedAdaptiveLimitBuilder {
        KeyedAdaptiveLimitBuilder::new(name.into())
    }
}

impl<K> KeyedAdaptiveLimit<K> {
    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.common.emitter.name()
    }

    /// The limits, picked by the key of a request: one of [`by`](crate::keyed::by), or a function that returns the
    /// key. For [`AdaptiveLimitLayer::by`](crate::AdaptiveLimitLayer::by). A request without a key is let through.
    pub fn by<F>(&self, key_of: F) -> ByKey<K, F> {
        ByKey::new(self.clone(), key_of)
    }

    /// The limit that all keys share for which there is no room: an ordinary one, with the same rules, and the name
    /// of this one and "/(other)".
    pub fn overflow(&self) -> &AdaptiveLimit {
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

impl<K: Key> KeyedAdaptiveLimit<K> {
    /// The limit of a key, made if it is not there; that of [`overflow`](Self::overflow), when there is no room for
    /// it. While it is held, the key is not forgotten.
    pub fn limit<Q>(&self, key: &Q) -> AdaptiveLimit
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
    {
        self.shared.policy(key)
    }

    /// The limit of a key that is there. This does not count as use.
    pub fn get<Q>(&self, key: &Q) -> Option<AdaptiveLimit>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.shared.get(key)
    }

    /// Calls `each` for all keys, with no lock held. Keys that come or go meanwhile may be left out.
    pub fn for_each(&self, each: impl FnMut(&K, &AdaptiveLimit)) {
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

    /// The bounds.
    pub fn limits(&self) -> &Limits {
        self.shared.keys.limits()
    }

    /// Everything there is to see but the keys themselves: takes no longer for more keys.
    pub fn status(&self) -> KeyedAdaptiveLimitStatus {
        status(&self.shared)
    }

    /// Changes the settings of all keys, and of [`overflow`](Self::overflow), while calls flow, as
    /// [`AdaptiveLimit::reconfigure`] does. Takes a look at each key.
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        change(&self.shared, |_| config)
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

fn change<K: Key>(
    all: &Many<K, AdaptiveLimit>,
    change: impl FnOnce(&Config) -> Config,
) -> Result<(), ConfigError> {
    let Many { common, overflow, .. } = all;
    let take = |config: &Config| overflow.shared.take_over(|_| config.clone()).map(|_| ());
    all.update(|| common.replace(change, take))?;
    common.emitter.config_changed();
    Ok(())
}

fn status<K: Key>(limits: &Many<K, AdaptiveLimit>) -> KeyedAdaptiveLimitStatus {
    let Many { keys, common, overflow, .. } = limits;
    KeyedAdaptiveLimitStatus {
        keys: keys.len(),
        max_keys: keys.limits().max_keys,
        evictions: keys.evictions(),
        overflows: keys.overflows(),
        rejected: common.refused(),
        shadowed: common.shadowed.load(Relaxed),
        overflow: overflow.status(),
    }
}

impl<K: Key> Policy for Many<K, AdaptiveLimit> {
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        Some(portcullis_core::pipeline::Facts::from(&*self.common.config.load()).by_key())
    }

    fn snapshot(&self) -> Snapshot {
        let status = status(self);
        let values = vec![
            ("mode", self.common.config.load().mode.as_str().into()),
            ("rejected", status.rejected.into()),
            ("shadowed", status.shadowed.into()),
            ("entries", (status.keys as u64).into()),
            ("max_keys", (status.max_keys as u64).into()),
            ("evicted_idle", status.evictions.idle.into()),
            ("evicted_full", status.evictions.full.into()),
            ("overflows", status.overflows.into()),
        ];
        // What one key is refused is no matter for the whole service.
        let (kind, level) = (PolicyKind::AdaptiveLimit, Level::Healthy);
        let name = self.common.emitter.name().clone();
        self.common.emitter.marked(Snapshot { name, kind, state: "active", level, values })
    }

    /// No series per key: their number is up to who sends the requests.
    fn measure(&self, into: &mut dyn Measures) {
        measure::refused(&self.common, into);
        self.keys.measure(into);
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Isolate, Action::Release, Action::Mode]
    }

    fn mode(&self) -> Option<Mode> {
        Some(self.common.config.load().mode)
    }

    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        change(self, |config| Config { mode, ..config.clone() })
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.common.emitter)
    }

    fn save(&self, into: &mut Saved) {
        self.common.emitter.save(into);
        self.save_keys(into, |limit, into| limit.shared.save_limit(into));
    }

    fn resume(&self, from: &Kept<'_>) -> bool {
        let stopped = self.common.emitter.resume(from).is_some();
        self.resume_keys(from, |limit, from| limit.shared.resume_limit(from)) || stopped
    }
}

impl<K> Clone for KeyedAdaptiveLimit<K> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<K> fmt::Debug for KeyedAdaptiveLimit<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedAdaptiveLimit")
            .field("name", self.name())
            .field("keys", &self.shared.keys)
            .finish()
    }
}

crate::registry::handle!(KeyedAdaptiveLimit<K: crate::keyed::Key>, AdaptiveLimit);
crate::registry::new_in!(KeyedAdaptiveLimit of Box<str>);

impl<K: crate::keyed::Key> crate::registry::Member for KeyedAdaptiveLimit<K> {
    fn member(&self) -> Option<(portcullis_core::Name, std::sync::Weak<dyn crate::registry::Policy>)> {
        Some((self.name().clone(), Arc::downgrade(&self.shared) as _))
    }
}
