//! What a hundred thousand calls hold and take while they are pending under a timeout: no more than under tower's.

#![expect(clippy::unwrap_used, reason = "what helps the tests may panic as they do")]

use std::{
    convert::Infallible,
    fmt,
    future::{Future, Pending, pending},
    hint::black_box,
    pin::Pin,
    task::{Context, Waker},
    time::Duration,
};

use portcullis::{FromRejection, Rejection, Timeout, TimeoutLayer};
use rustix::time::{ClockId, clock_gettime};
use tower::{Layer, Service, service_fn};

const CALLS: u64 = 100_000;
/// That never is over here.
const PATIENCE: Duration = Duration::from_secs(30);
/// Of so many rounds the best one, of each in turn, because the machine is not ours alone.
const ROUNDS: usize = 11;

#[derive(Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refused {}

impl FromRejection for Refused {
    fn from_rejection(_: Rejection) -> Self {
        Self
    }

    fn as_rejection(&self) -> Option<&Rejection> {
        None
    }
}

/// What so many calls hold, and how long it took to make them wait and to drop them.
struct Cost {
    bytes: u64,
    time: Duration,
}

/// The calls in one piece of memory, in which each takes as much as it is large.
fn pend<S: Service<u64>>(service: &mut S) -> Vec<Pin<Box<S::Future>>> {
    let cx = &mut Context::from_waker(Waker::noop());
    let mut calls = Vec::with_capacity(CALLS as usize);
    for n in 0..CALLS {
        assert!(service.poll_ready(cx).is_ready());
        let mut call = Box::pin(service.call(n));
        assert!(call.as_mut().poll(cx).is_pending());
        calls.push(call);
    }
    calls
}

fn cost<S: Service<u64>>(service: &mut S) -> Cost {
    let mut calls = Vec::new();
    let before = cpu();
    let counted = allocation_counter::measure(|| calls = pend(service));
    drop(black_box(calls));
    Cost { bytes: counted.bytes_current.try_into().unwrap(), time: cpu().checked_sub(before).unwrap() }
}

/// How long this thread had its core.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

fn hangs<E>() -> impl Service<u64, Response = u64, Error = E, Future = Pending<Result<u64, E>>> + Clone {
    service_fn(|_: u64| pending())
}

#[test]
fn a_hundred_thousand_pending_calls_hold_no_more_than_under_towers() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    let timeout = Timeout::total("pending", PATIENCE).unwrap();
    let mut ours = TimeoutLayer::new(timeout).typed().layer(hangs::<Refused>());
    let mut towers = tower::timeout::Timeout::new(hangs::<Infallible>(), PATIENCE);

    let rounds: Vec<_> = (0..ROUNDS).map(|_| (cost(&mut ours), cost(&mut towers))).collect();
    let time = |of: fn(&(Cost, Cost)) -> Duration| rounds.iter().map(of).min().unwrap();
    let bytes = |of: fn(&(Cost, Cost)) -> u64| rounds.iter().map(of).max().unwrap();
    let each = |time: Duration| time.as_nanos() / u128::from(CALLS);

    let (ours, towers) = (bytes(|round| round.0.bytes), bytes(|round| round.1.bytes));
    println!("bytes of a call: {} of tower's {}", ours / CALLS, towers / CALLS);
    assert!(ours <= towers, "{ours} > {towers} bytes");
    let (ours, towers) = (time(|round| round.0.time), time(|round| round.1.time));
    // Told, not asserted: it depends on what else the machine does.
    println!("nanoseconds of a call: {} of tower's {}", each(ours), each(towers));
}
