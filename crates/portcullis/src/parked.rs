//! What a future needs only in cases that are rare.

use crate::apart::Apart;

/// A value in a box, which is dropped [apart](crate::apart).
pub(crate) struct Parked<T>(Apart<Box<T>>);

impl<T> Parked<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Apart::new(Box::new(value)))
    }

    /// No value.
    pub(crate) const fn none() -> Self {
        Self(Apart::none())
    }

    /// The value, if there is one.
    pub(crate) fn get(&mut self) -> Option<&mut T> {
        self.0.get().map(|value| &mut **value)
    }
}
