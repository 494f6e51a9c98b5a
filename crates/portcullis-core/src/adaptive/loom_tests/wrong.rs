//! What loom must find: the same with one mistake each.

use loom::{
    sync::{
        Arc, Mutex,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
        },
    },
    thread,
};

use super::Word;

/// Takes a place by a look and an addition.
#[test]
#[should_panic(expected = "beyond the limit")]
fn wrong_look_and_then_take() {
    loom::model(|| {
        let in_flight = Arc::new(AtomicU64::new(0));
        let take = |in_flight: &AtomicU64| {
            if in_flight.load(Acquire) < 1 {
                assert!(in_flight.fetch_add(1, AcqRel) < 1, "beyond the limit");
            }
        };
        let there = Arc::clone(&in_flight);
        let other = thread::spawn(move || take(&there));
        take(&in_flight);
        other.join().unwrap();
    });
}

/// Puts a limit in place together with the calls in flight that it saw before.
#[test]
#[should_panic(expected = "lost a place")]
fn wrong_limit_stored_with_old_calls() {
    loom::model(|| {
        let word = Arc::new(AtomicU64::new(1 << 32 | 1));
        let there = Arc::clone(&word);
        let other = thread::spawn(move || there.fetch_sub(1, AcqRel));
        let seen = word.load(Acquire);
        word.store(2 << 32 | (seen & 0xffff_ffff), Release);
        other.join().unwrap();
        assert_eq!(word.load(Acquire), 2 << 32, "lost a place");
    });
}

/// Takes samples out by a look, and then empties the count.
#[test]
#[should_panic(expected = "lost a sample")]
fn wrong_samples_emptied_after_a_look() {
    loom::model(|| {
        let count = Arc::new(AtomicU64::new(0));
        let there = Arc::clone(&count);
        let other = thread::spawn(move || there.fetch_add(1, Relaxed));
        let seen = count.load(Relaxed);
        count.store(0, Relaxed);
        other.join().unwrap();
        assert_eq!(seen + count.load(Relaxed), 1, "lost a sample");
    });
}

/// Ends a window that was found to be over, without a second look under the lock.
#[test]
#[should_panic(expected = "decided on twice")]
fn wrong_window_ended_without_a_second_look() {
    loom::model(|| {
        let shared = Arc::new((AtomicU64::new(0), Mutex::new(0)));
        let end = |shared: &(AtomicU64, Mutex<u32>)| {
            if shared.0.load(Acquire) == 0 {
                if let Ok(mut windows) = shared.1.try_lock() {
                    *windows += 1;
                    shared.0.store(1, Release);
                }
            }
        };
        let there = Arc::clone(&shared);
        let other = thread::spawn(move || end(&there));
        end(&shared);
        other.join().unwrap();
        assert_eq!(*shared.1.lock().unwrap(), 1, "decided on twice");
    });
}

/// Tells of the change with the lock given back before the window is over: failsafe-go did, and the next call decided on
/// the same samples again.
#[test]
#[should_panic(expected = "the same samples twice")]
fn wrong_lock_given_back_before_the_samples_are_taken() {
    loom::model(|| {
        let shared = Arc::new((AtomicU64::new(1), Mutex::new(0)));
        let end = |shared: &(AtomicU64, Mutex<u32>)| {
            let samples = {
                let mut decided = shared.1.lock().unwrap();
                let samples = shared.0.load(Acquire);
                *decided += samples as u32;
                samples
            };
            shared.0.fetch_sub(samples.min(shared.0.load(Acquire)), AcqRel);
        };
        let there = Arc::clone(&shared);
        let other = thread::spawn(move || end(&there));
        end(&shared);
        other.join().unwrap();
        assert_eq!(*shared.1.lock().unwrap(), 1, "the same samples twice");
    });
}

/// A call that found no place, and then looks at the mode whether there is a limit at all.
#[test]
#[should_panic(expected = "refused")]
fn wrong_mode_beside_the_limit() {
    loom::model(|| {
        let word = Arc::new(Word::new(0));
        let is_disabled = Arc::new(AtomicBool::new(true));
        let (there, disabled) = (Arc::clone(&word), Arc::clone(&is_disabled));
        let other = thread::spawn(move || {
            let admitted = there.try_acquire().is_some() || disabled.load(Relaxed);
            assert!(admitted, "refused");
        });
        is_disabled.store(false, Relaxed);
        word.set_limit(1);
        other.join().unwrap();
    });
}
