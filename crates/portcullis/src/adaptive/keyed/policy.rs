//! The keyed adaptive limit's handle.

use std::sync::atomic::Ordering::Relaxed;

use portcullis_core::{ConfigError, PolicyKind, pipeline::Facts};

use super::KeyedAdaptiveLimitBuilder;
use crate::{
    adaptive::{AdaptiveLimit, AdaptiveLimitStatus, AdaptiveLimits, Config, common::Common, measure},
    keyed::{Evictions, Key, common, keyed_handle, many::Many, seen::Seen},
    metrics::Measures,
    registry::{Action, Values},
    restart::{Kept, Saved},
};

keyed_handle! {
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
    KeyedAdaptiveLimit of AdaptiveLimit as AdaptiveLimit, Config, KeyedAdaptiveLimitBuilder, KeyedAdaptiveLimitStatus;

    fn limit in AdaptiveLimits of "AdaptiveLimitLayer", else "let through"
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

impl<K: Key> Many<K, AdaptiveLimit> {
    fn status(&self) -> KeyedAdaptiveLimitStatus {
        let Self { keys, common, overflow, .. } = self;
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
}

impl Seen for AdaptiveLimit {
    const KIND: PolicyKind = PolicyKind::AdaptiveLimit;
    const ACTIONS: &'static [Action] = &[Action::Isolate, Action::Release, Action::Mode];

    fn facts(common: &Common) -> Facts {
        Facts::from(&*common.config.load()).by_key()
    }

    fn values(common: &Common) -> Values {
        vec![
            ("mode", common.config.load().mode.as_str().into()),
            ("rejected", common.refused().into()),
            ("shadowed", common.shadowed.load(Relaxed).into()),
        ]
    }

    fn measure(common: &Common, into: &mut dyn Measures) {
        measure::refused(common, into);
    }

    fn change<K: Key>(
        all: &Many<K, Self>,
        change: impl FnOnce(&Config) -> Config,
    ) -> Result<(), ConfigError> {
        common::change(all, change, |overflow, config| {
            overflow.shared.take_over(|_| config.clone()).map(|_| ())
        })
    }

    fn save(&self, into: &mut Saved) {
        self.shared.save_limit(into);
    }

    fn resume(&self, from: &Kept<'_>) -> bool {
        self.shared.resume_limit(from)
    }
}
