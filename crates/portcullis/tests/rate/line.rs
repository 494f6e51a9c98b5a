//! The line.

use std::{
    convert::Infallible,
    future::Future,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Waker},
    time::Duration,
};

use portcullis::RateLimit;
use tokio::{
    task::yield_now,
    time::{Instant, sleep},
};
use tower::ServiceExt;

use super::support::{SECOND, echo, limit, ms, rejection};

/// Spawns calls one after the other; who went, and when.
async fn queued(limit: &RateLimit, costs: &[u32]) -> Vec<(usize, u64)> {
    let (start, went) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
    let mut tasks = Vec::new();
    for (n, cost) in costs.iter().copied().enumerate() {
        let (limit, went) = (limit.clone(), went.clone());
        tasks.push(tokio::spawn(async move {
            limit.admit(cost).await.unwrap();
            went.lock().unwrap().push((n, start.elapsed().as_millis() as u64));
        }));
        yield_now().await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    let went = went.lock().unwrap();
    went.clone()
}

#[tokio::test(start_paused = true)]
async fn who_came_first_goes_first_whatever_it_takes() {
    let limit = limit(10).burst(3).queue(10, 10 * SECOND).build().unwrap();
    limit.try_admit_many(3).unwrap();
    let went = queued(&limit, &[3, 1, 2, 1]).await;
    assert_eq!(went, [(0, 300), (1, 400), (2, 600), (3, 700)]);
    assert_eq!((limit.status().waited, limit.status().rejected), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn a_window_has_a_line_too() {
    let limit = limit(2).sliding_window().queue(10, 10 * SECOND).build().unwrap();
    let went = queued(&limit, &[1, 1, 1, 2, 1]).await;
    assert_eq!(went, [(0, 0), (1, 0), (2, 1000), (3, 2000), (4, 3000)]);
}

#[tokio::test(start_paused = true)]
async fn who_would_have_to_wait_too_long_is_refused_at_once() {
    let limit = limit(10).queue(10, ms(250)).build().unwrap();
    let service = echo(&limit);
    let calls: Vec<_> = (0..3).map(|n| tokio::spawn(service.clone().oneshot(n))).collect();
    yield_now().await;
    let start = Instant::now();
    let refused = rejection(service.clone().oneshot(3).await);
    assert_eq!((refused.retry_after(), start.elapsed()), (Some(ms(300)), Duration::ZERO));
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(start.elapsed(), ms(200));
}

#[tokio::test(start_paused = true)]
async fn a_full_line_refuses() {
    let limit = limit(10).queue(1, 10 * SECOND).build().unwrap();
    let service = echo(&limit);
    let calls: Vec<_> = (0..2).map(|n| tokio::spawn(service.clone().oneshot(n))).collect();
    yield_now().await;
    assert_eq!(limit.status().queued, 1);
    assert_eq!(rejection(service.oneshot(2).await).retry_after(), Some(ms(200)));
    assert!(limit.try_admit().is_err(), "nobody goes past who waits");
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn who_leaves_gives_its_turn_to_the_next() {
    let limit = limit(1).queue(10, 10 * SECOND).build().unwrap();
    limit.try_admit().unwrap();
    let start = Instant::now();
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let limit = limit.clone();
            tokio::spawn(async move { limit.admit(1).await.map(|()| start.elapsed()).unwrap() })
        })
        .collect();
    sleep(ms(500)).await;
    tasks[0].abort();
    let [_, second, third] = tasks.try_into().unwrap();
    assert_eq!((second.await.unwrap(), third.await.unwrap()), (SECOND, 2 * SECOND));
    assert_eq!(limit.status().queued, 0);
}

/// Polled once, and dropped: in line, at its turn, and after it.
#[tokio::test(start_paused = true)]
async fn nothing_stays_of_a_call_that_is_dropped_in_line() {
    let limit = limit(10).queue(10, SECOND).build().unwrap();
    limit.try_admit().unwrap();
    for wait in [0, 50, 100] {
        {
            let mut call = pin!(limit.admit(1));
            assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            sleep(ms(wait)).await;
        }
        assert_eq!(limit.status().queued, 0);
    }
    limit.try_admit().unwrap();
    assert_eq!(limit.try_admit().unwrap_err().retry_after(), Some(ms(100)));
}

/// A service that had something reserved when it was polled ready would keep it from others.
#[tokio::test(start_paused = true)]
async fn who_waits_holds_nothing_below() {
    let limit = limit(10).queue(10, SECOND).build().unwrap();
    limit.try_admit().unwrap();
    let inner = tower::service_fn(|n: u32| async move { Ok::<_, Infallible>(n) });
    let slots = Arc::new(tokio::sync::Semaphore::new(1));
    let limited = Slotted { inner, slots: slots.clone(), slot: None };
    let service = tower::Layer::layer(&portcullis::RateLimitLayer::new(limit), limited);
    let call = tokio::spawn(service.oneshot(1));
    yield_now().await;
    assert_eq!(slots.available_permits(), 1);
    assert_eq!(call.await.unwrap().unwrap(), 1);
}

/// Takes a slot when it is polled ready, as tower's `ConcurrencyLimit` does.
struct Slotted<S> {
    inner: S,
    slots: Arc<tokio::sync::Semaphore>,
    slot: Option<tokio::sync::OwnedSemaphorePermit>,
}

impl<S: Clone> Clone for Slotted<S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), slots: self.slots.clone(), slot: None }
    }
}

impl<S: tower::Service<u32>> tower::Service<u32> for Slotted<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> std::task::Poll<Result<(), S::Error>> {
        if self.slot.is_none() {
            self.slot = Some(self.slots.clone().try_acquire_owned().unwrap());
        }
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: u32) -> S::Future {
        drop(self.slot.take().unwrap());
        self.inner.call(request)
    }
}
