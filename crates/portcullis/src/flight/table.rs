//! The table of flights.

use std::{
    fmt,
    hash::{BuildHasher, Hash, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use hashbrown::{HashTable, hash_table::OccupiedEntry};
use portcullis_core::Padded;

use super::{AnyFlight, Flight, Leader, State, Waiter};

/// Two threads seldom meet at one of four times as many locks.
const SHARDS_A_THREAD: usize = 4;

/// How much there may be at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Keys in flight, of the whole table.
    pub(crate) keys: usize,
    /// Waiters of one key.
    pub(crate) waiting: usize,
}

/// What a call that joins is.
pub(crate) enum Joined<K: Key, T: Outcome> {
    /// The first of its key.
    Leader(Leader<K, T>),
    /// One that can share what another's call comes to.
    Waiter(Waiter<K, T>),
    /// One too many: it goes by itself.
    Full,
}

/// What calls can be keyed by here.
pub(crate) trait Key: Hash + Eq + Send + Sync + 'static {}

impl<K: Hash + Eq + Send + Sync + 'static> Key for K {}

/// What can be shared.
pub(crate) trait Outcome: Send + Sync + 'static {}

impl<T: Send + Sync + 'static> Outcome for T {}

/// All calls in flight: a handle, clones of which are the same.
#[derive(Clone)]
pub(crate) struct Flights(Arc<Table>);

struct Table {
    shards: Box<[Padded<Mutex<HashTable<Slot>>>]>,
    hasher: RandomState,
    keys: AtomicUsize,
    waiting: AtomicUsize,
}

struct Slot {
    hash: u64,
    flight: AnyFlight,
}

impl Default for Flights {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let shards = threads.saturating_mul(SHARDS_A_THREAD).next_power_of_two();
        Self(Arc::new(Table {
            shards: (0..shards).map(|_| Padded::default()).collect(),
            hasher: RandomState::new(),
            keys: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
        }))
    }
}

impl Flights {
    /// Joins the flight of this key, or begins it.
    pub(crate) fn join<K: Key, T: Outcome>(&self, key: K, bounds: Bounds) -> Joined<K, T> {
        let hash = self.0.hasher.hash_one(&key);
        let mut shard = self.0.shard(hash);
        if let Some(flight) = find::<K, T>(&shard, hash, &key) {
            let place = flight.lock().join(bounds.waiting);
            drop(shard);
            let Some(place) = place else { return Joined::Full };
            self.0.waiting.fetch_add(1, Relaxed);
            return Joined::Waiter(Waiter::new(self.clone(), flight, place));
        }
        if !self.0.take_room(bounds.keys) {
            drop(shard); // before the key, whose drop is not ours
            return Joined::Full;
        }
        let flight = Arc::new(Flight { key, hash, state: Mutex::new(State::<T>::led()) });
        let slot = Slot { hash, flight: flight.clone() };
        shard.insert_unique(hash, slot, |slot| slot.hash);
        drop(shard);
        Joined::Leader(Leader::new(self.clone(), flight))
    }

    /// How many keys are in flight.
    pub(crate) fn keys(&self) -> usize {
        self.0.keys.load(Relaxed)
    }

    /// How many calls wait, or have not yet seen what came of it.
    pub(crate) fn waiting(&self) -> usize {
        self.0.waiting.load(Relaxed)
    }

    /// A waiter has gone, or leads.
    pub(super) fn waited(&self) {
        self.0.waiting.fetch_sub(1, Relaxed);
    }

    /// Changes the state of a flight, and takes it from the table when `change` says that it is over. Nobody joins
    /// in between.
    pub(super) fn change<K: Key, T: Outcome, R>(
        &self,
        flight: &Arc<Flight<K, T>>,
        change: impl FnOnce(&mut State<T>) -> (R, bool),
    ) -> R {
        let mut shard = self.0.shard(flight.hash);
        let (result, over) = change(&mut flight.lock());
        let slot = if over { remove(&mut shard, flight) } else { None };
        drop(shard);
        if slot.is_some() {
            self.0.keys.fetch_sub(1, Relaxed);
        }
        result
    }
}

impl Table {
    fn shard(&self, hash: u64) -> MutexGuard<'_, HashTable<Slot>> {
        // The lowest bits choose the bucket in the shard, the highest tag it.
        let index = (hash >> 32) as usize & (self.shards.len() - 1);
        // Only a comparison of keys can panic under this lock, which changes nothing.
        self.shards[index].0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_room(&self, most: usize) -> bool {
        let taken = self.keys.fetch_add(1, Relaxed) < most;
        if !taken {
            self.keys.fetch_sub(1, Relaxed);
        }
        taken
    }
}

fn find<K: Key, T: Outcome>(shard: &HashTable<Slot>, hash: u64, key: &K) -> Option<Arc<Flight<K, T>>> {
    let is_it = |slot: &Slot| {
        slot.hash == hash && slot.flight.downcast_ref::<Flight<K, T>>().is_some_and(|it| it.key == *key)
    };
    shard.find(hash, is_it)?.flight.clone().downcast().ok()
}

fn remove<K: Key, T: Outcome>(shard: &mut HashTable<Slot>, flight: &Arc<Flight<K, T>>) -> Option<Slot> {
    let address = Arc::as_ptr(flight).cast::<()>();
    let is_it = |slot: &Slot| Arc::as_ptr(&slot.flight).cast::<()>() == address;
    let entry = shard.find_entry(flight.hash, is_it).ok();
    entry.map(OccupiedEntry::remove).map(|(slot, _)| slot)
}

impl fmt::Debug for Flights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flights").field("keys", &self.keys()).field("waiting", &self.waiting()).finish()
    }
}
