//! What chance seldom finds.

use super::*;

/// Leaves the line when it is dropped, as a task does that its last waker keeps alive.
struct LastWaker(Arc<Semaphore>, Mutex<Option<Place>>);

impl Wake for LastWaker {
    fn wake(self: Arc<Self>) {}
}

impl Drop for LastWaker {
    fn drop(&mut self) {
        if let Some(place) = self.1.get_mut().unwrap().take() {
            self.0.leave(place, never);
        }
    }
}

fn wait(semaphore: &Semaphore) -> Place {
    match semaphore.enqueue(Demand::ONE, never) {
        Ok(Enqueued::Waiting(place)) => place,
        other => panic!("{other:?}"),
    }
}

/// A waker that was replaced, or left behind, was dropped while the queue was locked: a deadlock when a
/// task goes with it that waits in the same line.
#[test]
fn dropping_a_waker_may_leave_the_line() {
    let config = Config { max_in_flight: 1, max_queued: 4, ..Config::default() };
    let semaphore = Arc::new(Semaphore::new(config).unwrap());
    assert!(semaphore.try_acquire_one());
    let (replaced, left) = (wait(&semaphore), wait(&semaphore));
    for place in [&replaced, &left] {
        let last = LastWaker(Arc::clone(&semaphore), Mutex::new(Some(wait(&semaphore))));
        assert!(semaphore.poll(place, &Arc::new(last).into()).is_pending());
    }
    assert_eq!(semaphore.queued(), 4);
    assert!(semaphore.poll(&replaced, Waker::noop()).is_pending());
    assert_eq!(semaphore.queued(), 3, "with the waker went who waited");
    semaphore.leave(left, never);
    assert_eq!(semaphore.queued(), 1);
    semaphore.leave(replaced, never);
}

/// Who is served, of calls that came in this order, one after another.
fn served(config: Config, calls: &[Demand]) -> Vec<usize> {
    let semaphore = Semaphore::new(Config { max_queued: 10, ..config }).unwrap();
    let mut held = semaphore.force(Demand::of(u32::MAX));
    let wait = |demand| match semaphore.enqueue(demand, never) {
        Ok(Enqueued::Waiting(place)) => place,
        other => panic!("{other:?}"),
    };
    let mut line: Vec<_> = calls.iter().map(|demand| wait(*demand)).enumerate().collect();
    let mut order = Vec::new();
    while !line.is_empty() {
        semaphore.release(held, never);
        held = 0;
        line.retain(|(number, place)| match semaphore.poll(place, Waker::noop()) {
            Poll::Ready(Turn::Granted(taken)) => {
                held += taken;
                order.push(*number);
                false
            }
            _ => true,
        });
    }
    order
}

#[test]
fn the_order_is_the_one_asked_for() {
    use Priority::{High, Low, Normal};
    let calls = [Low, Normal, High, Low, High].map(|priority| Demand { weight: 1, priority });
    let order = |order| served(Config { max_in_flight: 1, order, ..Config::default() }, &calls);
    assert_eq!(order(Order::Fifo), [0, 1, 2, 3, 4]);
    assert_eq!(order(Order::Lifo), [4, 3, 2, 1, 0]);
    assert_eq!(order(Order::Priority), [2, 4, 1, 0, 3]);
}

#[test]
fn a_heavy_call_is_not_starved_by_light_ones() {
    let calls = [Demand::of(3), Demand::ONE, Demand::of(4), Demand::ONE, Demand::ONE];
    let served = served(Config { max_in_flight: 4, ..Config::default() }, &calls);
    assert_eq!(served, [0, 1, 2, 3, 4]);
}

#[test]
fn who_matters_more_gets_in_past_a_full_line() {
    let reserved = [0, 0, 0, 1, 0];
    let rules =
        Config { max_in_flight: 2, max_queued: 1, reserved, order: Order::Priority, ..Config::default() };
    let semaphore = Semaphore::new(rules).unwrap();
    assert_eq!(semaphore.try_acquire(Demand::ONE), Some(1));
    assert_eq!(semaphore.try_acquire(Demand::ONE), None, "the other is kept");
    assert!(!semaphore.try_acquire_one());
    let place = wait(&semaphore);
    assert_eq!(semaphore.enqueue(Demand::ONE, never), Err(Full { queued: 1, free: 1 }));
    let high = Demand { priority: Priority::High, ..Demand::ONE };
    assert_eq!(semaphore.enqueue(high, never), Ok(Enqueued::Acquired(1)));
    semaphore.leave(place, never);
}

#[test]
fn codel_drops_who_waited_too_long_when_all_do() {
    let rules =
        Config { max_in_flight: 1, max_queued: 100, codel: Some(Codel::default()), ..Config::default() };
    let semaphore = Semaphore::new(rules).unwrap();
    assert!(semaphore.try_acquire_one());
    let at = |time| move || Time::from_millis(time);
    let places: Vec<_> = (0..10).map(|_| semaphore.enqueue(Demand::ONE, at(1000)).unwrap()).collect();
    // One ends every 60 ms: all wait too long, and after an interval that is known.
    for time in [1060, 1120, 1180, 1240] {
        semaphore.release(1, at(time));
    }
    let turn = |place: &Enqueued| match place {
        Enqueued::Waiting(place) => semaphore.poll(place, Waker::noop()),
        other => panic!("{other:?}"),
    };
    let turns: Vec<_> = places.iter().map(turn).collect();
    let (waited, target) = (Duration::from_millis(240), Duration::from_millis(5));
    assert_eq!(turns[..3], [Poll::Ready(Turn::Granted(1)); 3]);
    assert_eq!(turns[3..], [Poll::Ready(Turn::Dropped { waited, target }); 7]);
    assert_eq!((semaphore.in_flight(), semaphore.queued()), (0, 0), "the way is free");
}
