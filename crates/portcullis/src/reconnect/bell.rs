//! Who waits for an attempt.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Wake, Waker},
};

/// What an attempt wakes: all who wait for it, so that it gets on as long as one of them does.
#[derive(Default)]
pub(super) struct Bell {
    places: Mutex<Places>,
    /// It was rung by the attempt since the last [`silence`](Self::silence).
    rung: AtomicBool,
}

#[derive(Default)]
struct Places {
    next: u64,
    /// By their numbers. Who was woken, and has not come back, has no waker here.
    wakers: BTreeMap<u64, Option<Waker>>,
}

impl Bell {
    /// A place for somebody who waits.
    pub(super) fn join(&self) -> u64 {
        let mut places = self.lock();
        let place = places.next;
        places.next += 1;
        places.wakers.insert(place, None);
        place
    }

    /// Whom to wake, in place of the waker that is given back: to be dropped where nothing is locked, as it may hold
    /// anything.
    pub(super) fn register(&self, place: u64, waker: Waker) -> Option<Waker> {
        self.lock().wakers.insert(place, Some(waker)).flatten()
    }

    /// Gives up a place; whether it was the last, and its waker, as with [`register`](Self::register).
    pub(super) fn leave(&self, place: u64) -> (bool, Option<Waker>) {
        let mut places = self.lock();
        let before = places.wakers.remove(&place).flatten();
        (places.wakers.is_empty(), before)
    }

    /// Wakes all.
    pub(super) fn ring(&self) {
        let wakers: Vec<Waker> = self.lock().wakers.values_mut().filter_map(Option::take).collect();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// The attempt is about to be polled.
    pub(super) fn silence(&self) {
        self.rung.store(false, SeqCst);
    }

    /// Wakes all once more, if the attempt rang while it was polled: who came meanwhile found it taken.
    pub(super) fn echo(&self) {
        if self.rung.swap(false, SeqCst) {
            self.ring();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // First, so that who is woken by neither of the two rings has come after both.
        self.rung.store(true, SeqCst);
        self.ring();
    }
}
