use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    task::Context,
    thread,
};

use tokio_test::{assert_pending, assert_ready, task};

use super::*;

const BOUNDS: Bounds = Bounds { keys: 100, waiting: 100 };

fn lead(flights: &Flights, key: &'static str) -> Leader<&'static str, u32> {
    match flights.join(key, BOUNDS) {
        Joined::Leader(leader) => leader,
        _ => panic!("another leads"),
    }
}

fn wait(flights: &Flights, key: &'static str) -> task::Spawn<Waiter<&'static str, u32>> {
    match flights.join(key, BOUNDS) {
        Joined::Waiter(waiter) => task::spawn(waiter),
        _ => panic!("nobody leads"),
    }
}

fn shared(turn: Turn<&'static str, u32>) -> u32 {
    match turn {
        Turn::Shared(outcome) => *outcome,
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_who_wait_get_the_outcome_and_are_woken_once() {
    let flights = Flights::default();
    let leader = lead(&flights, "a");
    let mut waiters: Vec<_> = (0..3).map(|_| wait(&flights, "a")).collect();
    for waiter in &mut waiters {
        assert_pending!(waiter.poll());
    }
    assert_eq!((flights.keys(), flights.waiting()), (1, 3));
    assert_eq!(leader.settle(7), 3);
    for waiter in &mut waiters {
        assert!(waiter.is_woken());
        assert_eq!(shared(assert_ready!(waiter.poll())), 7);
    }
    assert_eq!((flights.keys(), flights.waiting()), (0, 0));
    drop(lead(&flights, "a")); // the next is a new flight
}

#[test]
fn keys_and_types_do_not_meet() {
    let flights = Flights::default();
    let (_a, _b) = (lead(&flights, "a"), lead(&flights, "b"));
    assert!(matches!(flights.join::<_, u64>("a", BOUNDS), Joined::Leader(_)));
    assert!(matches!(flights.join::<_, u32>("a".to_owned(), BOUNDS), Joined::Leader(_)));
}

#[test]
fn a_leader_that_goes_lets_the_oldest_lead() {
    let flights = Flights::default();
    let leader = lead(&flights, "a");
    let (mut first, mut second) = (wait(&flights, "a"), wait(&flights, "a"));
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    drop(leader);
    assert!(first.is_woken() && !second.is_woken());
    let Turn::Lead(leader) = assert_ready!(first.poll()) else { panic!("it does not lead") };
    assert_pending!(second.poll());
    leader.settle(1);
    assert_eq!(shared(assert_ready!(second.poll())), 1);
}

#[test]
fn an_heir_that_goes_before_it_knows_lets_the_next_lead() {
    let flights = Flights::default();
    let leader = lead(&flights, "a");
    let (first, mut second) = (wait(&flights, "a"), wait(&flights, "a"));
    drop(leader);
    drop(first);
    assert!(matches!(assert_ready!(second.poll()), Turn::Lead(_)));
    drop(second);
    assert_eq!((flights.keys(), flights.waiting()), (0, 0));
}

#[test]
fn a_leader_that_panics_lets_the_oldest_lead() {
    let flights = Flights::default();
    let leader = lead(&flights, "a");
    let mut waiter = wait(&flights, "a");
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _leader = leader;
        panic!("boom")
    }));
    assert!(panicked.is_err());
    assert!(matches!(assert_ready!(waiter.poll()), Turn::Lead(_)));
}

#[test]
fn who_cannot_share_lets_everyone_go_alone() {
    let flights = Flights::default();
    let leader = lead(&flights, "a");
    let (mut first, mut second) = (wait(&flights, "a"), wait(&flights, "a"));
    assert_eq!(leader.dissolve(), 2);
    for waiter in [&mut first, &mut second] {
        assert!(matches!(assert_ready!(waiter.poll()), Turn::Alone));
    }
    assert_eq!(flights.keys(), 0);
}

#[test]
fn an_end_alone_is_only_for_who_is_alone() {
    let flights = Flights::default();
    let leader = lead(&flights, "a");
    let waiter = wait(&flights, "a");
    let leader = leader.end_alone().unwrap_err();
    drop(waiter);
    assert!(leader.end_alone().is_ok());
    assert_eq!(flights.keys(), 0);
}

#[test]
fn over_the_bounds_a_call_goes_by_itself() {
    let flights = Flights::default();
    let narrow = Bounds { keys: 1, waiting: 1 };
    let leader = lead(&flights, "a");
    assert!(matches!(flights.join::<_, u32>("b", narrow), Joined::Full));
    let waiter = wait(&flights, "a");
    assert!(matches!(flights.join::<_, u32>("a", narrow), Joined::Full));
    drop((leader, waiter));
    assert!(matches!(flights.join::<_, u32>("b", narrow), Joined::Leader(_)));
}

/// Who is woken may come back at once, and what is dropped may be a waiter itself.
#[test]
fn nothing_is_woken_or_dropped_under_a_lock() {
    struct Nested(Flights);

    impl std::task::Wake for Nested {
        fn wake(self: Arc<Self>) {
            drop(lead(&self.0, "a"));
        }
    }

    impl Drop for Nested {
        fn drop(&mut self) {
            drop(lead(&self.0, "b"));
        }
    }

    let flights = Flights::default();
    let leader = lead(&flights, "a");
    let mut waiter = wait(&flights, "a").into_inner();
    let waker = Arc::new(Nested(flights.clone())).into();
    assert!(Pin::new(&mut waiter).poll(&mut Context::from_waker(&waker)).is_pending());
    drop(waker);
    leader.settle(1);
}

/// The lead of a call, if it does not get another's outcome.
fn take_lead(flights: &Flights, key: usize) -> Option<Leader<usize, usize>> {
    match flights.join(key, BOUNDS) {
        Joined::Leader(leader) => Some(leader),
        Joined::Waiter(waiter) => match pollster::block_on(waiter) {
            Turn::Lead(leader) => Some(leader),
            Turn::Shared(outcome) => {
                assert_eq!(*outcome, key);
                None
            }
            Turn::Alone => None,
        },
        Joined::Full => panic!("there is room"),
    }
}

#[test]
fn under_threads_one_leads_at_a_time_and_everyone_ends() {
    let flights = Flights::default();
    let leading: [AtomicUsize; 3] = Default::default();
    let call = |turn: usize| {
        let key = turn % leading.len();
        if turn % 7 == 0 {
            return drop(flights.join::<_, usize>(key, BOUNDS)); // whatever it is, it goes at once
        }
        let Some(leader) = take_lead(&flights, key) else { return };
        assert_eq!(leading[key].fetch_add(1, Relaxed), 0, "two lead");
        thread::yield_now();
        leading[key].fetch_sub(1, Relaxed);
        match turn % 5 {
            0 => drop(leader),
            1 => drop(leader.dissolve()),
            2 => drop(leader.end_alone()),
            _ => drop(leader.settle(key)),
        }
    };
    thread::scope(|scope| {
        for thread in 0..4 {
            let call = &call;
            scope.spawn(move || (0..2000).for_each(|turn| call(turn + thread)));
        }
    });
    assert_eq!((flights.keys(), flights.waiting()), (0, 0));
}
