//! Every order in which calls and retries can reach a budget.

use loom::{
    sync::{
        Arc,
        atomic::{
            AtomicU64,
            Ordering::{AcqRel, Acquire, Release},
        },
    },
    thread,
};

use super::{Budget, BudgetConfig};
use crate::Time;

fn budget(ratio: f64) -> Arc<Budget> {
    Arc::new(Budget::new(BudgetConfig { ratio, min_per_second: 0 }, 2).unwrap())
}

/// Two calls pay for one retry: whenever they are counted, two retries at once share one.
#[test]
fn grants_what_calls_have_paid_for_and_no_more() {
    loom::model(|| {
        let budget = budget(0.5);
        let calls = {
            let budget = Arc::clone(&budget);
            thread::spawn(move || {
                budget.deposit(0);
                budget.deposit(1);
            })
        };
        let retry = {
            let budget = Arc::clone(&budget);
            thread::spawn(move || budget.withdraw(Time::ORIGIN))
        };
        let here = budget.withdraw(Time::ORIGIN);
        calls.join().unwrap();
        let granted = u64::from(here) + u64::from(retry.join().unwrap());
        assert_eq!(granted + budget.available(Time::ORIGIN), 1, "paid for one");
    });
}

/// A token there is goes to one of two, whatever they see of the clock.
#[test]
fn one_token_goes_to_one() {
    loom::model(|| {
        let budget = budget(1.0);
        budget.deposit(0);
        let retry = {
            let budget = Arc::clone(&budget);
            thread::spawn(move || budget.withdraw(Time::from_millis(2)))
        };
        let here = budget.withdraw(Time::from_millis(1));
        assert!(here ^ retry.join().unwrap());
    });
}

/// What loom must find: a look at the balance, then a store of what is left.
#[test]
#[should_panic(expected = "one token, two retries")]
fn wrong_withdrawal_in_two_steps() {
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
