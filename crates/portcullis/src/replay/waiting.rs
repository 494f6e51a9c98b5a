//! Readers that wait for the same body.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Wake, Waker},
};

/// Wakes everybody who waits for a body. The body itself wakes only who asked it last, and that reader
/// may have left, or be busy with what it has read before.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<Vec<Waker>>);

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, reader: &Waker) {
        let mut waiting = self.lock();
        if !waiting.iter().any(|known| known.will_wake(reader)) {
            waiting.push(reader.clone());
        }
    }

    /// All but this one, which has what it waited for; to be woken once nothing is locked.
    pub(super) fn take_others(&self, reader: &Waker) -> Vec<Waker> {
        let mut waiting = mem::take(&mut *self.lock());
        waiting.retain(|known| !known.will_wake(reader));
        waiting
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let waiting = mem::take(&mut *self.lock());
        waiting.into_iter().for_each(Waker::wake);
    }
}
