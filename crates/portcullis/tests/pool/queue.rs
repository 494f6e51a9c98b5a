//! The line before the threads.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use portcullis::{PolicyKind, Reason};
use tokio::time::Instant;

use super::support::{Done, ms, pool, settle};

#[tokio::test(start_paused = true)]
async fn the_line_is_bounded() {
    let pool = pool(1).max_queued(2).build().unwrap();
    let held = pool.try_admit().unwrap();
    let waiting: Vec<_> = (0..2)
        .map(|n| {
            tokio::spawn({
                let pool = pool.clone();
                async move { pool.run(move || Done::Ok(n)).await }
            })
        })
        .collect();
    settle().await;
    let full = pool.run(|| Done::Ok(9)).await.unwrap_err();
    assert_eq!(full.reason(), Reason::PoolFull { threads: 1, queued: 2 });
    assert_eq!((full.kind(), full.retry_after()), (PolicyKind::ThreadPool, None));
    assert_eq!(full.to_string(), "thread_pool 'pool' is full: 1 threads are busy, 2 queued");
    drop(held);
    for (n, call) in waiting.into_iter().enumerate() {
        assert_eq!(call.await.unwrap().unwrap(), n);
    }
    assert_eq!(pool.status().rejected, 1);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_he_may() {
    let pool = pool(1).max_queued(5).max_wait(ms(250)).build().unwrap();
    let held = pool.try_admit().unwrap();
    let start = Instant::now();
    let late = pool.run(|| Done::Ok(())).await.unwrap_err();
    assert_eq!(start.elapsed(), ms(250));
    assert_eq!(late.reason(), Reason::PoolTimeout { threads: 1, max_wait: ms(250) });
    assert_eq!(late.to_string(), "thread_pool 'pool' had no thread within 250ms: 1 are busy");
    assert_eq!(late.reason().as_str(), "pool_timeout");
    let status = pool.status();
    assert_eq!((status.rejected, status.timed_out, status.queued, status.cancelled), (1, 1, 0, 0));
    drop(held);
    pool.run(|| Done::Ok(())).await.unwrap();
}

async fn order(newest_first: bool) -> Vec<u32> {
    let pool = pool(1).max_queued(5).newest_first(newest_first).build().unwrap();
    let held = pool.try_admit().unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut calls = Vec::new();
    for n in 0..5 {
        let (pool, order) = (pool.clone(), order.clone());
        calls.push(tokio::spawn(async move {
            pool.run(move || {
                order.lock().unwrap().push(n);
                Done::Ok(())
            })
            .await
            .unwrap();
        }));
        tokio::task::yield_now().await;
    }
    drop(held);
    for call in calls {
        call.await.unwrap();
    }
    Arc::into_inner(order).unwrap().into_inner().unwrap()
}

#[tokio::test(start_paused = true)]
async fn who_came_first_is_served_first_or_last() {
    assert_eq!(order(false).await, [0, 1, 2, 3, 4]);
    assert_eq!(order(true).await, [4, 3, 2, 1, 0]);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let error = pool(0).build().unwrap_err();
    assert_eq!((error.field(), &*error.to_string()), ("thread_pool.threads", ZERO));
    let error = pool(1).max_wait(Duration::ZERO).build().unwrap_err();
    assert_eq!(error.field(), "thread_pool.max_wait");
}

const ZERO: &str = "thread_pool.threads is 0: allowed is 1 to 10000";
