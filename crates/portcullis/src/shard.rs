//! A shared value whose reference count is not: each thread counts on a line of its own.
//!
//! A future must hold the policy that admitted it, and cloning one `Arc` from every thread costs more
//! than the whole decision. So a policy has one `Arc` per shard, all of the same value.

use std::{
    any::Any,
    cell::Cell,
    ops::Deref,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicUsize, Ordering, fence},
    },
};

/// More shards than this cost memory and no longer save time.
const MOST_SHARDS: usize = 64;
/// No index of any slice, so that looking there finds out that it is not known yet.
const UNKNOWN: usize = usize::MAX;

static NEXT: AtomicUsize = AtomicUsize::new(0);
static COUNT: OnceLock<usize> = OnceLock::new();

thread_local! {
    static INDEX: Cell<usize> = const { Cell::new(UNKNOWN) };
}

/// A number of this thread's own, below [`count`].
#[inline]
pub(crate) fn current() -> usize {
    match peek() {
        UNKNOWN => first(),
        index => index,
    }
}

/// The same, or [`UNKNOWN`].
#[inline(always)]
fn peek() -> usize {
    // A thread that is ending has no locals any more; any shard will do for it.
    INDEX.try_with(Cell::get).unwrap_or(0)
}

#[cold]
#[inline(never)]
fn first() -> usize {
    let index = NEXT.fetch_add(1, Ordering::Relaxed) & (count() - 1);
    let _ = INDEX.try_with(|known| known.set(index));
    index
}

/// How many shards this machine is worth: a power of two.
pub(crate) fn count() -> usize {
    *COUNT.get_or_init(|| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        threads.next_power_of_two().min(MOST_SHARDS)
    })
}

/// A shared value, with an `L` of its own beside each reference count.
pub(crate) struct Sharded<T, L = ()>(Arc<Shards<T, L>>);

struct Shards<T, L> {
    value: Arc<T>,
    slots: Box<[Arc<Slot<T, L>>]>,
}

impl<T, L> Shards<T, L> {
    #[inline]
    fn pin(&self) -> Pinned<T, L> {
        match self.slots.get(peek()) {
            Some(slot) => Pinned(slot.clone()),
            None => self.pin_first(),
        }
    }

    #[cold]
    #[inline(never)]
    fn pin_first(&self) -> Pinned<T, L> {
        Pinned(self.slot_first().clone())
    }

    #[cold]
    #[inline(never)]
    fn slot_first(&self) -> &Arc<Slot<T, L>> {
        // A power of two of slots: the mask never leaves the slice.
        &self.slots[current() & (self.slots.len() - 1)]
    }
}

/// On its own cache lines, because its reference count stands right before it.
#[repr(align(128))]
struct Slot<T, L> {
    value: Arc<T>,
    index: usize,
    local: L,
}

impl<T> Sharded<T> {
    pub(crate) fn new(value: T) -> Self {
        Self::with(value, |_, _| ())
    }

    /// One that all threads count in one place: for values of which there are many.
    pub(crate) fn small(value: T) -> Self {
        Self::small_with(value, |_, _| ())
    }
}

impl<T, L> Sharded<T, L> {
    /// `local` makes what stands beside the reference count of this number.
    pub(crate) fn with(value: T, local: impl Fn(&T, usize) -> L) -> Self {
        Self::with_slots(count(), value, local)
    }

    /// One that all threads count in one place, with this beside the reference count.
    pub(crate) fn small_with(value: T, local: impl Fn(&T, usize) -> L) -> Self {
        Self::with_slots(1, value, local)
    }

    /// With a power of two of slots.
    fn with_slots(count: usize, value: T, local: impl Fn(&T, usize) -> L) -> Self {
        let value = Arc::new(value);
        let slot = |index| Arc::new(Slot { local: local(&value, index), value: value.clone(), index });
        let slots = (0..count).map(slot).collect();
        Self(Arc::new(Shards { value, slots }))
    }

    /// This thread's shard, to be looked at before there is a reference.
    #[inline(always)]
    pub(crate) fn here(&self) -> Here<'_, T, L> {
        match self.0.slots.get(peek()) {
            Some(slot) => Here(slot),
            None => Here(self.0.slot_first()),
        }
    }

    /// A reference that is counted on this thread's shard.
    #[inline]
    pub(crate) fn pin(&self) -> Pinned<T, L> {
        self.0.pin()
    }

    /// The same if the value says so.
    #[inline(always)]
    pub(crate) fn pin_if(&self, says: impl FnOnce(&T) -> bool) -> Option<Pinned<T, L>> {
        // Found once, whatever is done to the value.
        let shards = &*self.0;
        says(&shards.value).then(|| shards.pin())
    }

    /// Whether anybody else has it, or a reference to its value.
    pub(crate) fn is_shared(&self) -> bool {
        let has_handles = Arc::strong_count(&self.0) > 1;
        // Handles first: who had one may have got a reference by it, and that must be seen before the handle is gone.
        fence(Ordering::Acquire);
        let is_pinned = self.0.slots.iter().any(|slot| Arc::strong_count(slot) > 1);
        // What was done by those who had one must be seen, too.
        fence(Ordering::Acquire);
        has_handles || is_pinned
    }

    /// What stands beside this thread's reference count.
    #[inline]
    pub(crate) fn local(&self) -> &L {
        match self.0.slots.get(peek()) {
            Some(slot) => &slot.local,
            None => self.local_first(),
        }
    }

    #[cold]
    #[inline(never)]
    fn local_first(&self) -> &L {
        &self.0.slot_first().local
    }

    pub(crate) fn value(&self) -> &Arc<T> {
        &self.0.value
    }

    /// What stands beside each reference count.
    pub(crate) fn locals(&self) -> impl Iterator<Item = &L> {
        self.0.slots.iter().map(|slot| &slot.local)
    }

    /// References that are held at this moment.
    pub(crate) fn pinned(&self) -> usize {
        self.0.slots.iter().map(|slot| Arc::strong_count(slot) - 1).sum()
    }
}

impl<T: Send + Sync + 'static, L: Send + Sync + 'static> Sharded<T, L> {
    /// For who does not keep it, and does not know its type.
    pub(crate) fn downgrade(&self) -> Weak<dyn Any + Send + Sync> {
        let weak: Weak<Shards<T, L>> = Arc::downgrade(&self.0);
        weak
    }

    /// One that was [downgraded](Self::downgrade), if it is of this type.
    pub(crate) fn from_any(any: Arc<dyn Any + Send + Sync>) -> Option<Self> {
        any.downcast().ok().map(Self)
    }
}

impl<T, L> Clone for Sharded<T, L> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T, L> Deref for Sharded<T, L> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0.value
    }
}

/// A thread's shard, without a reference of one's own.
pub(crate) struct Here<'a, T, L>(&'a Arc<Slot<T, L>>);

impl<T, L> Clone for Here<'_, T, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, L> Copy for Here<'_, T, L> {}

impl<'a, T, L> Here<'a, T, L> {
    #[inline(always)]
    pub(crate) fn value(self) -> &'a T {
        &self.0.value
    }

    /// What stands beside its reference count.
    #[inline(always)]
    pub(crate) fn local(self) -> &'a L {
        &self.0.local
    }

    /// A reference that is counted on it.
    #[inline(always)]
    pub(crate) fn pin(self) -> Pinned<T, L> {
        Pinned(self.0.clone())
    }
}

/// A reference held by one call.
pub(crate) struct Pinned<T, L = ()>(Arc<Slot<T, L>>);

impl<T, L> Pinned<T, L> {
    /// The shard it is counted on.
    #[inline]
    pub(crate) fn shard(&self) -> usize {
        self.0.index
    }

    /// What stands beside the reference count.
    #[inline]
    pub(crate) fn local(&self) -> &L {
        &self.0.local
    }
}

impl<T, L> Clone for Pinned<T, L> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T, L> Deref for Pinned<T, L> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0.value
    }
}
