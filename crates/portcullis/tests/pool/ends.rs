//! The end of the threads.

use std::{
    cell::RefCell,
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use portcullis::ThreadPool;
use tokio_test::{assert_pending, task::spawn};

use super::support::{Done, Tells, blocked, pool};

thread_local! {
    /// Dropped when the thread ends.
    static END: RefCell<Option<Tells>> = const { RefCell::new(None) };
}

/// Tells when the pool's thread ends.
async fn end_of_thread(pool: &ThreadPool) -> Receiver<&'static str> {
    let (tells, told) = channel();
    pool.run(move || {
        END.set(Some(Tells(tells)));
        Done::Ok(())
    })
    .await
    .unwrap();
    told
}

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn with_the_last_handle_the_threads_end() {
    let pool = pool(1).keep_alive(DAY).build().unwrap();
    let end = end_of_thread(&pool).await;
    let clone = pool.clone();
    drop(pool);
    assert!(end.try_recv().is_err());
    assert_eq!(clone.run(|| Done::Ok(1)).await.unwrap(), 1);
    drop(clone); // inside of a runtime
    assert_eq!(end.recv().unwrap(), "dropped");
}

#[tokio::test]
async fn the_last_handle_may_go_on_a_thread_of_the_pool() {
    let pool = pool(1).keep_alive(DAY).build().unwrap();
    let end = end_of_thread(&pool).await;
    let own = pool.clone();
    let (blocked, work) = blocked();
    let mut call = spawn(async move {
        pool.run(move || {
            let done = work();
            drop(own);
            done
        })
        .await
    });
    assert_pending!(call.poll());
    blocked.begun.recv().unwrap();
    drop(call); // and with it all handles but the one on the thread
    blocked.go.send(()).unwrap();
    assert_eq!(end.recv().unwrap(), "dropped");
}

#[tokio::test]
async fn a_thread_without_work_ends_by_itself() {
    let pool = pool(1).keep_alive(Duration::ZERO).build().unwrap();
    assert_eq!(end_of_thread(&pool).await.recv().unwrap(), "dropped");
    assert_eq!(pool.run(|| Done::Ok(1)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_pool_of_another_size_has_other_threads() {
    let pool = pool(1).keep_alive(DAY).build().unwrap();
    let end = end_of_thread(&pool).await;
    pool.resize(2).unwrap();
    assert_eq!(end.recv().unwrap(), "dropped");
    assert_eq!(pool.run(|| Done::Ok(1)).await.unwrap(), 1);
}

#[test]
fn a_runtime_may_go_while_the_pool_stays() {
    let pool = pool(1).build().unwrap();
    for n in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(runtime.block_on(pool.run(move || Done::Ok(n))).unwrap(), n);
    }
}

/// A call of a runtime that is gone has no timers; that is its failure, and nobody else's.
#[test]
fn a_call_outlives_its_runtime() {
    let pool = pool(1).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut call = spawn(pool.call(|| async {
        tokio::time::sleep(DAY).await;
        Done::Ok(())
    }));
    runtime.block_on(async { assert_pending!(call.poll()) });
    drop(runtime);
    let error = pollster::block_on(call).unwrap_err();
    assert_eq!(error.to_string(), "thread_pool 'pool' saw it panic");
}
