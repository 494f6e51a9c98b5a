//! T50: an open breaker whose refusal allocates, waits for a lock, or costs up to 22 times a plain value.

use std::{
    future::{Future, ready},
    pin::pin,
    sync::mpsc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use portcullis::{Breaker, BreakerLayer, FromRejection, Rejection, Time, breaker::State};
use portcullis_core::breaker::{Config, Env, Machine};
use tower::{Layer, Service, service_fn};

use crate::common::{ms, secs};

/// An error with room for a refusal.
#[derive(Debug)]
enum ShopError {
    Busy(Rejection),
}

impl FromRejection for ShopError {
    fn from_rejection(rejection: Rejection) -> Self {
        Self::Busy(rejection)
    }

    fn as_rejection(&self) -> Option<&Rejection> {
        let Self::Busy(rejection) = self;
        Some(rejection)
    }
}

/// What a call ends with that waits for nothing.
fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// Whatever it refuses for.
fn refusing() -> [(State, Breaker); 3] {
    let [open, half_open, isolated] =
        ["open", "half-open", "isolated"].map(|name| Breaker::builder(name).permits(1).build().unwrap());
    open.trip();
    isolated.isolate();
    half_open.trip();
    [(State::Open, open), (State::HalfOpen, half_open), (State::Isolated, isolated)]
}

#[tokio::test(start_paused = true)]
async fn t50_a_refusal_under_typed_allocates_nothing() {
    let breakers = refusing();
    tokio::time::advance(secs(5)).await;
    breakers[0].1.trip();
    let probe = breakers[1].1.try_admit().unwrap();
    assert!(probe.is_probe());

    for (state, breaker) in breakers {
        let inner = service_fn(|n: u32| ready(Ok::<_, ShopError>(n)));
        let mut service = BreakerLayer::new(breaker.clone()).typed().layer(inner);
        let mut refusals = |calls: u32| {
            for n in 0..calls {
                assert!(service.poll_ready(&mut Context::from_waker(Waker::noop())).is_ready());
                let Err(ShopError::Busy(rejection)) = at_once(service.call(n)) else { panic!("let through") };
                assert_eq!(rejection.policy(), breaker.name());
                drop(breaker.try_admit().map(drop).unwrap_err());
            }
        };
        // What is made once for a thread is not the refusal's.
        refusals(1);

        let allocated = allocation_counter::measure(|| refusals(1000));

        assert_eq!((allocated.count_total, breaker.state()), (0, state));
        assert_eq!(breaker.status().refused, 2002);
    }
}

/// A world whose clock can be stopped while it is read.
struct Stopped {
    reached: mpsc::Sender<()>,
    go_on: mpsc::Receiver<()>,
}

impl Env for Stopped {
    fn now(&self) -> Time {
        // Until the other end is dropped.
        let _ = self.reached.send(());
        let _ = self.go_on.recv();
        Time::from_millis(1)
    }
}

/// Somebody stands in the breaker with its lock in his hand, for as long as it takes.
#[tokio::test]
async fn t50_a_refusal_waits_for_no_lock() {
    const LONG: Duration = Duration::from_secs(60);
    let config = Config { open_jitter: 0.0, ..Config::default() };
    let machine = Machine::new(config, 1).unwrap();
    machine.trip(&|| Time::ORIGIN);
    let (reached, has_lock) = mpsc::channel();
    let (release, go_on) = mpsc::channel::<()>();
    let (refused, all_refused) = mpsc::channel();
    let world = Stopped { reached, go_on };

    let machine = &machine;
    std::thread::scope(|scope| {
        scope.spawn(move || machine.reset(&world));
        has_lock.recv_timeout(LONG).unwrap();
        // Proof that the lock is held: who needs it does not come back.
        let waits = scope.spawn(|| machine.status(Time::ORIGIN));
        scope.spawn(move || {
            let refusals = (0..100_000).filter(|_| machine.admit(0, &|| Time::ORIGIN).is_err()).count();
            let _ = refused.send(refusals);
        });

        let refusals = all_refused.recv_timeout(LONG);
        let waiting = !waits.is_finished();
        drop(release);

        assert_eq!((refusals, waiting), (Ok(100_000), true), "refused, while others waited");
        assert_eq!(waits.join().unwrap().state, State::Closed);
    });
}

/// Counts how often it is asked what.
#[derive(Default)]
struct Counting {
    now: std::cell::Cell<u32>,
    coarse: std::cell::Cell<u32>,
    random: std::cell::Cell<u32>,
}

impl Env for Counting {
    fn now(&self) -> Time {
        self.now.set(self.now.get() + 1);
        Time::ORIGIN
    }

    fn coarse(&self) -> Time {
        self.coarse.set(self.coarse.get() + 1);
        Time::ORIGIN
    }

    fn random(&self) -> u64 {
        self.random.set(self.random.get() + 1);
        0
    }
}

/// One look at the cheap clock for an open breaker, and none at all where no time can end it.
#[test]
fn t50_a_refusal_looks_at_the_clock_once() {
    let open = Machine::new(Config { open_for: secs(5), ..Config::default() }, 1).unwrap();
    open.trip(&|| Time::ORIGIN);
    let isolated = Machine::new(Config::default(), 1).unwrap();
    isolated.isolate(None, &|| Time::ORIGIN);

    for (machine, looks) in [(&open, 1), (&isolated, 0)] {
        let world = Counting::default();
        let refusal = machine.admit(0, &world).unwrap_err();
        assert!(refusal.retry_after.is_none_or(|wait| wait > ms(4_000)));
        assert_eq!((world.coarse.get(), world.now.get(), world.random.get()), (looks, 0, 0));
    }
}
