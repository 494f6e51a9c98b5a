//! One key's policy.

use std::sync::{Arc, OnceLock};

use portcullis_core::{ConfigError, Name, Time, retry::BudgetConfig};

use super::Common;
use crate::{
    RetryPolicy,
    keyed::{Entry, Key, KeyedValue},
};

/// A key with its policy, as the map has it.
pub(super) type One<K> = Entry<K, OneKey>;

/// The policy of a key, made by who first asks for it: it is named by the key.
pub(super) struct OneKey {
    common: Arc<Common>,
    policy: OnceLock<RetryPolicy>,
}

impl OneKey {
    pub(super) fn new(common: &Arc<Common>) -> Self {
        Self { common: common.clone(), policy: OnceLock::new() }
    }

    /// The policy, if somebody has asked for it.
    pub(super) fn made(&self) -> Option<&RetryPolicy> {
        self.policy.get()
    }
}

impl<K: Key> One<K> {
    /// The policy. `follow` is called when it may have been made by settings that are old by now.
    #[inline]
    pub(super) fn policy(
        &self,
        follow: impl FnOnce(&RetryPolicy) -> Result<(), ConfigError>,
    ) -> Result<&RetryPolicy, ConfigError> {
        match self.value().policy.get() {
            Some(policy) => Ok(policy),
            None => self.make(follow),
        }
    }

    #[cold]
    #[inline(never)]
    fn make(
        &self,
        follow: impl FnOnce(&RetryPolicy) -> Result<(), ConfigError>,
    ) -> Result<&RetryPolicy, ConfigError> {
        let OneKey { common, policy } = self.value();
        let version = common.version();
        let name = Name::from(format!("{}/{}", common.name, self.key()));
        let made = RetryPolicy::of_many(name, common)?;
        let policy = policy.get_or_init(|| made);
        // Who changed the settings since may have looked at this key before it had a policy.
        if common.version() != version {
            follow(policy)?;
        }
        Ok(policy)
    }
}

impl KeyedValue for OneKey {
    fn may_go(&self, _: Time, idle: bool) -> bool {
        let Some(policy) = self.policy.get() else { return true };
        if policy.shared.is_shared() {
            return false;
        }
        let budget = policy.budget();
        let fills_by_time = matches!(budget.config(), BudgetConfig::Share { min_per_second: 1.., .. });
        budget.available() >= self.common.untouched() || (idle && !fills_by_time)
    }
}
