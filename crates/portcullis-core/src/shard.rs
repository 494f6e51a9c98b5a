//! Values that threads do not share a cache line for.

use std::ops::Deref;

/// A value alone on its cache lines, so that threads writing neighbours do not slow each other down.
///
/// 128 bytes, because current x86 and Apple processors fetch lines in pairs.
///
/// ```
/// use portcullis_core::Padded;
///
/// let counters: Vec<Padded<u64>> = vec![Padded(1), Padded(2)];
/// assert_eq!(*counters[0] + *counters[1], 3);
/// assert_eq!(std::mem::align_of_val(&counters[0]), 128);
/// ```
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Padded<T>(pub T);

impl<T> Deref for Padded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
