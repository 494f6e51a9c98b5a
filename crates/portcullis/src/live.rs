//! Settings that change while calls flow.

use std::sync::{Arc, PoisonError, RwLock};

/// A value that is replaced as a whole. Whoever has begun with the one before goes on with it.
pub(crate) struct Live<T>(RwLock<Arc<T>>);

impl<T: Default> Default for Live<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Live<T> {
    pub(crate) fn new(value: T) -> Self {
        Self::of(Arc::new(value))
    }

    /// A value that others have too.
    pub(crate) fn of(value: Arc<T>) -> Self {
        Self(RwLock::new(value))
    }

    /// The value. Takes a lock for as long as it takes to count a reference: not for a path where every call
    /// goes.
    pub(crate) fn load(&self) -> Arc<T> {
        // Nothing under this lock can panic, but for a drop of the value, after it was replaced.
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another in its place, made of the one before; says how that went.
    pub(crate) fn update<E>(&self, change: impl FnOnce(&T) -> Result<T, E>) -> Result<(), E> {
        self.replace(|before| change(before).map(Arc::new))
    }

    /// The same with a value that others may have too.
    pub(crate) fn replace<E>(&self, change: impl FnOnce(&T) -> Result<Arc<T>, E>) -> Result<(), E> {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let next = change(&current)?;
        let before = std::mem::replace(&mut *current, next);
        // Outside of the lock: it may hold functions, whose drop may do anything.
        drop(current);
        drop(before);
        Ok(())
    }
}
