//! What loom must find, of windows, evidence, settings and callbacks.

use loom::{
    sync::{
        Arc, Mutex,
        atomic::{
            AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
        },
    },
    thread,
};

use super::wrong::twice;

/// A shard: how many successes, and when its bucket ends.
fn shard(successes: u64, end: u64) -> [Arc<AtomicU64>; 2] {
    [successes, end].map(|value| Arc::new(AtomicU64::new(value)))
}

/// Takes the successes of a bucket out by a load and a store.
#[test]
#[should_panic(expected = "lost a success")]
fn bucket_emptied_by_a_store() {
    loom::model(|| {
        let [count, _] = shard(1, 0);
        let there = Arc::clone(&count);
        let other = thread::spawn(move || there.fetch_add(1, AcqRel));
        let taken = count.load(Acquire);
        count.store(0, Release);
        other.join().unwrap();
        assert_eq!(taken + count.load(Acquire), 2, "lost a success");
    });
}

/// Adds up counts of which one is being moved to the other.
#[test]
#[should_panic(expected = "a total went down")]
fn total_taken_without_the_lock() {
    loom::model(|| {
        let [count, past] = shard(1, 0);
        let (from, to) = (Arc::clone(&count), Arc::clone(&past));
        let other = thread::spawn(move || {
            let taken = from.swap(0, AcqRel);
            to.fetch_add(taken, AcqRel);
        });
        assert_eq!(count.load(Acquire) + past.load(Acquire), 1, "a total went down");
        other.join().unwrap();
    });
}

/// Makes the next word of one that was read before the lock was taken.
#[test]
#[should_panic(expected = "lost the flag")]
fn next_word_made_of_an_older_one() {
    const TIMED: u64 = 8;
    loom::model(|| {
        let (word, lock) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(())));
        let (there, its) = (Arc::clone(&word), Arc::clone(&lock));
        let other = thread::spawn(move || {
            let seen = there.load(Acquire);
            let _guard = its.lock().unwrap();
            there.store(seen | 1, Release); // open
        });
        {
            let _guard = lock.lock().unwrap();
            word.store(word.load(Acquire) | TIMED, Release);
        }
        other.join().unwrap();
        assert_eq!(word.load(Acquire), TIMED | 1, "lost the flag");
    });
}

/// Two counters, each counted up before both are read: two threads may each miss the other's.
#[test]
#[should_panic(expected = "nobody decided")]
fn probes_counted_in_two_words() {
    loom::model(|| {
        let [successes, failures] = shard(0, 0);
        let (mine, its) = (Arc::clone(&failures), Arc::clone(&successes));
        let other = thread::spawn(move || {
            mine.fetch_add(1, AcqRel);
            its.load(Acquire) == 1
        });
        successes.fetch_add(1, AcqRel);
        let here = failures.load(Acquire) == 1;
        assert!(other.join().unwrap() || here, "nobody decided");
    });
}

/// Says when the new bucket ends before the successes of the old one are out.
#[test]
#[should_panic(expected = "counted in a bucket that had ended")]
fn bucket_begun_before_the_old_one_is_out() {
    loom::model(|| {
        let [count, end] = shard(1, 1);
        let (there, seen) = (Arc::clone(&count), Arc::clone(&end));
        let other = thread::spawn(move || {
            if seen.load(Acquire) == 2 {
                there.fetch_add(1, AcqRel); // a success of the new bucket
            }
        });
        end.store(2, Release);
        let taken = count.swap(0, AcqRel);
        other.join().unwrap();
        assert_eq!(taken, 1, "counted in a bucket that had ended");
    });
}

/// Two threads find the bucket over, and neither looks again under the lock.
#[test]
#[should_panic(expected = "ended the new bucket")]
fn bucket_ended_without_a_second_look() {
    loom::model(|| {
        let [ends, end] = shard(0, 1);
        let (lock, counted) = (Arc::new(Mutex::new(())), Arc::clone(&ends));
        twice(move || {
            if end.load(Acquire) == 1 {
                let _guard = lock.lock().unwrap();
                end.store(2, Release);
                ends.fetch_add(1, AcqRel);
            }
        });
        assert_eq!(counted.load(Acquire), 1, "ended the new bucket");
    });
}

/// Opens first, and writes down why afterwards.
#[test]
#[should_panic(expected = "refused without a reason")]
fn evidence_after_the_word() {
    loom::model(|| {
        let [evidence, word] = shard(0, 0);
        let (why, open) = (Arc::clone(&evidence), Arc::clone(&word));
        let other = thread::spawn(move || {
            open.store(1, Release);
            why.store(7, Relaxed);
        });
        if word.load(Acquire) == 1 {
            assert_eq!(evidence.load(Relaxed), 7, "refused without a reason");
        }
        other.join().unwrap();
    });
}

/// Writes down why and then opens, but publishes neither.
#[test]
#[should_panic(expected = "refused without a reason")]
fn evidence_that_is_not_published() {
    loom::model(|| {
        let [evidence, word] = shard(0, 0);
        let (why, open) = (Arc::clone(&evidence), Arc::clone(&word));
        let other = thread::spawn(move || {
            why.store(7, Relaxed);
            open.store(1, Relaxed);
        });
        if word.load(Acquire) == 1 {
            assert_eq!(evidence.load(Relaxed), 7, "refused without a reason");
        }
        other.join().unwrap();
    });
}

/// Sets a flag of the word by a load and a store without the lock that transitions hold.
#[test]
#[should_panic(expected = "undid a transition")]
fn flag_written_without_the_lock() {
    const TIMED: u64 = 8;
    loom::model(|| {
        let word = Arc::new(AtomicU64::new(0));
        let (lock, there) = (Arc::new(Mutex::new(())), Arc::clone(&word));
        let other = thread::spawn(move || {
            let _guard = lock.lock().unwrap();
            there.store(there.load(Acquire) | 1, Release); // open
        });
        word.store(word.load(Acquire) | TIMED, Release);
        other.join().unwrap();
        assert_eq!(word.load(Acquire), TIMED | 1, "undid a transition");
    });
}

/// Ends what is over by its epoch alone, though its end was put off in the same epoch.
#[test]
#[should_panic(expected = "ended an order that was prolonged")]
fn order_ended_by_its_epoch_alone() {
    const CLOSED: u64 = 0;
    loom::model(|| {
        let end = Arc::new(Mutex::new(1));
        let there = Arc::clone(&end);
        let other = thread::spawn(move || {
            let over = *there.lock().unwrap() == 1;
            if over {
                *there.lock().unwrap() = CLOSED;
            }
        });
        *end.lock().unwrap() = 9;
        other.join().unwrap();
        assert_eq!(*end.lock().unwrap(), 9, "ended an order that was prolonged");
    });
}

/// Looks at the results of the other probes before its own is counted.
#[test]
#[should_panic(expected = "nobody decided")]
fn probe_judged_before_it_is_counted() {
    loom::model(|| {
        let [results, decided] = shard(0, 0);
        let count = Arc::clone(&decided);
        twice(move || {
            let before = results.load(Acquire);
            results.fetch_add(1, AcqRel);
            if before + 1 >= 2 {
                decided.fetch_add(1, AcqRel);
            }
        });
        assert!(count.load(Acquire) >= 1, "nobody decided");
    });
}

/// Changes one setting of a copy, and puts the copy back.
#[test]
#[should_panic(expected = "undid another's change")]
fn settings_copied_and_put_back() {
    loom::model(|| {
        let settings = Arc::new(Mutex::new((0, 0)));
        let there = Arc::clone(&settings);
        let other = thread::spawn(move || {
            let copy = *there.lock().unwrap();
            *there.lock().unwrap() = (1, copy.1);
        });
        settings.lock().unwrap().1 = 1;
        other.join().unwrap();
        assert_eq!(*settings.lock().unwrap(), (1, 1), "undid another's change");
    });
}

/// Counts a failure under the lock, but lets go of it before the failure has opened.
#[test]
#[should_panic(expected = "one probe failed twice")]
fn failure_counted_before_the_trip() {
    loom::model(|| {
        let (open, [failures, _]) = (Arc::new(Mutex::new(false)), shard(0, 0));
        let count = Arc::clone(&failures);
        twice(move || {
            let guard = open.lock().unwrap();
            if !*guard {
                failures.fetch_add(1, AcqRel);
                drop(guard); // to ask for the open time
                *open.lock().unwrap() = true;
            }
        });
        assert_eq!(count.load(Acquire), 1, "one probe failed twice");
    });
}

/// Tells a listener under the lock that the listener needs.
#[test]
#[should_panic(expected = "deadlock")]
fn listener_told_under_the_lock() {
    loom::model(|| {
        let log = Mutex::new(1);
        let _guard = log.lock().unwrap();
        assert_eq!(*log.lock().unwrap(), 1);
    });
}

/// Looks whether its shard is the only one before it takes the lock.
#[test]
#[should_panic(expected = "a place before the newest")]
fn shards_looked_at_without_the_lock() {
    loom::model(|| {
        let [alone, count] = shard(1, 0);
        let newest = Arc::new(Mutex::new(0));
        let (its, there, log) = (Arc::clone(&alone), Arc::clone(&count), Arc::clone(&newest));
        let other = thread::spawn(move || {
            {
                let _guard = log.lock().unwrap();
                its.store(0, Relaxed);
            }
            there.fetch_add(1, AcqRel); // a success
            *log.lock().unwrap() = there.load(Acquire); // and a failure
        });
        let is_alone = alone.load(Relaxed) == 1;
        let newest = newest.lock().unwrap();
        let successes = if is_alone { 0 } else { count.load(Acquire) };
        assert!(successes >= *newest, "a place before the newest");
        drop(newest);
        other.join().unwrap();
    });
}
