//! Many calls, one timer: who is woken when, whatever becomes of the others.

use std::{
    future::{Future, pending, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use futures_util::future::{join, join_all};
use portcullis::{Mode, Rejection, Timeout, TimeoutLayer, timeout::Config};
use tokio::{
    runtime::{Builder, Runtime},
    time::Instant,
};
use tower::{Layer, ServiceExt};

use crate::support::{limit_of, ms, takes, timeout};

/// How long it took until a call that never ends was refused.
async fn late(timeout: &Timeout) -> Duration {
    let before = Instant::now();
    timeout.call(pending::<Result<(), Rejection>>).await.unwrap_err();
    before.elapsed()
}

fn paused() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicU32);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn each_call_ends_at_its_own_time() {
    let timeout = timeout(ms(100));
    let service = TimeoutLayer::new(timeout.clone()).layer(takes());
    let before = Instant::now();
    let calls = (0..1000_u64).map(|n| {
        let service = service.clone();
        async move {
            tokio::time::sleep(ms(n / 2)).await;
            // Two of three are in time.
            let end = service.oneshot(if n % 3 == 0 { 1000 } else { n % 100 }).await;
            (n, limit_of(end).is_some(), before.elapsed())
        }
    });
    for (n, late, after) in join_all(calls).await {
        let took = if n % 3 == 0 { 100 } else { n % 100 };
        assert_eq!((late, after), (n % 3 == 0, ms(n / 2 + took)), "call {n}");
    }
    assert_eq!(timeout.expired(), 334);
}

/// A shorter limit is not kept waiting by those who came before, however many they are.
#[tokio::test(start_paused = true)]
async fn limits_may_change_and_differ() {
    let timeout = timeout(ms(1000));
    let by = |own: &u64| (*own < 10_000).then(|| ms(*own));
    let service = TimeoutLayer::new(timeout.clone())
        .by(by)
        .layer(tower::service_fn(|_: u64| pending::<Result<u64, portcullis::BoxError>>()));
    let before = Instant::now();
    let own = [
        900, 5, 700, 2000, 10_000, 300, 10_000, 10_000, 1, 1200, 800, 600, 500, 400, 200, 100, 50, 25, 12, 6,
    ];
    let calls = own.map(|own| {
        let service = service.clone();
        async move {
            let limit = limit_of(service.oneshot(own).await).unwrap();
            (own, limit, before.elapsed())
        }
    });
    for (own, limit, after) in join_all(calls).await {
        let wanted = if own < 10_000 { ms(own) } else { ms(1000) };
        assert_eq!((limit, after), (wanted, wanted), "{own}");
    }
    timeout.reconfigure(ms(10).into()).unwrap();
    assert_eq!(join(late(&timeout), late(&timeout)).await, (ms(10), ms(10)));
}

/// Whoever is first may be dropped, or forgotten: the next is woken all the same.
#[tokio::test(start_paused = true)]
async fn who_is_dropped_or_forgotten_takes_nobody_along() {
    let timeout = timeout(ms(100));
    let [mut dropped, mut forgotten] = [(); 2].map(|()| Box::pin(late(&timeout)));
    for call in [&mut dropped, &mut forgotten] {
        assert!(poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await.is_pending());
    }
    std::mem::forget(forgotten);
    tokio::time::sleep(ms(40)).await;
    let waits = tokio::spawn({
        let timeout = timeout.clone();
        async move { late(&timeout).await }
    });
    tokio::time::sleep(ms(10)).await;
    drop(dropped);
    assert_eq!(waits.await.unwrap(), ms(100));
    assert_eq!(late(&timeout).await, ms(100));
}

/// Who polls last is woken, and who polled before is not.
#[tokio::test(start_paused = true)]
async fn a_call_that_moves_to_another_task_is_woken_there() {
    let timeout = timeout(ms(100));
    let [before, after] = [(); 2].map(|()| Arc::new(Woken::default()));
    let mut call = pin!(late(&timeout));
    let mut poll = |woken: &Arc<Woken>| {
        let waker = Waker::from(woken.clone());
        call.as_mut().poll(&mut Context::from_waker(&waker))
    };
    assert!(poll(&before).is_pending() && poll(&after).is_pending());
    let woken = || [&before, &after].map(|woken| woken.0.load(Relaxed));
    tokio::time::sleep(ms(99)).await;
    assert_eq!(woken(), [0, 0]);
    tokio::time::sleep(ms(2)).await;
    assert_eq!(woken(), [0, 1]);
    assert!(poll(&after).is_ready());
}

/// A paused clock goes on to the next timer: to none that nobody waits for.
#[tokio::test(start_paused = true)]
async fn a_call_that_is_done_leaves_no_timer() {
    let timeout = timeout(ms(60_000));
    let before = Instant::now();
    let service = TimeoutLayer::new(timeout).layer(takes());
    service.oneshot(5).await.unwrap();
    let (send, receive) = tokio::sync::oneshot::channel();
    let thread = std::thread::spawn(move || {
        // Long enough for this runtime to have nothing to do.
        std::thread::park_timeout(ms(50));
        send.send(()).unwrap();
    });
    receive.await.unwrap();
    thread.join().unwrap();
    assert_eq!(before.elapsed(), ms(5));
}

/// A runtime that stands still, or is gone, keeps nobody of another waiting.
#[test]
fn runtimes_do_not_wait_for_each_other() {
    let timeout = timeout(ms(100));
    let [first, second] = [(); 2].map(|()| paused());
    let stands = timeout.clone();
    first.block_on(async {
        tokio::spawn(async move { late(&stands).await });
        tokio::task::yield_now().await;
    });
    assert_eq!(second.block_on(join(late(&timeout), late(&timeout))), (ms(100), ms(100)));
    drop(first);
    assert_eq!(second.block_on(late(&timeout)), ms(100));
    drop(second);
    assert_eq!(paused().block_on(late(&timeout)), ms(100));
    assert_eq!(timeout.expired(), 4);
}

/// A call that outlives the runtime in which it was first polled goes on in another.
#[test]
fn a_call_may_outlive_its_runtime() {
    let timeout = timeout(ms(100));
    let [first, second] = [(); 2].map(|()| paused());
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut call = Box::pin(timeout.call(pending::<Result<(), Rejection>>));
    first.block_on(async {
        assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    });
    drop(first);
    assert_eq!(woken.0.load(Relaxed), 1, "told to look for itself");
    second.block_on(call).unwrap_err();
    assert_eq!(timeout.expired(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_threads_lose_nobody() {
    let timeout = timeout(Config { mode: Mode::Enforce, ..ms(30).into() });
    let service = TimeoutLayer::new(timeout.clone()).layer(takes());
    let calls = (0..2000_u64)
        .map(|n| tokio::spawn(service.clone().oneshot(if n % 2 == 0 { 100_000 } else { n % 7 })));
    let ends = tokio::time::timeout(Duration::from_secs(60), join_all(calls)).await.unwrap();
    let late = ends.into_iter().filter(|end| end.as_ref().unwrap().is_err()).count() as u64;
    // On a machine that is busy, more may be late than those that never end.
    assert!(late >= 1000 && late == timeout.expired(), "{late}");
}

/// Tokio's tasks may only do so much before they have to yield, but the timer is not theirs.
#[tokio::test(start_paused = true)]
async fn a_task_without_budget_is_woken_too() {
    let timeout = timeout(ms(100));
    let calls = (0..500).map(|_| late(&timeout));
    assert!(join_all(calls).await.into_iter().all(|after| after == ms(100)));
}
