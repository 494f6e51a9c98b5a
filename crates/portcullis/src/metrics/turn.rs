//! One at a time, without waiting.

use std::sync::atomic::{
    AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// Who finds the work taken leaves word and goes; who has it then does it once more.
///
/// So the last run always begins after the last request, nobody is blocked, and work that asks for itself
/// again, on the same thread, does not wait for itself.
#[derive(Default)]
pub(super) struct Turn(AtomicUsize);

impl Turn {
    pub(super) fn run(&self, mut work: impl FnMut()) {
        if self.0.fetch_add(1, AcqRel) > 0 {
            return;
        }
        let open = Reopen(&self.0);
        loop {
            let asked = self.0.load(Acquire);
            work();
            if self.0.compare_exchange(asked, 0, AcqRel, Relaxed).is_ok() {
                break;
            }
        }
        std::mem::forget(open);
    }
}

/// Work that panics must not keep everybody out for good.
struct Reopen<'a>(&'a AtomicUsize);

impl Drop for Reopen<'_> {
    fn drop(&mut self) {
        self.0.store(0, Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        cell::Cell,
        panic::{AssertUnwindSafe, catch_unwind},
    };

    #[test]
    fn what_is_asked_for_meanwhile_is_done_afterwards() {
        let (turn, runs) = (Turn::default(), Cell::new(0));
        turn.run(|| {
            runs.set(runs.get() + 1);
            if runs.get() == 1 {
                turn.run(|| panic!("not inside of itself"));
            }
        });
        assert_eq!(runs.get(), 2);
    }

    #[test]
    fn a_panic_ends_only_its_own_turn() {
        let (turn, runs) = (Turn::default(), Cell::new(0));
        catch_unwind(AssertUnwindSafe(|| turn.run(|| panic!("a recorder's")))).unwrap_err();
        turn.run(|| runs.set(runs.get() + 1));
        assert_eq!(runs.get(), 1);
    }
}
