//! Every order in which a few threads can take, return, wait for and give up permits.

use std::task::{Poll, Wake, Waker};

use loom::{
    sync::{Arc, Notify},
    thread,
};

use super::{Config, Enqueued, Semaphore};

fn semaphore(max_in_flight: u32, max_queued: u32) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(Config { max_in_flight, max_queued, ..Config::default() }).unwrap())
}

struct Bell(Arc<Notify>);

impl Wake for Bell {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.notify();
    }
}

/// Polls until the permit is there, sleeping in between: for ever, if nobody wakes it, which loom reports.
fn wait(mut poll: impl FnMut(&Waker) -> Poll<()>) {
    let notify = Arc::new(Notify::new());
    let waker = Waker::from(std::sync::Arc::new(Bell(Arc::clone(&notify))));
    while poll(&waker).is_pending() {
        notify.wait();
    }
}

/// Takes a permit, waiting for it if need be.
fn acquire(semaphore: &Semaphore) {
    match semaphore.enqueue() {
        Ok(Enqueued::Acquired) => {}
        Ok(Enqueued::Waiting(place)) => wait(|waker| semaphore.poll(&place, waker)),
        Err(full) => panic!("{full:?}"),
    }
}

fn apart(semaphore: &Arc<Semaphore>, work: impl FnOnce(&Semaphore) + 'static) -> thread::JoinHandle<()> {
    let semaphore = Arc::clone(semaphore);
    thread::spawn(move || work(&semaphore))
}

/// As new: every permit can be taken, and nobody waits.
fn assert_idle(semaphore: &Semaphore) {
    assert_eq!((semaphore.in_flight(), semaphore.queued()), (0, 0));
    let limit = semaphore.config().max_in_flight;
    assert!((0..limit).all(|_| semaphore.try_acquire()), "a permit is lost");
    assert!(!semaphore.try_acquire(), "a permit too many");
}

#[test]
fn permits_are_conserved_without_a_queue() {
    loom::model(|| {
        let semaphore = semaphore(1, 0);
        let threads = [1, 2].map(|_| {
            apart(&semaphore, |semaphore| {
                if semaphore.try_acquire() {
                    assert_eq!(semaphore.in_flight(), 1);
                    semaphore.release();
                }
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_idle(&semaphore);
    });
}

/// The permit comes back just when somebody begins to wait for it.
#[test]
fn queueing_sees_a_permit_that_is_released_meanwhile() {
    loom::model(|| {
        let semaphore = semaphore(1, 1);
        assert!(semaphore.try_acquire());
        let waiter = apart(&semaphore, |semaphore| {
            acquire(semaphore);
            semaphore.release();
        });
        semaphore.release();
        waiter.join().unwrap();
        assert_idle(&semaphore);
    });
}

#[test]
fn two_who_wait_both_get_their_turn() {
    loom::model(|| {
        let semaphore = semaphore(1, 2);
        assert!(semaphore.try_acquire());
        let waiters = [1, 2].map(|_| {
            apart(&semaphore, |semaphore| {
                acquire(semaphore);
                assert_eq!(semaphore.in_flight(), 1);
                semaphore.release();
            })
        });
        semaphore.release();
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        assert_idle(&semaphore);
    });
}

/// Two permits come back at once, to one who waits and one who only tries.
#[test]
fn who_only_tries_never_keeps_a_permit_from_who_waits() {
    loom::model(|| {
        let semaphore = semaphore(1, 1);
        assert!(semaphore.try_acquire());
        let waiter = apart(&semaphore, |semaphore| {
            acquire(semaphore);
            semaphore.release();
        });
        let trier = apart(&semaphore, |semaphore| {
            if semaphore.try_acquire() {
                semaphore.release();
            }
        });
        semaphore.release();
        waiter.join().unwrap();
        trier.join().unwrap();
        assert_idle(&semaphore);
    });
}

/// K7: whoever gives up while a permit is being handed over passes it on.
#[test]
fn leaving_passes_on_a_permit_that_is_just_granted() {
    loom::model(|| {
        let semaphore = semaphore(1, 2);
        assert!(semaphore.try_acquire());
        let Ok(Enqueued::Waiting(first)) = semaphore.enqueue() else { panic!("nothing is free") };
        let leaver = apart(&semaphore, move |semaphore| semaphore.leave(first));
        let waiter = apart(&semaphore, |semaphore| {
            acquire(semaphore);
            semaphore.release();
        });
        semaphore.release();
        leaver.join().unwrap();
        waiter.join().unwrap();
        assert_idle(&semaphore);
    });
}

/// The last in line leaves while a permit comes back: it goes to nobody, and is free.
#[test]
fn the_last_to_leave_opens_the_short_way_again() {
    loom::model(|| {
        let semaphore = semaphore(1, 1);
        assert!(semaphore.try_acquire());
        let Ok(Enqueued::Waiting(place)) = semaphore.enqueue() else { panic!("nothing is free") };
        let leaver = apart(&semaphore, move |semaphore| semaphore.leave(place));
        semaphore.release();
        leaver.join().unwrap();
        assert_idle(&semaphore);
    });
}

/// The line holds as many as it may and no more, however many come at once.
#[test]
fn the_line_is_bounded() {
    loom::model(|| {
        let semaphore = semaphore(1, 1);
        assert!(semaphore.try_acquire());
        let other = apart(&semaphore, |semaphore| {
            if let Ok(Enqueued::Waiting(place)) = semaphore.enqueue() {
                assert!(semaphore.queued() <= 1);
                semaphore.leave(place);
            }
        });
        if let Ok(Enqueued::Waiting(place)) = semaphore.enqueue() {
            assert!(semaphore.queued() <= 1);
            semaphore.leave(place);
        }
        other.join().unwrap();
        semaphore.release();
        assert_idle(&semaphore);
    });
}

/// What loom must find: each is one of the ideas above without the step that makes it right.
mod wrong {
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
}
