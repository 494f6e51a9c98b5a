//! What loom must find: each is one of the ideas of the budgets, done in two steps instead of one.

use loom::{
    sync::{
        Arc,
        atomic::{
            AtomicU64,
            Ordering::{self, AcqRel, Acquire, Relaxed, Release},
        },
    },
    thread,
};

/// A look at the balance, then a store of what is left.
#[test]
#[should_panic(expected = "one token, two retries")]
fn withdrawal_in_two_steps() {
    loom::model(|| {
        let tokens = Arc::new(AtomicU64::new(1));
        let granted = Arc::new(AtomicU64::new(0));
        let threads = [1, 2].map(|_| {
            let (tokens, granted) = (Arc::clone(&tokens), Arc::clone(&granted));
            thread::spawn(move || {
                if let Some(rest) = tokens.load(Acquire).checked_sub(1) {
                    tokens.store(rest, Release);
                    granted.fetch_add(1, AcqRel);
                }
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(granted.load(Acquire) <= 1, "one token, two retries");
    });
}

/// Puts a cost back by a load and a store.
#[test]
#[should_panic(expected = "a cost was lost")]
fn cost_put_back_in_two_steps() {
    loom::model(|| {
        let taken = Arc::new(AtomicU64::new(5));
        let end = {
            let taken = Arc::clone(&taken);
            thread::spawn(move || taken.store(taken.load(Acquire) - 5, Release))
        };
        taken.fetch_add(5, AcqRel);
        end.join().unwrap();
        assert_eq!(taken.load(Acquire), 5, "a cost was lost");
    });
}

/// Counts a failure by a load and a store.
#[test]
#[should_panic(expected = "an outcome was lost")]
fn failure_counted_in_two_steps() {
    loom::model(|| {
        let missing = Arc::new(AtomicU64::new(2));
        let failure = {
            let missing = Arc::clone(&missing);
            thread::spawn(move || missing.store((missing.load(Acquire) + 1).min(10), Release))
        };
        let _ = missing.fetch_update(AcqRel, Acquire, |missing| missing.checked_sub(1));
        failure.join().unwrap();
        assert_eq!(missing.load(Acquire), 2, "an outcome was lost");
    });
}

/// Keeps what a bucket holds and what it lacks in two words, and scales one after the other.
#[test]
#[should_panic(expected = "a failure fell between")]
fn throttle_scaled_in_two_words() {
    loom::model(|| {
        let (max, missing) = (Arc::new(AtomicU64::new(10_000)), Arc::new(AtomicU64::new(4000)));
        let failure = {
            let (max, missing) = (Arc::clone(&max), Arc::clone(&missing));
            thread::spawn(move || {
                let max = max.load(Acquire);
                let take = |missing: u64| (missing < max).then(|| (missing + 1000).min(max));
                let _ = missing.fetch_update(AcqRel, Acquire, take);
            })
        };
        let before = max.swap(1000, AcqRel);
        let scale = |missing: u64| Some((missing * 1000).div_ceil(before));
        let _ = missing.fetch_update(AcqRel, Acquire, scale);
        failure.join().unwrap();
        // Five of ten tokens are half of one; four, and then one more, are all of it.
        assert!(missing.load(Acquire) >= 500, "a failure fell between");
    });
}

/// A call ends on one shard, and then another begins on the other; how many are in flight?
fn seen_in_flight(begin: Ordering, look: impl Fn(&[AtomicU64; 2], &AtomicU64) -> u64) -> u64 {
    let begun = Arc::new([AtomicU64::new(1), AtomicU64::new(0)]);
    let ended = Arc::new(AtomicU64::new(0)); // of the first shard
    let calls = {
        let (begun, ended) = (Arc::clone(&begun), Arc::clone(&ended));
        thread::spawn(move || {
            ended.fetch_add(1, Relaxed);
            begun[1].fetch_add(1, begin);
        })
    };
    let seen = look(&begun, &ended);
    calls.join().unwrap();
    seen
}

/// Not wrong: the same as a budget's, so that the next two are known to fail for what they change.
#[test]
fn all_begun_and_then_all_ended() {
    loom::model(|| {
        let seen = seen_in_flight(Release, |begun, ended| {
            let begun = begun[0].load(Acquire) + begun[1].load(Acquire);
            begun - ended.load(Relaxed)
        });
        assert!(seen <= 1, "two in flight");
    });
}

#[test]
#[should_panic(expected = "two in flight")]
fn in_flight_shard_by_shard() {
    loom::model(|| {
        let seen = seen_in_flight(Release, |begun, ended| {
            let first = begun[0].load(Acquire) - ended.load(Relaxed);
            first + begun[1].load(Acquire)
        });
        assert!(seen <= 1, "two in flight");
    });
}

#[test]
#[should_panic(expected = "two in flight")]
fn a_beginning_that_does_not_bring_the_ends_before_it() {
    loom::model(|| {
        let seen = seen_in_flight(Relaxed, |begun, ended| {
            let begun = begun[0].load(Acquire) + begun[1].load(Acquire);
            begun - ended.load(Relaxed)
        });
        assert!(seen <= 1, "two in flight");
    });
}

/// Asks at the end of a call, not at its beginning, whether it is counted.
#[test]
#[should_panic(expected = "counted out, but never in")]
fn end_counted_by_the_kind_of_then() {
    loom::model(|| {
        let counts = Arc::new(AtomicU64::new(0));
        let (begun, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let call = {
            let (counts, begun, ended) = (Arc::clone(&counts), Arc::clone(&begun), Arc::clone(&ended));
            thread::spawn(move || {
                begun.fetch_add(counts.load(Acquire), AcqRel);
                ended.fetch_add(counts.load(Acquire), AcqRel);
            })
        };
        counts.store(1, Release);
        call.join().unwrap();
        assert_eq!(begun.load(Acquire), ended.load(Acquire), "counted out, but never in");
    });
}

/// Shows the kind before its rules.
#[test]
#[should_panic(expected = "an empty bucket")]
fn kind_before_its_rules() {
    loom::model(|| {
        let (kind, capacity) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let retry = {
            let (kind, capacity) = (Arc::clone(&kind), Arc::clone(&capacity));
            thread::spawn(move || kind.load(Acquire) == 0 || capacity.load(Relaxed) > 0)
        };
        kind.store(1, Release);
        capacity.store(5, Relaxed);
        assert!(retry.join().unwrap(), "an empty bucket");
    });
}

/// Reads the rules of a share without looking whether they change: the calls of one set with the pay of the other.
#[test]
#[should_panic(expected = "paid by half a change")]
fn rules_read_without_their_version() {
    loom::model(|| {
        let (seen, pay) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let change = {
            let (seen, pay) = (Arc::clone(&seen), Arc::clone(&pay));
            thread::spawn(move || {
                // One call was made, for nothing; from here on they pay.
                seen.store(1, Relaxed);
                pay.store(1, Relaxed);
            })
        };
        let earned = (1 - seen.load(Relaxed)) * pay.load(Relaxed);
        change.join().unwrap();
        assert_eq!(earned, 0, "paid by half a change");
    });
}
