//! Who waits for the work on a thread.

use std::fmt;

/// Who waits for the answer of work on a thread, for work that wants to stop when nobody does any more. A
/// future is stopped without that; what blocks or computes can only stop by itself.
///
/// See [`ThreadPool::run_with`](super::ThreadPool::run_with).
pub struct Caller<'a>(&'a (dyn Fn() -> bool + Sync));

impl<'a> Caller<'a> {
    pub(super) fn new(is_gone: &'a (dyn Fn() -> bool + Sync)) -> Self {
        Self(is_gone)
    }

    /// Whether the call was dropped: nobody will see the answer. Costs an atomic load.
    pub fn is_gone(&self) -> bool {
        self.0()
    }
}

impl fmt::Debug for Caller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("is_gone", &self.is_gone()).finish()
    }
}
