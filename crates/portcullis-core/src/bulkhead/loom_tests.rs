//! Every order in which a few threads can take, return, wait for and give up permits.

use std::task::{Poll, Wake, Waker};

use loom::{
    sync::{Arc, Notify},
    thread,
};

use super::{Config, Demand, Enqueued, Order, Place, Semaphore, Turn};
use crate::{Mode, Time};

mod wrong;

fn never() -> Time {
    panic!("nobody has to know how late it is")
}

fn semaphore(max_in_flight: u32, max_queued: u32) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(Config { max_in_flight, max_queued, ..Config::default() }).unwrap())
}

struct Bell(Arc<Notify>);

impl Wake for Bell {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.notify();
    }
}

/// Polls until the turn has come, sleeping in between: for ever, if nobody wakes it, which loom reports.
fn wait(semaphore: &Semaphore, place: &Place) -> u32 {
    let notify = Arc::new(Notify::new());
    let waker = Waker::from(std::sync::Arc::new(Bell(Arc::clone(&notify))));
    loop {
        match semaphore.poll(place, &waker) {
            Poll::Ready(Turn::Granted(taken)) => return taken,
            Poll::Ready(turn) => panic!("{turn:?}"),
            Poll::Pending => notify.wait(),
        }
    }
}

/// Takes these permits, waiting for them if need be.
fn acquire_as(semaphore: &Semaphore, demand: Demand) -> u32 {
    match semaphore.enqueue(demand, never) {
        Ok(Enqueued::Acquired(taken)) => taken,
        Ok(Enqueued::Waiting(place)) => wait(semaphore, &place),
        Err(full) => panic!("{full:?}"),
    }
}

fn acquire(semaphore: &Semaphore) {
    assert_eq!(acquire_as(semaphore, Demand::ONE), 1);
}

fn apart(semaphore: &Arc<Semaphore>, work: impl FnOnce(&Semaphore) + 'static) -> thread::JoinHandle<()> {
    let semaphore = Arc::clone(semaphore);
    thread::spawn(move || work(&semaphore))
}

/// As new: every permit can be taken, and nobody waits.
fn assert_idle(semaphore: &Semaphore) {
    assert_eq!((semaphore.in_flight(), semaphore.queued()), (0, 0));
    let limit = semaphore.limit();
    assert!((0..limit).all(|_| semaphore.try_acquire_one()), "a permit is lost");
    assert!(!semaphore.try_acquire_one(), "a permit too many");
}

#[test]
fn permits_are_conserved_without_a_queue() {
    loom::model(|| {
        let semaphore = semaphore(1, 0);
        let threads = [1, 2].map(|_| {
            apart(&semaphore, |semaphore| {
                if semaphore.try_acquire_one() {
                    assert_eq!(semaphore.in_flight(), 1);
                    semaphore.release(1, never);
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
        assert!(semaphore.try_acquire_one());
        let waiter = apart(&semaphore, |semaphore| {
            acquire(semaphore);
            semaphore.release(1, never);
        });
        semaphore.release(1, never);
        waiter.join().unwrap();
        assert_idle(&semaphore);
    });
}

#[test]
fn two_who_wait_both_get_their_turn() {
    loom::model(|| {
        let semaphore = semaphore(1, 2);
        assert!(semaphore.try_acquire_one());
        let waiters = [1, 2].map(|_| {
            apart(&semaphore, |semaphore| {
                acquire(semaphore);
                assert_eq!(semaphore.in_flight(), 1);
                semaphore.release(1, never);
            })
        });
        semaphore.release(1, never);
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        assert_idle(&semaphore);
    });
}

/// Two permits come back at once, to one who waits and one who only tries.
#[test]
fn who_only_tries_never_keeps_a_permit_from_who_waits() {
    loom::model(|| {
        let semaphore = semaphore(1, 1);
        assert!(semaphore.try_acquire_one());
        let waiter = apart(&semaphore, |semaphore| {
            acquire(semaphore);
            semaphore.release(1, never);
        });
        let trier = apart(&semaphore, |semaphore| {
            if semaphore.try_acquire_one() {
                semaphore.release(1, never);
            }
        });
        semaphore.release(1, never);
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
        assert!(semaphore.try_acquire_one());
        let Ok(Enqueued::Waiting(first)) = semaphore.enqueue(Demand::ONE, never) else {
            panic!("nothing is free")
        };
        let leaver = apart(&semaphore, move |semaphore| semaphore.leave(first, never));
        let waiter = apart(&semaphore, |semaphore| {
            acquire(semaphore);
            semaphore.release(1, never);
        });
        semaphore.release(1, never);
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
        assert!(semaphore.try_acquire_one());
        let Ok(Enqueued::Waiting(place)) = semaphore.enqueue(Demand::ONE, never) else {
            panic!("nothing is free")
        };
        let leaver = apart(&semaphore, move |semaphore| semaphore.leave(place, never));
        semaphore.release(1, never);
        leaver.join().unwrap();
        assert_idle(&semaphore);
    });
}

/// The line holds as many as it may and no more, however many come at once.
#[test]
fn the_line_is_bounded() {
    loom::model(|| {
        let semaphore = semaphore(1, 1);
        assert!(semaphore.try_acquire_one());
        let other = apart(&semaphore, |semaphore| {
            if let Ok(Enqueued::Waiting(place)) = semaphore.enqueue(Demand::ONE, never) {
                assert!(semaphore.queued() <= 1);
                semaphore.leave(place, never);
            }
        });
        if let Ok(Enqueued::Waiting(place)) = semaphore.enqueue(Demand::ONE, never) {
            assert!(semaphore.queued() <= 1);
            semaphore.leave(place, never);
        }
        other.join().unwrap();
        semaphore.release(1, never);
        assert_idle(&semaphore);
    });
}

/// Two permits come back one by one, to one who wants both while another wants one.
#[test]
fn heavy_and_light_both_get_their_turn() {
    loom::model(|| {
        let semaphore = semaphore(2, 2);
        assert_eq!(semaphore.try_acquire(Demand::of(2)), Some(2));
        let waiters = [2, 1].map(|weight| {
            apart(&semaphore, move |semaphore| {
                let taken = acquire_as(semaphore, Demand::of(weight));
                assert_eq!(taken, weight);
                semaphore.release(taken, never);
            })
        });
        semaphore.release(1, never);
        semaphore.release(1, never);
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        assert_idle(&semaphore);
    });
}

/// The first in line wants more than there is, and gives up while a permit comes back: whoever stood behind
/// goes on.
#[test]
fn who_leaves_makes_way() {
    loom::model(|| {
        let semaphore = semaphore(2, 2);
        assert_eq!(semaphore.try_acquire(Demand::of(2)), Some(2));
        let Ok(Enqueued::Waiting(heavy)) = semaphore.enqueue(Demand::of(2), never) else {
            panic!("nothing is free")
        };
        let Ok(Enqueued::Waiting(light)) = semaphore.enqueue(Demand::ONE, never) else {
            panic!("nothing is free")
        };
        let leaver = apart(&semaphore, move |semaphore| semaphore.leave(heavy, never));
        let waiter = apart(&semaphore, move |semaphore| {
            assert_eq!(wait(semaphore, &light), 1);
            semaphore.release(1, never);
        });
        semaphore.release(1, never);
        leaver.join().unwrap();
        waiter.join().unwrap();
        semaphore.release(1, never);
        assert_idle(&semaphore);
    });
}

fn resize(semaphore: &Semaphore, max_in_flight: u32) {
    semaphore.update(|config| Config { max_in_flight, ..config.clone() }, never).unwrap();
}

/// The limit is raised while a call comes to wait, and another gives its permit back.
#[test]
fn a_raised_limit_reaches_who_waits() {
    loom::model(|| {
        let semaphore = semaphore(1, 1);
        semaphore.force(Demand::ONE);
        let waiter = apart(&semaphore, acquire);
        resize(&semaphore, 2);
        waiter.join().unwrap();
        assert_eq!(semaphore.in_flight(), 2);
        semaphore.release(2, never);
        assert_idle(&semaphore);
    });
}

/// The limit goes down and up while permits are taken and given back.
#[test]
fn resizing_keeps_the_count() {
    loom::model(|| {
        let semaphore = semaphore(2, 1);
        assert!(semaphore.try_acquire_one());
        let other = apart(&semaphore, |semaphore| {
            if semaphore.try_acquire_one() {
                semaphore.release(1, never);
            }
        });
        let resizer = apart(&semaphore, |semaphore| resize(semaphore, 1));
        semaphore.release(1, never);
        other.join().unwrap();
        resizer.join().unwrap();
        assert_idle(&semaphore);
    });
}

/// The bulkhead is switched off while a call comes to wait: it goes on, and holds nothing.
#[test]
fn nobody_waits_at_what_is_switched_off() {
    loom::model(|| {
        let semaphore = semaphore(1, 1);
        assert!(semaphore.try_acquire_one());
        let waiter = apart(&semaphore, |semaphore| {
            assert_eq!(acquire_as(semaphore, Demand::ONE), 0);
        });
        semaphore.update(|config| Config { mode: Mode::Disabled, ..config.clone() }, never).unwrap();
        waiter.join().unwrap();
        semaphore.update(|config| Config { mode: Mode::Enforce, ..config.clone() }, never).unwrap();
        semaphore.release(1, never);
        assert_idle(&semaphore);
    });
}

/// Whoever comes last is first, and may take a permit that is just coming back to who waited: who waited gets
/// the next.
#[test]
fn who_is_overtaken_still_gets_a_turn() {
    loom::model(|| {
        let rules = Config { max_in_flight: 1, max_queued: 2, order: Order::Lifo, ..Config::default() };
        let semaphore = Arc::new(Semaphore::new(rules).unwrap());
        assert!(semaphore.try_acquire_one());
        let waiters = [1, 2].map(|_| {
            apart(&semaphore, |semaphore| {
                acquire(semaphore);
                semaphore.release(1, never);
            })
        });
        semaphore.release(1, never);
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        assert_idle(&semaphore);
    });
}
