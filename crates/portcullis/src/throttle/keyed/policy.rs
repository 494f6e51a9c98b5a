//! The keyed throttle's handle.

use std::{
    borrow::Borrow,
    fmt,
    hash::Hash,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use portcullis_core::{ConfigError, Mode, Name, PolicyKind, health::Level};

use super::{ByKey, KeyedThrottleBuilder};
use crate::{
    clock,
    event::{Emitter, Event},
    keyed::{Evictions, Key, Limits, many::Many},
    metrics::Measures,
    registry::{Action, Policy, Snapshot},
    restart::{Kept, Saved},
    throttle::{Config, Throttle, ThrottleStatus, measure},
};

/// A throttle per key: a cheap handle to shared state. Clones are the same throttles.
///
/// By backend, each is held back from by itself; by [priority](crate::Priority), each class by what happens to its
/// own, as *Site Reliability Engineering* has it.
///
/// At most [`max_keys`](KeyedThrottleBuilder::max_keys) are kept. A key is forgotten when its place is wanted or it
/// was not used for [`idle_after`](KeyedThrottleBuilder::idle_after), but not while anything in its window was not
/// accepted, so that a flood of keys frees nobody; see [`keyed`](crate::keyed#who-goes). Keys for which there is no
/// room share one throttle, [`overflow`](Self::overflow).
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), portcullis::BoxError> {
/// use portcullis::{BoxError, Priority, ThrottleLayer, throttle::KeyedThrottle};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// let classes = KeyedThrottle::builder("search").keys::<Priority>().build()?;
/// let service = ServiceBuilder::new()
///     .layer(ThrottleLayer::by(classes.by(|class: &Priority| Some(*class))))
///     .service(service_fn(|class: Priority| async move { Ok::<_, BoxError>(class) }));
///
/// service.clone().oneshot(Priority::High).await?;
/// service.clone().oneshot(Priority::Low).await?;
/// assert_eq!(classes.throttle(&Priority::High).status().accepted, 1);
/// # Ok(()) }
/// ```
pub struct KeyedThrottle<K = Box<str>> {
    pub(super) shared: Arc<Many<K, Throttle>>,
}

/// A keyed throttle at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct KeyedThrottleStatus {
    /// How many keys there are.
    pub keys: usize,
    /// How many there may be.
    pub max_keys: usize,
    /// How many were forgotten.
    pub evictions: Evictions,
    /// How often there was no room for a key.
    pub overflows: u64,
    /// Calls of any key that were held back, of those too that are forgotten.
    pub rejected: u64,
    /// Calls of any key that would have been, but for the mode.
    pub shadowed: u64,
    /// The throttle of the keys without room.
    pub overflow: ThrottleStatus,
}

impl KeyedThrottle {
    /// A keyed throttle for texts with the defaults, in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A keyed throttle to be configured.
    pub fn builder(name: impl Into<Name>) -> KeyedThrottleBuilder {
        KeyedThrottleBuilder::new(name.into())
    }
}

impl<K> KeyedThrottle<K> {
    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.common.emitter.name()
    }

    /// The throttles, picked by the key of a request: one of [`by`](crate::keyed::by), or a function that returns the
    /// key. For [`ThrottleLayer::by`](crate::ThrottleLayer::by). A request without a key is let through.
    pub fn by<F>(&self, key_of: F) -> ByKey<K, F> {
        ByKey::new(self.clone(), key_of)
    }

    /// The throttle that all keys share for which there is no room: an ordinary one, with the same rules, and the name
    /// of this one and "/(other)".
    pub fn overflow(&self) -> &Throttle {
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

impl<K: Key> KeyedThrottle<K> {
    /// The throttle of a key, made if it is not there; that of [`overflow`](Self::overflow), when there is no room for
    /// it. While it is held, the key is not forgotten.
    pub fn throttle<Q>(&self, key: &Q) -> Throttle
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
    {
        self.shared.policy(key)
    }

    /// The throttle of a key that is there. This does not count as use.
    pub fn get<Q>(&self, key: &Q) -> Option<Throttle>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.shared.get(key)
    }

    /// Calls `each` for all keys, with no lock held. Keys that come or go meanwhile may be left out.
    pub fn for_each(&self, each: impl FnMut(&K, &Throttle)) {
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
    pub fn status(&self) -> KeyedThrottleStatus {
        status(&self.shared)
    }

    /// Changes the settings of all keys, and of [`overflow`](Self::overflow), while calls flow, as
    /// [`Throttle::reconfigure`] does. Takes a look at each key.
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        change(&self.shared, |_| config)
    }

    /// Says whether calls are held back, or only counted, of any key.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.shared.set_mode(mode)
    }
}

fn change<K: Key>(
    all: &Many<K, Throttle>,
    change: impl FnOnce(&Config) -> Config,
) -> Result<(), ConfigError> {
    let Many { common, overflow, .. } = all;
    all.update(|| common.replace(change, |config| overflow.shared.take_over(|_| config.clone())))?;
    common.emitter.config_changed();
    Ok(())
}

fn status<K: Key>(throttles: &Many<K, Throttle>) -> KeyedThrottleStatus {
    let Many { keys, common, overflow, .. } = throttles;
    KeyedThrottleStatus {
        keys: keys.len(),
        max_keys: keys.limits().max_keys,
        evictions: keys.evictions(),
        overflows: keys.overflows(),
        rejected: common.rejected.load(Relaxed),
        shadowed: common.shadowed.load(Relaxed),
        overflow: overflow.status(),
    }
}

impl<K: Key> Policy for Many<K, Throttle> {
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
        let (kind, level) = (PolicyKind::Throttle, Level::Healthy);
        Snapshot { name: self.common.emitter.name().clone(), kind, state: "active", level, values }
    }

    /// No series per key: their number is up to who sends the requests.
    fn measure(&self, into: &mut dyn Measures) {
        let status = status(self);
        measure::held_back(status.rejected, status.shadowed, into);
        self.keys.measure(into);
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Reset, Action::Mode]
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

    fn reset(&self) {
        self.for_each(|_, throttle| throttle.reset());
    }

    fn save(&self, into: &mut Saved) {
        self.save_keys(into, |throttle, into| throttle.shared.save_window(into));
    }

    fn resume(&self, from: &Kept<'_>) -> bool {
        self.resume_keys(from, |throttle, from| throttle.shared.resume_window(from))
    }
}

impl<K> Clone for KeyedThrottle<K> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<K> fmt::Debug for KeyedThrottle<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedThrottle").field("name", self.name()).field("keys", &self.shared.keys).finish()
    }
}

crate::registry::handle!(KeyedThrottle<K: crate::keyed::Key>, Throttle);
crate::registry::new_in!(KeyedThrottle of Box<str>);

impl<K: crate::keyed::Key> crate::registry::Member for KeyedThrottle<K> {
    fn member(&self) -> Option<(portcullis_core::Name, std::sync::Weak<dyn crate::registry::Policy>)> {
        Some((self.name().clone(), Arc::downgrade(&self.shared) as _))
    }
}
