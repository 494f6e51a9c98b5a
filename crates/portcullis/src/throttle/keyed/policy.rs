//! The keyed throttle's handle.

use std::sync::atomic::Ordering::Relaxed;

use portcullis_core::{ConfigError, PolicyKind, pipeline::Facts};

use super::KeyedThrottleBuilder;
use crate::{
    keyed::{Evictions, Key, common, keyed_handle, many::Many, seen::Seen},
    metrics::Measures,
    registry::{Action, Values},
    restart::{Kept, Saved},
    throttle::{Config, Throttle, ThrottleStatus, Throttles, common::Common, measure},
};

keyed_handle! {
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
    KeyedThrottle of Throttle as Throttle, Config, KeyedThrottleBuilder, KeyedThrottleStatus;

    fn throttle in Throttles of "ThrottleLayer", else "let through"
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

impl<K: Key> Many<K, Throttle> {
    fn status(&self) -> KeyedThrottleStatus {
        let Self { keys, common, overflow, .. } = self;
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
}

impl Seen for Throttle {
    const KIND: PolicyKind = PolicyKind::Throttle;
    const ACTIONS: &'static [Action] = &[Action::Reset, Action::Mode];

    fn facts(common: &Common) -> Facts {
        Facts::from(&*common.config.load()).by_key()
    }

    fn values(common: &Common) -> Values {
        vec![
            ("mode", common.config.load().mode.as_str().into()),
            ("rejected", common.rejected.load(Relaxed).into()),
            ("shadowed", common.shadowed.load(Relaxed).into()),
        ]
    }

    fn measure(common: &Common, into: &mut dyn Measures) {
        measure::held_back(common.rejected.load(Relaxed), common.shadowed.load(Relaxed), into);
    }

    fn change<K: Key>(
        all: &Many<K, Self>,
        change: impl FnOnce(&Config) -> Config,
    ) -> Result<(), ConfigError> {
        common::change(all, change, |overflow, config| overflow.shared.take_over(|_| config.clone()))
    }

    fn reset(&self) {
        Self::reset(self);
    }

    fn save(&self, into: &mut Saved) {
        self.shared.save_window(into);
    }

    fn resume(&self, from: &Kept<'_>) -> bool {
        self.shared.resume_window(from)
    }
}
