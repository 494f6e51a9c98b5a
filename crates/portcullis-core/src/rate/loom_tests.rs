//! Every order in which a few threads can take, wait for, leave and reserve permits, or change the rate.

use std::{
    task::{Wake, Waker},
    time::Duration,
};

use loom::{
    sync::{
        Arc, Notify,
        atomic::{
            AtomicU64,
            Ordering::{AcqRel, Acquire, Release},
        },
    },
    thread,
};

use super::*;
use crate::Time;

const SECOND: Duration = Duration::from_secs(1);
const START: Time = Time::from_millis(1000);

fn limiter(burst: u32) -> Arc<Limiter> {
    Arc::new(Limiter::new(Config { permits: 1, burst: Some(burst), ..Config::default() }).unwrap())
}

fn apart<R: 'static>(
    limiter: &Arc<Limiter>,
    work: impl FnOnce(&Limiter) -> R + 'static,
) -> thread::JoinHandle<R> {
    let limiter = Arc::clone(limiter);
    thread::spawn(move || work(&limiter))
}

#[test]
fn two_threads_take_no_more_than_the_burst() {
    loom::model(|| {
        let limiter = limiter(2);
        let threads = [1, 2].map(|_| apart(&limiter, |limiter| limiter.try_take(1, START)));
        let here = limiter.try_take(1, START);
        let taken = threads.into_iter().map(|thread| thread.join().unwrap()).chain([here]);
        assert_eq!(taken.filter(|taken| *taken).count(), 2);
    });
}

/// A look at the lock takes the word away for a moment.
#[test]
fn a_look_hides_no_permit() {
    loom::model(|| {
        let limiter = limiter(1);
        let looks = apart(&limiter, |limiter| limiter.available(START));
        assert!(limiter.try_take(1, START), "it is there");
        looks.join().unwrap();
        assert!(!limiter.try_take(1, START));
    });
}

#[test]
fn a_new_rate_loses_no_permit_and_makes_none() {
    loom::model(|| {
        let limiter = limiter(2);
        let change = apart(&limiter, |limiter| {
            let other = Config { permits: 10, burst: Some(2), ..Config::default() };
            limiter.reconfigure(&other, START).unwrap();
        });
        assert!(limiter.try_take(1, START));
        change.join().unwrap();
        assert_eq!(limiter.available(START), 1);
        assert!(limiter.try_take(1, START) && !limiter.try_take(1, START));
    });
}

struct Bell(Arc<Notify>);

impl Wake for Bell {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.notify();
    }
}

/// The one in front leaves just as the next one begins to wait for it to go: somebody must be told the time.
#[test]
fn a_head_that_leaves_tells_the_next() {
    loom::model(|| {
        let limiter = limiter(1);
        assert!(limiter.try_take(1, START));
        let mut places = [(); 2].map(|()| match limiter.ask(1, START, 2, 9 * SECOND) {
            Asked::Waiting(place) => Some(place),
            _ => None,
        });
        let (first, second) = (places[0].take().unwrap(), places[1].take().unwrap());
        let leaves = apart(&limiter, move |limiter| limiter.leave(first, START));
        let notify = Arc::new(Notify::new());
        let waker = Waker::from(std::sync::Arc::new(Bell(Arc::clone(&notify))));
        let due = loop {
            match limiter.poll(&second, START, &waker) {
                Turn::Wait(Some(due)) => break due,
                Turn::Wait(None) => notify.wait(),
                Turn::Come => panic!("too early"),
            }
        };
        leaves.join().unwrap();
        assert_eq!(due, START + SECOND);
        assert_eq!(limiter.poll(&second, due, &waker), Turn::Come);
    });
}

#[test]
fn nobody_takes_what_was_reserved() {
    loom::model(|| {
        let limiter = limiter(1);
        let other = apart(&limiter, |limiter| limiter.try_take(1, START));
        let reserved = limiter.reserve(1, START, Duration::ZERO);
        assert!(other.join().unwrap() != reserved.is_ok(), "one of them has it");
        if let Ok(reserved) = reserved {
            limiter.give_back(reserved, START);
            assert!(limiter.try_take(1, START));
        }
    });
}

/// What loom must find: the word is read, and then stored.
#[test]
#[should_panic(expected = "one permit, two calls")]
fn wrong_taken_in_two_steps() {
    loom::model(|| {
        let (full, granted) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let threads = [1, 2].map(|_| {
            let (full, granted) = (Arc::clone(&full), Arc::clone(&granted));
            thread::spawn(move || {
                if full.load(Acquire) <= 10 {
                    full.store(20, Release);
                    granted.fetch_add(1, AcqRel);
                }
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(granted.load(Acquire) <= 1, "one permit, two calls");
    });
}

/// What loom must find: who does not find a permit asks only then whether the word was taken away.
#[test]
#[should_panic(expected = "it was there all the time")]
fn wrong_asked_for_the_bit_afterwards() {
    const LOCKED: u64 = 1 << 63;
    loom::model(|| {
        let full = Arc::new(AtomicU64::new(0));
        let looks = {
            let full = Arc::clone(&full);
            thread::spawn(move || {
                full.fetch_or(LOCKED, AcqRel);
                full.store(0, Release);
            })
        };
        let there = full.load(Acquire) & LOCKED == 0;
        assert!(there || full.load(Acquire) & LOCKED != 0, "it was there all the time");
        looks.join().unwrap();
    });
}

/// What loom must find: the word is changed under the lock without being taken away first.
#[test]
#[should_panic(expected = "a permit was forgotten")]
fn wrong_changed_without_the_bit() {
    loom::model(|| {
        let full = Arc::new(AtomicU64::new(10));
        let change = {
            let full = Arc::clone(&full);
            thread::spawn(move || full.store(full.load(Acquire) * 2, Release))
        };
        full.fetch_add(1, AcqRel);
        change.join().unwrap();
        assert!([21, 22].contains(&full.load(Acquire)), "a permit was forgotten");
    });
}

/// What loom must find: who leaves the front of a line tells nobody.
#[test]
#[should_panic(expected = "deadlock")]
fn wrong_left_without_a_word() {
    loom::model(|| {
        let (head, notify) = (Arc::new(AtomicU64::new(1)), Arc::new(Notify::new()));
        let leaves = {
            let head = Arc::clone(&head);
            thread::spawn(move || head.store(2, Release))
        };
        if head.load(Acquire) != 2 {
            notify.wait();
        }
        leaves.join().unwrap();
    });
}
