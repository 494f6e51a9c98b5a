//! Calls in the background.

use std::{
    future::pending,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use tokio::time::{Instant, advance};

use crate::support::{ask, ms, prices, service, settle};

/// Counts itself for as long as it lives.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Relaxed);
        Self(count.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// The first call answers at once, the next hang, and all from the `third` on answer.
async fn hang(n: usize, alive: Arc<AtomicUsize>) -> Result<u32, io::Error> {
    let _alive = Alive::new(&alive);
    if n == 2 {
        pending::<()>().await;
    }
    Ok(n as u32)
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_ends_and_blocks_nobody_for_longer() {
    let cache =
        prices().ttl(ms(100)).stale_while_revalidate(ms(100)).refresh_timeout(ms(500)).build().unwrap();
    let alive = Arc::new(AtomicUsize::new(0));
    let running = alive.clone();
    let service = service(&cache, move |n| hang(n, running.clone()));
    ask(&service, "apple").await.unwrap();
    advance(ms(100)).await;
    assert_eq!(ask(&service, "apple").await.unwrap(), 1);
    settle().await;
    assert_eq!(alive.load(Relaxed), 1);
    ask(&service, "pear").await.unwrap();
    advance(ms(100)).await;
    let begin = Instant::now();
    assert_eq!(
        ask(&service, "apple").await.unwrap(),
        4,
        "its own call, when the one in the background is given up"
    );
    assert_eq!(begin.elapsed(), ms(400));
    assert_eq!(alive.load(Relaxed), 0);
    assert_eq!(cache.status().refreshes_timed_out, 1);
}

#[tokio::test(start_paused = true)]
async fn they_end_with_the_last_handle() {
    let cache = prices().ttl(ms(100)).stale_while_revalidate(ms(100)).build().unwrap();
    let alive = Arc::new(AtomicUsize::new(0));
    let running = alive.clone();
    let service = service(&cache, move |n| hang(n, running.clone()));
    ask(&service, "apple").await.unwrap();
    advance(ms(100)).await;
    ask(&service, "apple").await.unwrap();
    settle().await;
    drop(cache);
    settle().await;
    assert_eq!(alive.load(Relaxed), 1, "the service has one");
    drop(service);
    settle().await;
    assert_eq!(alive.load(Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn there_are_no_more_than_may_be() {
    let cache = prices().ttl(ms(100)).stale_while_revalidate(ms(100)).max_refreshes(2).build().unwrap();
    let service = service(&cache, |n| async move {
        if n > 5 {
            pending::<()>().await;
        }
        Ok(n as u32)
    });
    let items = ["a", "b", "c", "d", "e"];
    for item in items {
        ask(&service, item).await.unwrap();
    }
    advance(ms(100)).await;
    for item in items {
        assert!(ask(&service, item).await.is_ok(), "served all the same");
    }
    assert_eq!((cache.status().refreshes, cache.status().refreshes_denied), (2, 3));
}

/// Where there is no runtime, what is stale is served.
#[test]
fn outside_of_a_runtime_nothing_is_refreshed() {
    let cache = prices().stale_while_revalidate(ms(60_000)).build().unwrap();
    cache.insert_for("apple".into(), 7, ms(0));
    let service = service(&cache, |n| async move { Ok(n as u32) });
    let price = tokio_test::task::spawn(ask(&service, "apple")).poll();
    assert!(matches!(price, std::task::Poll::Ready(Ok(7))), "{price:?}");
    assert_eq!(cache.status().refreshes_denied, 1);
}

/// One that panics has failed as any other, and the next is begun.
#[tokio::test(start_paused = true)]
async fn one_that_panics_has_failed() {
    let cache = prices().ttl(ms(100)).stale_while_revalidate(ms(1000)).build().unwrap();
    let service = service(&cache, |n| async move {
        assert_ne!(n, 2, "the refresh");
        Ok(n as u32)
    });
    ask(&service, "apple").await.unwrap();
    advance(ms(100)).await;
    assert_eq!(ask(&service, "apple").await.unwrap(), 1);
    settle().await;
    assert_eq!((cache.status().refreshes, cache.status().refreshes_failed), (1, 1));
    assert_eq!(ask(&service, "apple").await.unwrap(), 1);
    settle().await;
    assert_eq!(ask(&service, "apple").await.unwrap(), 3);
}
