//! One key's limit.

use std::sync::{Arc, OnceLock};

use portcullis_core::{ConfigError, Name, Time};

use crate::{
    keyed::{Entry, Key, KeyedValue},
    rate::{Config, RateLimit, common::Common},
};

/// A key with its limit, as the map has it.
pub(super) type One<K> = Entry<K, OneKey>;

/// The limit of a key, made by who first asks for it: it is named by the key.
pub(super) struct OneKey {
    common: Arc<Common>,
    limit: OnceLock<RateLimit>,
}

impl OneKey {
    pub(super) fn new(common: &Arc<Common>) -> Self {
        Self { common: common.clone(), limit: OnceLock::new() }
    }

    /// The limit, if somebody has asked for it.
    pub(super) fn made(&self) -> Option<&RateLimit> {
        self.limit.get()
    }
}

impl<K: Key> One<K> {
    /// The limit. `follow` is called when it may have been made by settings that are old by now.
    #[inline]
    pub(super) fn limit(
        &self,
        follow: impl FnOnce(&RateLimit) -> Result<(), ConfigError>,
    ) -> Result<&RateLimit, ConfigError> {
        match self.value().limit.get() {
            Some(limit) => Ok(limit),
            None => self.make(follow),
        }
    }

    #[cold]
    #[inline(never)]
    fn make(
        &self,
        follow: impl FnOnce(&RateLimit) -> Result<(), ConfigError>,
    ) -> Result<&RateLimit, ConfigError> {
        let OneKey { common, limit } = self.value();
        let before: Arc<Config> = common.config.load();
        let name = Name::from(format!("{}/{}", common.emitter.name(), self.key()));
        let made = RateLimit::of_many(name, common)?;
        let limit = limit.get_or_init(|| made);
        // Who changed the settings since may have looked at this key before it had a limit. The old settings are
        // held meanwhile, so that new ones are never in their place.
        if !Arc::ptr_eq(&before, &common.config.load()) {
            follow(limit)?;
        }
        Ok(limit)
    }
}

impl KeyedValue for OneKey {
    /// Idle or not, a key stays until all its permits are there again, or a flood of keys would give who spent his
    /// new ones; that is so after a time, whatever happens.
    fn may_go(&self, now: Time, _: bool) -> bool {
        let Some(limit) = self.limit.get() else { return true };
        Arc::strong_count(&limit.shared) == 1 && limit.shared.limiter.is_whole(now)
    }
}
