//! Work on threads of its own.

use std::{
    rc::Rc,
    sync::{
        Arc, Barrier,
        atomic::{AtomicU32, Ordering::SeqCst},
        mpsc::channel,
    },
    thread,
    time::Duration,
};

use portcullis::{BoxError, Rejection, ThreadPool};
use tokio::time::{Instant, sleep};

use super::support::{Done, ms, pool};

#[test]
fn the_defaults_are_valid() {
    assert_eq!(ThreadPool::new("defaults").config().threads, 10);
}

#[tokio::test]
async fn work_runs_on_a_thread_with_the_pools_name() {
    let pool = pool(1).build().unwrap();
    let (id, name) = pool
        .run(|| Done::Ok((thread::current().id(), thread::current().name().map(str::to_owned))))
        .await
        .unwrap();
    assert_eq!(name.as_deref(), Some("pool"));
    assert_ne!(id, thread::current().id());
    let again = pool.run(|| Done::Ok(thread::current().id())).await.unwrap();
    assert_eq!(id, again, "the thread is used again");
}

#[tokio::test]
async fn a_name_that_no_thread_can_have_is_no_trouble() {
    let pool = ThreadPool::builder("a\0b").build().unwrap();
    assert_eq!(pool.run(|| Done::Ok(thread::current().name().map(str::len))).await.unwrap(), Some(3));
}

#[tokio::test]
async fn as_many_run_at_a_time_as_there_are_threads() {
    let pool = pool(3).max_queued(100).build().unwrap();
    let all_here = Arc::new(Barrier::new(3));
    let (running, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let calls: Vec<_> = (0..30)
        .map(|_| {
            let (pool, all_here) = (pool.clone(), all_here.clone());
            let (running, most) = (running.clone(), most.clone());
            tokio::spawn(async move {
                let work = move || {
                    most.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
                    all_here.wait();
                    running.fetch_sub(1, SeqCst);
                    Done::Ok(())
                };
                pool.run(work).await
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(most.load(SeqCst), 3);
    assert_eq!((pool.status().busy, pool.status().queued), (0, 0));
}

#[tokio::test]
async fn one_call_after_the_other_always_finds_the_thread_free() {
    let pool = pool(1).build().unwrap();
    for n in 0..1000 {
        assert_eq!(pool.run(move || Done::Ok(n)).await.unwrap(), n);
    }
}

#[tokio::test(start_paused = true)]
async fn a_future_has_the_timers_of_its_caller() {
    let pool = pool(2).build().unwrap();
    let start = Instant::now();
    let hour = Duration::from_secs(3600);
    let wait = move || async move {
        sleep(hour).await;
        Done::Ok(Instant::now())
    };
    let (one, other) = tokio::join!(pool.call(wait), pool.call(wait));
    assert_eq!((one.unwrap() - start, other.unwrap() - start), (hour, hour));
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_waits_for_work() {
    let pool = pool(1).build().unwrap();
    let start = Instant::now();
    // Real time, of which a paused clock knows nothing: without more ado it would see nobody at work, and go on.
    let busy = pool.run(|| Done::Ok((0..3_000_000u64).fold(0, |sum, n| sum ^ n.wrapping_mul(n))));
    tokio::time::timeout(ms(1), busy).await.unwrap().unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn a_future_spawns_on_the_runtime_of_its_caller() {
    let pool = pool(1).build().unwrap();
    let id = pool
        .call(|| async { Done::Ok(tokio::spawn(async { thread::current().id() }).await.unwrap()) })
        .await
        .unwrap();
    assert_eq!(id, thread::current().id());
}

#[tokio::test(start_paused = true)]
async fn a_future_stays_on_its_thread_and_need_not_be_send() {
    let pool = pool(1).build().unwrap();
    let stays = pool.call(|| async {
        let (here, shared) = (thread::current().id(), Rc::new(5));
        sleep(ms(5)).await;
        assert_eq!(here, thread::current().id());
        Done::Ok(*shared)
    });
    assert_eq!(stays.await.unwrap(), 5);
}

#[tokio::test]
async fn what_blocks_may_have_a_runtime_inside() {
    let pool = pool(1).build().unwrap();
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let nested = pool.call(move || async move {
        let inner = runtime();
        let own = inner.block_on(async { 1 });
        drop(inner); // which panics in a task
        Done::Ok(own + tokio::runtime::Handle::current().block_on(async { 2 }))
    });
    assert_eq!(nested.await.unwrap(), 3);
}

#[test]
fn it_works_without_a_runtime() {
    let pool = pool(1).build().unwrap();
    assert_eq!(pollster::block_on(pool.run(|| Done::Ok(1))).unwrap(), 1);
    assert_eq!(pollster::block_on(pool.call(|| async { Done::Ok(2) })).unwrap(), 2);
}

#[tokio::test]
async fn a_ticket_keeps_a_thread_for_work_to_come() {
    let pool = pool(1).build().unwrap();
    let ticket = pool.try_admit().unwrap();
    assert!(ticket.is_isolated() && pool.is_refusing());
    assert_eq!(pool.run(|| Done::Ok(1)).await.unwrap_err().to_string(), FULL);
    assert_eq!(pool.try_admit().unwrap_err().to_string(), FULL);
    assert_eq!(ticket.run(|| Done::Ok(2)).await.unwrap(), 2);
    drop(pool.try_admit().unwrap());
    assert_eq!(pool.admit().await.unwrap().call(|| async { Done::Ok(3) }).await.unwrap(), 3);
    assert_eq!(pool.status().rejected, 2);
}

const FULL: &str = "thread_pool 'pool' is full: 1 threads are busy, 0 queued";

#[tokio::test]
async fn errors_of_the_work_are_its_own() {
    let pool = pool(1).build().unwrap();
    let failed: Result<(), BoxError> = pool.run(|| Err("lost".into())).await;
    assert_eq!(failed.unwrap_err().to_string(), "lost");
    assert!(pool.call(|| async { Err::<(), BoxError>("lost".into()) }).await.is_err());
    let ticket = pool.try_admit().unwrap();
    let refused: Result<(), BoxError> = pool.run(|| Ok(())).await;
    assert!(refused.unwrap_err().is::<Rejection>());
    drop(ticket);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_share_a_pool() {
    let pool = pool(2).max_queued(1000).max_wait(Duration::from_secs(60)).build().unwrap();
    let (told, sums) = channel();
    let calls: Vec<_> = (0..500u64)
        .map(|n| {
            let (pool, told) = (pool.clone(), told.clone());
            tokio::spawn(async move {
                pool.call(move || async move {
                    tokio::task::yield_now().await;
                    told.send(n).unwrap();
                    Done::Ok(())
                })
                .await
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(sums.try_iter().sum::<u64>(), 499 * 500 / 2);
    assert_eq!((pool.status().busy, pool.status().queued, pool.status().cancelled), (0, 0, 0));
}
