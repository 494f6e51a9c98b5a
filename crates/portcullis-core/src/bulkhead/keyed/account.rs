//! What one key holds.

use crate::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

/// What one key of a [`FairSemaphore`](super::FairSemaphore) holds, and how many of its calls wait. Made by the
/// [semaphore](super::FairSemaphore::account) whose it is, and good for no other.
///
/// Written under the semaphore's lock only, and read by whoever wants to know.
#[derive(Debug)]
pub struct Account {
    id: u64,
    held: AtomicU64,
    waiting: AtomicU32,
}

impl Account {
    pub(super) fn new(id: u64) -> Self {
        Self { id, held: AtomicU64::new(0), waiting: AtomicU32::new(0) }
    }

    /// Permits that the key holds.
    #[inline]
    pub fn in_flight(&self) -> u64 {
        self.held.load(Acquire)
    }

    /// Calls of the key that wait.
    #[inline]
    pub fn queued(&self) -> u32 {
        self.waiting.load(Relaxed)
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    #[inline]
    pub(super) fn hold(&self, permits: u64) {
        self.held.store(permits, Release);
    }

    pub(super) fn wait(&self, calls: usize) {
        self.waiting.store(u32::try_from(calls).unwrap_or(u32::MAX), Relaxed);
    }
}
