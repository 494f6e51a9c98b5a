//! The keyed rate limit's handle.

use std::sync::atomic::Ordering::Relaxed;

use portcullis_core::{ConfigError, PolicyKind, pipeline::Facts};

use super::KeyedRateLimitBuilder;
use crate::{
    keyed::{Evictions, Key, common, keyed_handle, many::Many, seen::Seen},
    metrics::Measures,
    rate::{Config, Limits, RateLimit, RateLimitStatus, common::Common, measure, saved},
    registry::{Action, Values},
    restart::{Kept, Saved},
};

keyed_handle! {
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
    KeyedRateLimit of RateLimit as RateLimit, Config, KeyedRateLimitBuilder, KeyedRateLimitStatus;

    fn limit in Limits of "RateLimitLayer", else "let through"
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

impl<K: Key> Many<K, RateLimit> {
    fn status(&self) -> KeyedRateLimitStatus {
        let Self { keys, common, overflow, .. } = self;
        KeyedRateLimitStatus {
            keys: keys.len(),
            max_keys: keys.limits().max_keys,
            evictions: keys.evictions(),
            overflows: keys.overflows(),
            waited: common.besides.waited.load(Relaxed),
            rejected: common.refused(),
            shadowed: common.shadowed.load(Relaxed),
            overflow: overflow.status(),
        }
    }
}

impl Seen for RateLimit {
    const KIND: PolicyKind = PolicyKind::RateLimit;
    const ACTIONS: &'static [Action] = &[Action::Isolate, Action::Release, Action::Mode];

    fn facts(common: &Common) -> Facts {
        Facts::from(&*common.config.load()).by_key()
    }

    fn values(common: &Common) -> Values {
        vec![
            ("mode", common.config.load().mode.as_str().into()),
            ("waited", common.besides.waited.load(Relaxed).into()),
            ("rejected", common.refused().into()),
            ("shadowed", common.shadowed.load(Relaxed).into()),
        ]
    }

    fn measure(common: &Common, into: &mut dyn Measures) {
        measure::rejected(common, into);
    }

    fn change<K: Key>(
        all: &Many<K, Self>,
        change: impl FnOnce(&Config) -> Config,
    ) -> Result<(), ConfigError> {
        common::change(all, change, |overflow, config| overflow.shared.take_over(|_| config.clone()))
    }

    fn save(&self, into: &mut Saved) {
        saved::save(&self.shared.limiter, into);
    }

    fn resume(&self, from: &Kept<'_>) -> bool {
        saved::resume(&self.shared.limiter, from)
    }
}
