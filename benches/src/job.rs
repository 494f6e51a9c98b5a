//! The loop that is counted: one service, called by hand.

use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use anyhow::{Result, ensure};
use tokio::runtime::Runtime;
use tower::Service;

use crate::Row;

/// A future that is still pending after so many polls is given up, and its
/// call counts as not answered. Two threads that fight over a lock need many.
const POLLS: u32 = 100_000;
/// After so many polls in vain the core is offered to whoever holds the lock.
const PATIENT_POLLS: u32 = 100;

/// So many failures in a row open every breaker of the table.
const FAILURES_TO_TRIP: u64 = 400;

/// One peer at one row, ready to be called.
pub trait Job: Send {
    /// Makes `calls` calls and returns how many of them were answered with success.
    fn run(&mut self, calls: u64) -> u64;

    /// A second handle on the same policy, for a second thread.
    fn share(&self) -> Box<dyn Job>;
}

/// Makes `calls` calls, and fails when they were not answered as `row` wants. Of its own, so that callgrind
/// can be told to count in here only: what comes before is a lot for some rows, and not always the same.
#[inline(never)]
pub fn run(job: &mut dyn Job, row: Row, calls: u64) -> Result<()> {
    let answered = job.run(calls);
    let wanted = row.answers(calls);
    ensure!(answered == wanted, "row {}: {answered} of {calls} calls answered, not {wanted}", row.name());
    Ok(())
}

/// Which requests a job sends: an odd one makes the service at the bottom fail.
pub trait Requests: Send + 'static {
    /// The number of the `i`-th request.
    fn request(i: u64) -> u64;
}

/// No request fails.
#[derive(Debug)]
pub struct Never;

impl Requests for Never {
    fn request(i: u64) -> u64 {
        i.wrapping_mul(2)
    }
}

/// Every second request fails, beginning with the second.
#[derive(Debug)]
pub struct EverySecond;

impl Requests for EverySecond {
    fn request(i: u64) -> u64 {
        i
    }
}

/// A job that calls `service` with the requests of `R`.
pub fn repeat<R, S>(service: S) -> Box<dyn Job>
where
    R: Requests,
    S: Service<u64> + Clone + Send + 'static,
{
    Box::new(Repeat::<R, S> { service, requests: PhantomData })
}

/// The same within a runtime, for a service whose calls become tasks of it.
///
/// # Errors
///
/// That there is no runtime.
pub fn repeat_on_runtime<R, S>(service: S) -> std::io::Result<Box<dyn Job>>
where
    R: Requests,
    S: Service<u64> + Clone + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    Ok(Box::new(OnRuntime::<R, S> { runtime: Arc::new(runtime), service, requests: PhantomData }))
}

/// Opens a breaker the way a dependency does: by failing.
pub fn trip<S>(mut service: S) -> S
where
    S: Service<u64>,
{
    for _ in 0..FAILURES_TO_TRIP {
        call(&mut service, 1);
    }
    service
}

/// On cache lines of its own: two that lay side by side on the heap would slow
/// each other down, whatever the policy that they share does.
#[repr(align(128))]
struct Repeat<R, S> {
    service: S,
    requests: PhantomData<fn() -> R>,
}

impl<R, S> Job for Repeat<R, S>
where
    R: Requests,
    S: Service<u64> + Clone + Send + 'static,
{
    fn run(&mut self, calls: u64) -> u64 {
        let mut answered = 0;
        for i in 0..calls {
            answered += u64::from(call(&mut self.service, black_box(R::request(i))));
        }
        answered
    }

    fn share(&self) -> Box<dyn Job> {
        repeat::<R, S>(self.service.clone())
    }
}

/// See [`Repeat`].
#[repr(align(128))]
struct OnRuntime<R, S> {
    runtime: Arc<Runtime>,
    service: S,
    requests: PhantomData<fn() -> R>,
}

impl<R, S> Job for OnRuntime<R, S>
where
    R: Requests,
    S: Service<u64> + Clone + Send + 'static,
{
    fn run(&mut self, calls: u64) -> u64 {
        let Self { runtime, service, .. } = self;
        runtime.block_on(async {
            let mut answered = 0;
            for i in 0..calls {
                let is_ready = poll_fn(|cx| service.poll_ready(cx)).await.is_ok();
                answered += u64::from(is_ready && service.call(black_box(R::request(i))).await.is_ok());
            }
            answered
        })
    }

    fn share(&self) -> Box<dyn Job> {
        let Self { runtime, service, .. } = self;
        Box::new(Self { runtime: runtime.clone(), service: service.clone(), requests: PhantomData })
    }
}

/// One call from readiness to answer; true when it was answered with success.
/// The answer is looked at where it lies: to move it would be counted too.
#[inline(always)]
fn call<S: Service<u64>>(service: &mut S, request: u64) -> bool {
    let cx = &mut Context::from_waker(Waker::noop());
    if !is_ready(service, cx) {
        return false;
    }
    let mut future = pin!(service.call(request));
    for polls in 0..POLLS {
        match future.as_mut().poll(cx) {
            Poll::Ready(answer) => return answer.is_ok(),
            Poll::Pending => pause(polls),
        }
    }
    false
}

#[inline(always)]
fn is_ready<S: Service<u64>>(service: &mut S, cx: &mut Context<'_>) -> bool {
    for polls in 0..POLLS {
        match service.poll_ready(cx) {
            Poll::Ready(outcome) => return outcome.is_ok(),
            Poll::Pending => pause(polls),
        }
    }
    false
}

/// The first time for nothing: what is pending once, is ready then.
#[inline(always)]
fn pause(polls: u32) {
    match polls {
        0 => (),
        1..=PATIENT_POLLS => std::hint::spin_loop(),
        _ => std::thread::yield_now(),
    }
}
