//! Many calls that wait for their delay, and one timer: each is hedged at its own time, whatever becomes of the others.

use std::{
    future::{Future, pending, poll_fn},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_util::future::{join, join_all};
use portcullis::{BoxError, Hedge, KeyedHedge, Registry, hedge::Delay};
use tokio::{
    runtime::{Builder, Runtime},
    time::Instant,
};

use super::support::{hedge, ms};

/// A hedge that has enough in its budget for all of these.
fn generous() -> portcullis::hedge::HedgeBuilder {
    hedge().budget_of(1.0, 100_000)
}

/// How long it took until a call whose first attempt hangs was hedged.
async fn hedged(hedge: &Hedge) -> Duration {
    let before = Instant::now();
    let answer = hedge.call(|attempt| async move {
        if attempt.number() == 1 {
            pending::<()>().await;
        }
        Ok::<_, BoxError>(before.elapsed())
    });
    answer.await.unwrap()
}

/// A call of which every attempt takes so long: how many there were, and when it ended.
async fn takes(hedge: &Hedge, millis: u64) -> (u64, Duration) {
    let (before, attempts) = (Instant::now(), AtomicU64::new(0));
    let answer = hedge.call(|_| {
        attempts.fetch_add(1, Relaxed);
        async {
            tokio::time::sleep(ms(millis)).await;
            Ok::<_, BoxError>(())
        }
    });
    answer.await.unwrap();
    (attempts.load(Relaxed), before.elapsed())
}

fn paused() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_call_is_hedged_at_its_own_time() {
    let hedge = generous().build().unwrap();
    let calls = (0..1000_u64).map(|n| {
        let hedge = &hedge;
        async move {
            tokio::time::sleep(ms(n / 2)).await;
            // Two of three are done before the delay of 20 ms is over.
            let millis = if n % 3 == 0 { 30 } else { n % 20 };
            (n, millis, takes(hedge, millis).await)
        }
    });
    for (n, millis, (attempts, after)) in join_all(calls).await {
        assert_eq!((attempts, after), (1 + u64::from(n % 3 == 0), ms(millis)), "call {n}");
    }
    assert_eq!((hedge.status().sent, hedge.status().lost), (334, 334));
}

/// A shorter delay is not kept waiting by those who came before, however many they are; and further attempts wait anew.
#[tokio::test(start_paused = true)]
async fn delays_may_differ_from_call_to_call() {
    let calls = Arc::new(AtomicU64::new(0));
    let delays: [u64; 20] =
        [900, 5, 700, 2000, 300, 1000, 1000, 1, 1200, 800, 600, 500, 400, 200, 100, 50, 25, 12, 6, 3];
    let delay = {
        let calls = calls.clone();
        Delay::function(move |_| Some(ms(delays[calls.fetch_add(1, Relaxed) as usize % delays.len()])))
    };
    let hedge = generous().delay(delay).build().unwrap();
    let ends = join_all(delays.map(|_| hedged(&hedge))).await;
    assert_eq!(ends, delays.map(ms));

    let thirds = generous().fixed_delay(ms(30)).max_attempts(3).build().unwrap();
    let ends = join_all((0..50).map(|_| takes(&thirds, 1000))).await;
    assert!(ends.iter().all(|&end| end == (3, ms(1000))));
}

/// Whoever is first may be dropped, or forgotten: the next is hedged all the same.
#[tokio::test(start_paused = true)]
async fn who_is_dropped_or_forgotten_takes_nobody_along() {
    let hedge = generous().build().unwrap();
    let [mut dropped, mut forgotten] = [(); 2].map(|()| Box::pin(hedged(&hedge)));
    for call in [&mut dropped, &mut forgotten] {
        assert!(poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await.is_pending());
    }
    std::mem::forget(forgotten);
    tokio::time::sleep(ms(4)).await;
    let waits = tokio::spawn({
        let hedge = hedge.clone();
        async move { hedged(&hedge).await }
    });
    tokio::time::sleep(ms(1)).await;
    drop(dropped);
    assert_eq!(waits.await.unwrap(), ms(20));
    assert_eq!(hedged(&hedge).await, ms(20));
}

/// A paused clock goes on to the next timer: to none that nobody waits for.
#[tokio::test(start_paused = true)]
async fn a_call_that_is_done_leaves_no_timer() {
    let hedge = generous().fixed_delay(ms(60_000)).build().unwrap();
    let before = Instant::now();
    assert_eq!(takes(&hedge, 5).await, (1, ms(5)));
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

/// A runtime that stands still, or is gone, keeps nobody of another waiting; and a call may outlive the one in which it
/// was first polled.
#[test]
fn runtimes_do_not_wait_for_each_other() {
    let hedge = generous().build().unwrap();
    let [first, second] = [(); 2].map(|()| paused());
    let mut outlives = Box::pin(hedged(&hedge));
    first.block_on(async {
        assert!(outlives.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    });
    assert_eq!(second.block_on(join(hedged(&hedge), hedged(&hedge))), (ms(20), ms(20)));
    drop(first);
    assert_eq!(second.block_on(hedged(&hedge)), ms(20));
    assert!(second.block_on(outlives) >= ms(20));
    drop(second);
    assert_eq!(paused().block_on(hedged(&hedge)), ms(20));
    assert_eq!(hedge.status().won, 5);
}

/// Keys wait together, so that each costs no timer of its own.
#[tokio::test(start_paused = true)]
async fn the_calls_of_many_keys_wait_too() {
    let hedges = KeyedHedge::<Box<str>>::builder("hedge")
        .fixed_delay(ms(20))
        .budget_of(1.0, 100_000)
        .registry(&Registry::new())
        .build()
        .unwrap();
    let calls = (0..500_u64).map(|n| {
        let hedge = hedges.policy(format!("key {}", n % 100).as_str());
        async move {
            tokio::time::sleep(ms(n % 7)).await;
            if n % 2 == 0 { hedged(&hedge).await } else { takes(&hedge, 5).await.1 }
        }
    });
    for (n, after) in join_all(calls).await.into_iter().enumerate() {
        assert_eq!(after, if n % 2 == 0 { ms(20) } else { ms(5) }, "call {n}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_threads_lose_nobody() {
    let hedge = generous().fixed_delay(ms(10)).build().unwrap();
    let calls = (0..2000_u64).map(|n| {
        let hedge = hedge.clone();
        tokio::spawn(
            async move { if n % 2 == 0 { hedged(&hedge).await } else { takes(&hedge, n % 7).await.1 } },
        )
    });
    let ends = tokio::time::timeout(Duration::from_secs(60), join_all(calls)).await.unwrap();
    assert!(ends.into_iter().step_by(2).all(|end| end.unwrap() >= ms(10)));
    assert!(hedge.status().won >= 1000, "{:?}", hedge.status());
}
