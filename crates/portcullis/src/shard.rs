//! A shared value whose reference count is not: each thread counts on a line of its own.
//!
//! A future must hold the policy that admitted it, and cloning one `Arc` from every thread costs more
//! than the whole decision. So a policy has one `Arc` per shard, all of the same value.

use std::{
    cell::Cell, ops::Deref, sync::Arc, sync::OnceLock, sync::atomic::AtomicUsize, sync::atomic::Ordering,
};

/// More shards than this cost memory and no longer save time.
const MOST_SHARDS: usize = 64;
const UNKNOWN: usize = usize::MAX;

static NEXT: AtomicUsize = AtomicUsize::new(0);
static COUNT: OnceLock<usize> = OnceLock::new();

thread_local! {
    static INDEX: Cell<usize> = const { Cell::new(UNKNOWN) };
}

/// A number of this thread's own.
#[inline]
pub(crate) fn current() -> usize {
    // A thread that is ending has no locals any more; any shard will do for it.
    INDEX.try_with(|index| if index.get() == UNKNOWN { first(index) } else { index.get() }).unwrap_or(0)
}

#[cold]
#[inline(never)]
fn first(index: &Cell<usize>) -> usize {
    index.set(NEXT.fetch_add(1, Ordering::Relaxed) % MOST_SHARDS);
    index.get()
}

/// How many shards this machine is worth: a power of two.
pub(crate) fn count() -> usize {
    *COUNT.get_or_init(|| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        threads.next_power_of_two().min(MOST_SHARDS)
    })
}

/// A shared value.
pub(crate) struct Sharded<T>(Arc<Shards<T>>);

struct Shards<T> {
    value: Arc<T>,
    slots: Box<[Arc<Slot<T>>]>,
}

/// On its own cache lines, because its reference count stands right before it.
#[repr(align(128))]
struct Slot<T> {
    value: Arc<T>,
    index: usize,
}

impl<T> Sharded<T> {
    pub(crate) fn new(value: T) -> Self {
        let value = Arc::new(value);
        let slots = (0..count()).map(|index| Arc::new(Slot { value: value.clone(), index })).collect();
        Self(Arc::new(Shards { value, slots }))
    }

    /// A reference that is counted on this thread's shard.
    #[inline]
    pub(crate) fn pin(&self) -> Pinned<T> {
        // A power of two of slots: the mask never leaves the slice.
        Pinned(self.0.slots[current() & (self.0.slots.len() - 1)].clone())
    }

    pub(crate) fn value(&self) -> &Arc<T> {
        &self.0.value
    }
}

impl<T> Clone for Sharded<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Deref for Sharded<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0.value
    }
}

/// A reference held by one call.
pub(crate) struct Pinned<T>(Arc<Slot<T>>);

impl<T> Pinned<T> {
    /// The shard it is counted on.
    #[inline]
    pub(crate) fn shard(&self) -> usize {
        self.0.index
    }
}

impl<T> Clone for Pinned<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Deref for Pinned<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0.value
    }
}
