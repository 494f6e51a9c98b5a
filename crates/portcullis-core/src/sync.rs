//! Std's primitives, or loom's when the models run (`--cfg portcullis_loom`).

#[cfg(not(portcullis_loom))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic};

#[cfg(portcullis_loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard, atomic};

/// Locks, and goes on after a panic elsewhere: what the locks of this crate guard is valid at every step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
