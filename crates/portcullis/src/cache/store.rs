//! Where entries are, within their bounds.
//!
//! The store is [`moka`]'s: it says which entry must go when there is no room. What is fresh it does not say, because
//! its clock is not ours, and does not stop when that does in tests: each entry knows its own [`Lifetime`]. Only who is
//! nothing any more goes by moka's clock, so that it takes up no room until somebody wants it.
//!
//! Its bound is fixed when it is made. So a store with another bound is another one, that the entries move to. Each
//! thread finds it under a lock of its own, so that those who look something up do not meet.
//!
//! [`Lifetime`]: portcullis_core::cache::Lifetime

use std::{
    hash::Hash,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use moka::{Equivalent, Expiry, notification::RemovalCause, sync::Cache as Moka};
use portcullis_core::{Padded, cache::Config};

use super::{Key, Value, entry::Entry};
use crate::shard;

/// Where a thread finds it.
type Here<K, V> = Padded<RwLock<Moka<K, Held<V>>>>;

pub(super) struct Store<K, V> {
    /// All are the same one.
    here: Box<[Here<K, V>]>,
    gone: Arc<Gone>,
}

/// What has gone by itself.
#[derive(Default)]
pub(super) struct Gone {
    pub(super) for_room: AtomicU64,
    pub(super) by_time: AtomicU64,
}

/// An entry, with what it takes up of the bound there is.
struct Held<V> {
    entry: Arc<Entry<V>>,
    share: u32,
}

impl<V> Clone for Held<V> {
    fn clone(&self) -> Self {
        Self { entry: self.entry.clone(), share: self.share }
    }
}

impl<V> Held<V> {
    /// Unless it takes up more than there is.
    fn new(entry: Arc<Entry<V>>, config: &Config) -> Option<Self> {
        let share = config.share(entry.weight);
        let share = u32::try_from(share).ok().filter(|_| share <= config.room())?;
        Some(Self { entry, share })
    }
}

/// When an entry is nothing any more.
struct ByLifetime;

impl<K, V> Expiry<K, Held<V>> for ByLifetime {
    fn expire_after_create(&self, _: &K, held: &Held<V>, _: Instant) -> Option<Duration> {
        Some(held.entry.life.whole())
    }

    fn expire_after_update(
        &self,
        _: &K,
        held: &Held<V>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(held.entry.life.whole())
    }
}

impl<K: Key, V: Value> Store<K, V> {
    pub(super) fn new(config: &Config) -> Self {
        let gone = Arc::new(Gone::default());
        let moka = made(config, &gone);
        let here = (0..shard::count()).map(|_| Padded(RwLock::new(moka.clone()))).collect();
        Self { here, gone }
    }

    pub(super) fn get<Q>(&self, key: &Q) -> Option<Arc<Entry<V>>>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.with(|moka| moka.get(key)).map(|held| held.entry)
    }

    /// Puts it in the place of what there is, which goes also where there is no room for this.
    pub(super) fn insert(&self, key: K, entry: Entry<V>, config: &Config) {
        match Held::new(Arc::new(entry), config) {
            Some(held) => self.with(|moka| moka.insert(key, held)),
            None => self.remove(&key),
        }
    }

    pub(super) fn remove<Q>(&self, key: &Q)
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.with(|moka| moka.invalidate(key));
    }

    /// Everything.
    pub(super) fn clear(&self, config: &Config) {
        // Not by its own method, which goes by its own clock.
        self.replace(&made(config, &self.gone));
    }

    /// Moves all to another bound. Nobody else may write meanwhile; what is not moved yet is not found.
    pub(super) fn resize(&self, config: &Config) {
        let before = self.with(Moka::clone);
        let after = made(config, &self.gone);
        self.replace(&after);
        for (key, held) in &before {
            if let Some(held) = Held::new(held.entry, config) {
                after.insert(K::clone(&key), held);
            }
        }
    }

    /// How many there are, and what they take up.
    pub(super) fn size(&self) -> (u64, u64) {
        // The numbers are those of when it last looked.
        self.with(|moka| {
            moka.run_pending_tasks();
            (moka.entry_count(), moka.weighted_size())
        })
    }

    pub(super) fn gone(&self) -> &Gone {
        &self.gone
    }

    fn with<R>(&self, then: impl FnOnce(&Moka<K, Held<V>>) -> R) -> R {
        let Padded(here) = &self.here[shard::current() & (self.here.len() - 1)];
        then(&here.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, after: &Moka<K, Held<V>>) {
        for Padded(here) in &self.here {
            let mut here = here.write().unwrap_or_else(PoisonError::into_inner);
            let before = std::mem::replace(&mut *here, after.clone());
            drop(here);
            // Outside of the lock: it may be the last of what is kept, whose drop may do anything.
            drop(before);
        }
    }
}

fn made<K: Key, V: Value>(config: &Config, gone: &Arc<Gone>) -> Moka<K, Held<V>> {
    let gone = gone.clone();
    Moka::builder()
        .max_capacity(config.room())
        .weigher(|_, held: &Held<V>| held.share)
        .expire_after(ByLifetime)
        .eviction_listener(move |_, _, cause| match cause {
            RemovalCause::Size => _ = gone.for_room.fetch_add(1, Relaxed),
            RemovalCause::Expired => _ = gone.by_time.fetch_add(1, Relaxed),
            RemovalCause::Explicit | RemovalCause::Replaced => {}
        })
        .build()
}
