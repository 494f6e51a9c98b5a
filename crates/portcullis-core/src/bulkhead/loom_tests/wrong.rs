//! What loom must find: each is one of the ideas above without the step that makes it right.

use loom::sync::{
    Mutex,
    atomic::{
        AtomicU64,
        Ordering::{AcqRel, Acquire, Release},
    },
};

use super::*;

/// Takes a permit by a look and a store.
#[test]
#[should_panic(expected = "a permit too many")]
fn permit_taken_in_two_steps() {
    loom::model(|| {
        let (free, taken) = (Arc::new(AtomicU64::new(1)), Arc::new(AtomicU64::new(0)));
        let threads = [1, 2].map(|_| {
            let (free, taken) = (Arc::clone(&free), Arc::clone(&taken));
            thread::spawn(move || {
                let seen = free.load(Acquire);
                if seen > 0 {
                    free.store(seen - 1, Release);
                    taken.fetch_add(1, AcqRel);
                }
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(taken.load(Acquire) <= 1, "a permit too many");
    });
}

/// One permit, one place in line; what differs is how the waiter says that it waits.
struct Twin {
    free: AtomicU64,
    waiting: AtomicU64,
    line: Mutex<Option<Waker>>,
}

impl Twin {
    fn release(&self) {
        self.free.store(1, Release);
        if self.waiting.load(Acquire) == 1 {
            if let Some(waker) = self.line.lock().unwrap().take() {
                waker.wake();
            }
        }
    }

    /// Looks for a permit, and only then says that it waits: a release in between wakes nobody.
    fn poll(&self, waker: &Waker) -> Poll<()> {
        if self.free.swap(0, AcqRel) == 1 {
            return Poll::Ready(());
        }
        *self.line.lock().unwrap() = Some(waker.clone());
        self.waiting.store(1, Release);
        Poll::Pending
    }
}

/// Not by sleeping until woken: loom reports that deadlock in a way that no test can expect.
#[test]
#[should_panic(expected = "sleeps for ever")]
fn waiting_announced_without_another_look() {
    loom::model(|| {
        let line = Mutex::new(None);
        let twin = Arc::new(Twin { free: AtomicU64::new(0), waiting: AtomicU64::new(0), line });
        let waiter = {
            let twin = Arc::clone(&twin);
            thread::spawn(move || twin.poll(Waker::noop()).is_pending())
        };
        twin.release();
        let forgotten = waiter.join().unwrap() && twin.line.lock().unwrap().is_some();
        assert!(!forgotten, "sleeps for ever");
    });
}

/// Leaves the line without looking whether a permit was handed over meanwhile.
#[test]
#[should_panic(expected = "a permit is lost")]
fn left_without_a_look_at_what_was_granted() {
    loom::model(|| {
        let (line, free) = (Arc::new(Mutex::new(vec![7])), Arc::new(AtomicU64::new(0)));
        let leaver = {
            let line = Arc::clone(&line);
            thread::spawn(move || line.lock().unwrap().retain(|&waiting| waiting != 7))
        };
        let granted = line.lock().unwrap().pop();
        if granted.is_none() {
            free.fetch_add(1, AcqRel);
        }
        leaver.join().unwrap();
        assert_eq!(free.load(Acquire), 1, "a permit is lost");
    });
}

const FLAG: u64 = 1 << 32;

/// Looks for who waits, and only then gives the permit back: to nobody, when somebody came in between.
#[test]
#[should_panic(expected = "waits in front of a free permit")]
fn given_back_after_the_look_at_who_waits() {
    loom::model(|| {
        let (word, called) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let waiter = {
            let word = Arc::clone(&word);
            // Announces itself, and looks for a permit in the same step.
            thread::spawn(move || word.fetch_add(FLAG, AcqRel) == 0)
        };
        let waits = word.load(Acquire) & FLAG != 0;
        word.fetch_add(1, AcqRel);
        if waits {
            called.store(1, Release);
        }
        let forgotten = waiter.join().unwrap() && called.load(Acquire) == 0;
        assert!(!forgotten, "waits in front of a free permit");
    });
}

/// Sets the number of free permits by what was in use a moment ago.
#[test]
#[should_panic(expected = "a permit is lost")]
fn resized_in_two_steps() {
    loom::model(|| {
        let free = Arc::new(AtomicU64::new(0)); // one of one is in use
        let resizer = {
            let free = Arc::clone(&free);
            thread::spawn(move || {
                let used = 1 - free.load(Acquire);
                free.store(2 - used, Release);
            })
        };
        free.fetch_add(1, AcqRel);
        resizer.join().unwrap();
        assert_eq!(free.load(Acquire), 2, "a permit is lost");
    });
}
