//! The deadline of the call within which code runs.

use std::cell::Cell;

use portcullis_core::Time;

thread_local! {
    /// Of the call that is polled now.
    static CURRENT: Cell<Option<Time>> = const { Cell::new(None) };
}

/// The deadline of the call within which this is called, if there is one: that of the innermost
/// [`DeadlineLayer`](crate::DeadlineLayer) on the way here. What the call runs on a
/// [pool of threads](crate::pool) or by an [executor](crate::executor) has it too; tasks that the call spawns itself
/// have none: ask before, and take the time along.
pub fn current() -> Option<Time> {
    // A thread that is ending polls nothing.
    CURRENT.try_with(Cell::get).ok().flatten()
}

/// Polls within this deadline.
pub(crate) fn within<R>(deadline: Time, poll: impl FnOnce() -> R) -> R {
    let _restored = Restored(current());
    let _ = CURRENT.try_with(|current| current.set(Some(deadline)));
    poll()
}

/// Puts back what there was, also when the code within panics.
struct Restored(Option<Time>);

impl Drop for Restored {
    fn drop(&mut self) {
        let _ = CURRENT.try_with(|current| current.set(self.0));
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn the_innermost_counts_and_nothing_is_left_behind() {
        let at = Time::from_millis;
        let seen = within(at(9), || (within(at(5), current), current()));
        assert_eq!((seen, current()), ((Some(at(5)), Some(at(9))), None));
        let panics = AssertUnwindSafe(|| within(at(5), || panic!("a handler")));
        catch_unwind(panics).unwrap_err();
        assert_eq!(current(), None);
    }
}
