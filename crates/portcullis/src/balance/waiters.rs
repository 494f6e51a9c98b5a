//! Who waits for an endpoint.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use super::policy::Shared;

/// The wakers of balancers that found no endpoint ready.
#[derive(Default)]
pub(super) struct Waiters(Mutex<Slots>);

#[derive(Default)]
struct Slots {
    wakers: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl Waiters {
    /// Wakes everybody, outside of the lock: a waker may do anything.
    pub(super) fn wake_all(&self) {
        let woken: Vec<_> = self.lock().wakers.iter_mut().filter_map(Option::take).collect();
        woken.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        // Nothing under this lock panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among those who wait, given up when it is dropped.
pub(super) struct Place {
    shared: Arc<Shared>,
    at: usize,
}

impl Place {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        let mut slots = shared.waiters.lock();
        let at = slots.free.pop().unwrap_or_else(|| {
            slots.wakers.push(None);
            slots.wakers.len() - 1
        });
        drop(slots);
        Self { shared: shared.clone(), at }
    }

    /// From now on this one is woken.
    pub(super) fn register(&self, waker: &Waker) {
        let before = self.shared.waiters.lock().wakers[self.at].replace(waker.clone());
        drop(before);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut slots = self.shared.waiters.lock();
        let before = slots.wakers[self.at].take();
        slots.free.push(self.at);
        drop(slots);
        drop(before);
    }
}
