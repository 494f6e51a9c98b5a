//! What a call that needs no hedge costs.

use std::{
    convert::Infallible,
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use portcullis::{BoxError, Hedge, HedgeLayer};
use tower::{Layer, Service, service_fn};

use super::support::hedge;

/// Pending so many times.
struct Pends(u32);

impl Future for Pends {
    type Output = Result<u32, Infallible>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        match self.0.checked_sub(1) {
            None => Poll::Ready(Ok(7)),
            Some(rest) => {
                self.0 = rest;
                Poll::Pending
            }
        }
    }
}

fn call(hedge: &Hedge, pending: u32) -> Result<u32, BoxError> {
    let cx = &mut Context::from_waker(Waker::noop());
    let mut service = HedgeLayer::new(hedge.clone()).idempotent().layer(service_fn(Pends));
    let Poll::Ready(Ok(())) = Service::<u32>::poll_ready(&mut service, cx) else { panic!("always ready") };
    let mut future = pin!(service.call(pending));
    loop {
        if let Poll::Ready(answer) = future.as_mut().poll(cx) {
            return answer;
        }
    }
}

/// Neither at once, nor when the timer is armed.
#[tokio::test(start_paused = true)]
async fn nothing_is_allocated_when_the_first_attempt_answers() {
    for hedge in [hedge().build().unwrap(), hedge().percentile(0.95).build().unwrap()] {
        for pending in [0, 1, 5] {
            call(&hedge, pending).unwrap(); // the first time, threads and timers get what they need
            let info = allocation_counter::measure(|| assert_eq!(call(&hedge, pending).unwrap(), 7));
            assert_eq!(info.count_total, 0, "{pending} times pending");
        }
    }
}
