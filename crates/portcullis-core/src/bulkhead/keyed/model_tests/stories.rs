//! What chance seldom finds.

use std::time::Duration;

use super::*;

/// Leaves the line when it is dropped, as a task does that its last waker keeps alive.
struct LastWaker(Arc<FairSemaphore>, Mutex<Option<Place>>);

impl Wake for LastWaker {
    fn wake(self: Arc<Self>) {}
}

impl Drop for LastWaker {
    fn drop(&mut self) {
        if let Some(place) = self.1.get_mut().unwrap().take() {
            self.0.leave(place);
        }
    }
}

fn semaphore(config: Config) -> (Arc<FairSemaphore>, [Arc<Account>; 3]) {
    let semaphore = Arc::new(FairSemaphore::new(config).unwrap());
    let accounts = [(); 3].map(|()| Arc::new(semaphore.account()));
    (semaphore, accounts)
}

fn wait(semaphore: &FairSemaphore, account: &Arc<Account>, weight: u32) -> Place {
    match semaphore.enter(account, weight) {
        Ok(Entered::Waiting(place)) => place,
        other => panic!("{other:?}"),
    }
}

fn turn(semaphore: &FairSemaphore, place: &Place) -> Option<Turn> {
    match semaphore.poll(place, Waker::noop()) {
        Poll::Ready(turn) => Some(turn),
        Poll::Pending => None,
    }
}

/// A waker that was replaced, left behind or displaced was dropped while the lock was held: a deadlock when a task
/// goes with it that waits in the same line.
#[test]
fn dropping_a_waker_may_leave_the_line() {
    let (semaphore, [a, b, _]) = semaphore(Config { overall: 1, max_queued: 6, ..Config::default() });
    semaphore.take(&a, 1).unwrap();
    let places = [(); 3].map(|()| wait(&semaphore, &a, 1));
    for place in &places {
        let last = LastWaker(semaphore.clone(), Mutex::new(Some(wait(&semaphore, &a, 1))));
        assert!(semaphore.poll(place, &Arc::new(last).into()).is_pending());
    }
    let [replaced, left, displaced] = places;
    assert_eq!(semaphore.status().queued, 6);
    assert_eq!(turn(&semaphore, &replaced), None);
    assert_eq!(semaphore.status().queued, 5, "with the waker went who waited");
    semaphore.leave(left);
    assert_eq!(semaphore.status().queued, 3);
    semaphore.update(|config| Config { max_queued: 3, ..config.clone() }).unwrap();
    // First goes who came last, then the one whose waker he had.
    let others = [wait(&semaphore, &b, 1)];
    assert_eq!(turn(&semaphore, &displaced), None);
    others.into_iter().chain([replaced, displaced]).for_each(|place| semaphore.leave(place));
}

#[test]
fn who_is_displaced_came_last_of_the_key_with_most_in_the_queue() {
    let (semaphore, [a, b, c]) = semaphore(Config { overall: 2, max_queued: 4, ..Config::default() });
    semaphore.force(&a, 2);
    let of_a = [(); 3].map(|()| wait(&semaphore, &a, 1));
    let of_b = wait(&semaphore, &b, 1);
    let of_c = wait(&semaphore, &c, 1);
    let reason = Reason::KeyFull { limit: 1, in_flight: 2, overall: 2, queued: 3 };
    assert_eq!(
        of_a.each_ref().map(|place| turn(&semaphore, place)),
        [None, None, Some(Turn::Displaced(reason))]
    );
    let refused = [&a, &b].map(|key| semaphore.enter(key, 1).unwrap_err());
    assert_eq!(
        refused[0],
        Reason::KeyFull { limit: 1, in_flight: 2, overall: 2, queued: 2 },
        "its own doing"
    );
    assert_eq!(refused[1], Reason::BulkheadFull { limit: 2, queued: 4 }, "and not b's");
    semaphore.release(&a, 1);
    assert_eq!(turn(&semaphore, &of_b), Some(Turn::Granted(1)), "it holds nothing, and came before c");
    semaphore.release(&a, 1);
    assert_eq!(turn(&semaphore, &of_a[0]), Some(Turn::Granted(1)), "it holds nothing now, and came before c");
    semaphore.release(&b, 1);
    assert_eq!(turn(&semaphore, &of_c), Some(Turn::Granted(1)));
    of_a.into_iter().for_each(|place| semaphore.leave(place));
}

/// A displaced call that has gone by then had taken nothing, and nothing is given back for it.
#[test]
fn leaving_a_place_that_was_lost_changes_nothing() {
    let (semaphore, [a, b, _]) = semaphore(Config { overall: 1, max_queued: 2, ..Config::default() });
    semaphore.take(&a, 1).unwrap();
    let [first, lost] = [(); 2].map(|()| wait(&semaphore, &a, 1));
    let other = wait(&semaphore, &b, 1);
    semaphore.leave(lost);
    assert_eq!((semaphore.status().in_flight, semaphore.status().queued), (1, 2));
    semaphore.release(&a, 1);
    semaphore.leave(first);
    assert_eq!(turn(&semaphore, &other), Some(Turn::Granted(1)));
}

#[test]
fn light_calls_do_not_starve_a_heavy_one() {
    let (semaphore, [a, b, _]) = semaphore(Config { overall: 4, max_queued: 9, ..Config::default() });
    semaphore.take(&a, 3).unwrap();
    let heavy = wait(&semaphore, &b, 4);
    let light = wait(&semaphore, &a, 1);
    assert!(semaphore.take(&a, 1).is_err(), "one is free, but not a's");
    semaphore.release(&a, 2);
    assert_eq!((turn(&semaphore, &heavy), turn(&semaphore, &light)), (None, None));
    semaphore.release(&a, 1);
    assert_eq!(turn(&semaphore, &heavy), Some(Turn::Granted(4)));
    semaphore.release(&b, 4);
    assert_eq!(turn(&semaphore, &light), Some(Turn::Granted(1)));
}

/// Who has waited for too long is told whose doing that is.
#[test]
fn who_is_late_is_told_why() {
    let (semaphore, [a, b, _]) = semaphore(Config { overall: 2, max_queued: 9, ..Config::default() });
    semaphore.take(&a, 2).unwrap();
    let second = Duration::from_secs(1);
    let full = Reason::KeyFull { limit: 2, in_flight: 2, overall: 2, queued: 0 };
    assert_eq!(semaphore.late(&a, 1, second), full);
    let timeout = Reason::QueueTimeout { limit: 2, max_wait: second };
    assert_eq!(semaphore.late(&b, 1, second), timeout);
}

/// More than all numbers that are given out has room.
#[test]
fn the_heaviest_calls_that_pass_overflow_nothing() {
    let config = Config { mode: Mode::Shadow, overall: 1_000_000, ..Config::default() };
    let (semaphore, [a, b, c]) = semaphore(config);
    let taken: Vec<_> = (0..10_000).map(|_| semaphore.force(&a, u32::MAX)).collect();
    assert!(semaphore.status().in_flight > u64::from(u32::MAX));
    let full = Reason::KeyFull { limit: 250_000, in_flight: 1, overall: u32::MAX, queued: 0 };
    semaphore.force(&b, 1);
    semaphore.force(&c, 1);
    assert_eq!(semaphore.take(&b, u32::MAX), Err(full));
    taken.into_iter().for_each(|taken| semaphore.release(&a, taken));
    assert_eq!(semaphore.status().in_flight, 2);
}

/// On many threads at a time nobody is beyond a limit, and nothing is lost.
#[test]
fn threads_keep_the_limits_and_lose_nothing() {
    const CALLS: u32 = 2_000;
    for max_queued in [0, 4] {
        let config = Config { overall: 6, per_key: Some(3), max_queued, ..Config::default() };
        let (semaphore, accounts) = semaphore(config);
        let works = &|thread: usize| {
            let account = &accounts[thread % accounts.len()];
            for call in 0..CALLS {
                let taken = match semaphore.enter(account, 1 + call % 2) {
                    Ok(Entered::Acquired(taken)) => Some(taken),
                    Ok(Entered::Waiting(place)) => match turn(&semaphore, &place) {
                        Some(Turn::Granted(taken)) => Some(taken),
                        Some(Turn::Displaced(_)) => None,
                        // Its turn may come right now.
                        None => {
                            semaphore.leave(place);
                            None
                        }
                    },
                    Err(_) => None,
                };
                assert!(account.in_flight() <= 3 && semaphore.status().in_flight <= 6);
                semaphore.release(account, taken.unwrap_or(0));
            }
        };
        std::thread::scope(|scope| (0..6).for_each(|thread| drop(scope.spawn(move || works(thread)))));
        let status = semaphore.status();
        assert_eq!((status.in_flight, status.queued, status.holding), (0, 0, 0));
        assert!(accounts.iter().all(|account| Arc::strong_count(account) == 1));
    }
}
