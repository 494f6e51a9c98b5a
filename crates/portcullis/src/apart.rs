//! What futures drop only when they are dropped themselves.

use std::mem::ManuallyDrop;

/// A value that is dropped by code that stands apart. All futures around the one that has it contain what that one
/// drops; with all of this in it, it is too large to be inlined in those of the layers above.
pub(crate) struct Apart<T>(Option<T>);

impl<T> Apart<T> {
    #[inline(always)]
    pub(crate) const fn new(value: T) -> Self {
        Self(Some(value))
    }

    /// No value.
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// The value, if there is one.
    #[inline(always)]
    pub(crate) fn get(&mut self) -> Option<&mut T> {
        self.0.as_mut()
    }

    /// The value, the first time.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> Option<T> {
        self.0.take()
    }
}

impl<T> Drop for Apart<T> {
    #[inline(always)]
    fn drop(&mut self) {
        // What needs no drop needs none apart.
        if std::mem::needs_drop::<T>() {
            if let Some(value) = self.0.take() {
                drop_apart(value);
            }
        }
    }
}

/// By value: nothing of the future must be in memory for it.
#[cold]
#[inline(never)]
fn drop_apart<T>(value: T) {
    drop(value);
}

/// The same for a value that most futures let go themselves before they end: [`clear`](Self::clear) drops it on the
/// spot, and only what is still there when the future is dropped is dropped apart.
pub(crate) struct Held<T>(ManuallyDrop<Option<T>>);

impl<T> Held<T> {
    #[inline(always)]
    pub(crate) const fn new(value: Option<T>) -> Self {
        Self(ManuallyDrop::new(value))
    }

    /// The value, if there is one.
    #[inline(always)]
    pub(crate) fn get(&mut self) -> Option<&mut T> {
        self.0.as_mut()
    }

    /// Drops the value, where it is.
    #[inline(always)]
    pub(crate) fn clear(&mut self) {
        *self.0 = None;
    }

    #[cold]
    #[inline(never)]
    fn clear_apart(&mut self) {
        self.clear();
    }
}

impl<T> Drop for Held<T> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.0.is_some() {
            self.clear_apart();
        }
    }
}
