//! One key's part of the bulkhead.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use portcullis_core::{
    Name, Reason, Rejection, Time,
    bulkhead::keyed::{Account, Entered},
};

use super::{common::Common, measure::KeyStatus, ticket::KeyedBulkheadTicket, waiting::Waiting};
use crate::keyed::{Entry, Key, KeyedValue};

/// A key with its part, as the map has it.
pub(super) type One<K> = Entry<K, OneKey>;

/// What one key holds, and what was refused to it.
pub(super) struct OneKey {
    pub(super) common: Arc<Common>,
    pub(super) account: Arc<Account>,
    rejected: AtomicU64,
    /// Made when somebody is refused.
    name: OnceLock<Name>,
}

impl OneKey {
    pub(super) fn new(common: &Arc<Common>) -> Self {
        let account = Arc::new(common.semaphore.account());
        Self { common: common.clone(), account, rejected: AtomicU64::new(0), name: OnceLock::new() }
    }

    /// Of all requests that have no key of their own.
    pub(super) fn named(common: &Arc<Common>, name: &str) -> Arc<Self> {
        let one = Self::new(common);
        one.name.get_or_init(|| full_name(common, &name));
        Arc::new(one)
    }

    pub(super) fn status(&self) -> KeyStatus {
        let Self { common, account, rejected, .. } = self;
        KeyStatus {
            in_flight: account.in_flight(),
            limit: common.semaphore.limit(account),
            queued: account.queued(),
            rejected: rejected.load(Relaxed),
        }
    }
}

/// A key that is in use, or that is waited for, is referred to, and stays in the map for that; one that is not has
/// nothing to lose.
impl KeyedValue for OneKey {
    fn may_go(&self, _: Time, _: bool) -> bool {
        true
    }
}

fn full_name(common: &Common, key: &dyn std::fmt::Display) -> Name {
    Name::from(format!("{}/{key}", common.emitter.name()))
}

/// Whose permits a call takes. While it lives, its key is not forgotten.
pub(super) enum Owner<K> {
    Key(Arc<One<K>>),
    /// All who have no key of their own.
    Others(Arc<OneKey>),
}

/// What a call met.
pub(super) enum Met<K> {
    Admitted(KeyedBulkheadTicket<K>),
    Waiting(Waiting<K>),
}

impl<K> Owner<K> {
    #[inline]
    pub(super) fn one(&self) -> &OneKey {
        match self {
            Self::Key(one) => one.value(),
            Self::Others(one) => one,
        }
    }

    /// So many permits, if the key may have them now.
    #[inline]
    pub(super) fn try_take(&self, weight: u32) -> Option<u32> {
        let OneKey { common, account, .. } = self.one();
        if common.emitter.is_stopped() { None } else { common.semaphore.try_take(account, weight) }
    }
}

impl<K: Key> Owner<K> {
    /// Permits, or a place in the queue.
    pub(super) fn enter(self, weight: u32) -> Result<Met<K>, Rejection> {
        let OneKey { common, account, .. } = self.one();
        self.stopped()?;
        match common.semaphore.enter(account, weight) {
            Ok(Entered::Acquired(taken)) => Ok(Met::Admitted(KeyedBulkheadTicket::new(self, taken))),
            Ok(Entered::Waiting(place)) => Ok(Met::Waiting(Waiting::new(self, weight, place))),
            Err(reason) => self.refuse(weight, reason).map(Met::Admitted),
        }
    }

    /// What becomes of a call that is to be refused: it is, or it passes, because of the mode.
    pub(super) fn refuse(self, weight: u32, reason: Reason) -> Result<KeyedBulkheadTicket<K>, Rejection> {
        self.stopped()?;
        let OneKey { common, account, .. } = self.one();
        let enforced = common.enforces();
        let rejection = self.rejected(reason, enforced);
        if enforced {
            return Err(rejection);
        }
        let taken = common.semaphore.force(account, weight);
        Ok(KeyedBulkheadTicket::new(self, taken))
    }

    /// The refusal of one that is stopped.
    pub(super) fn stopped(&self) -> Result<(), Rejection> {
        let one = self.one();
        if !one.common.emitter.is_stopped() {
            return Ok(());
        }
        match one.common.emitter.stopped_as(self.name()) {
            Some(rejection) => {
                one.rejected.fetch_add(1, Relaxed);
                one.common.rejected.count(&rejection.reason());
                Err(rejection)
            }
            None => Ok(()),
        }
    }

    /// The rejection of a call that cannot be put through any more.
    pub(super) fn refuse_late(&self, weight: u32) -> Rejection {
        if let Err(stopped) = self.stopped() {
            return stopped;
        }
        let OneKey { common, account, .. } = self.one();
        self.rejected(common.semaphore.refusal(account, weight), true)
    }

    fn rejected(&self, reason: Reason, enforced: bool) -> Rejection {
        let one = self.one();
        one.rejected.fetch_add(u64::from(enforced), Relaxed);
        one.common.rejected(self.name().clone(), reason, enforced)
    }

    pub(super) fn name(&self) -> &Name {
        let one = self.one();
        one.name.get_or_init(|| match self {
            Self::Key(entry) => full_name(&one.common, entry.key()),
            Self::Others(_) => one.common.emitter.name().clone(),
        })
    }
}

impl<K> Clone for Owner<K> {
    fn clone(&self) -> Self {
        match self {
            Self::Key(one) => Self::Key(one.clone()),
            Self::Others(one) => Self::Others(one.clone()),
        }
    }
}
