//! Calls that are dropped.

use std::sync::mpsc::{channel, sync_channel};

use tokio::{sync::oneshot, time::sleep};
use tokio_test::{assert_pending, task::spawn};

use super::support::{Done, Tells, blocked, eventually, ms, pool, settle};

#[tokio::test]
async fn queued_work_never_begins() {
    let pool = pool(1).max_queued(2).build().unwrap();
    let (running, work) = blocked();
    let first = tokio::spawn({
        let pool = pool.clone();
        async move { pool.run(work).await }
    });
    tokio::task::yield_now().await;
    running.begun.recv().unwrap();

    let (told, begun) = channel();
    let mut queued = spawn(pool.run(move || {
        told.send(()).unwrap();
        Done::Ok(())
    }));
    assert_pending!(queued.poll());
    assert_eq!(pool.status().queued, 1);
    drop(queued);
    assert_eq!((pool.status().queued, pool.status().cancelled), (0, 1));

    running.go.send(()).unwrap();
    first.await.unwrap().unwrap();
    begun.recv().unwrap_err();
    assert_eq!(pool.status().busy, 0);
}

#[tokio::test]
async fn a_future_is_dropped_where_it_waits() {
    let pool = pool(1).build().unwrap();
    let (tells, told) = channel();
    let (begins, begun) = oneshot::channel();
    let mut call = spawn(pool.call(move || async move {
        let _tells = Tells(tells);
        begins.send(()).unwrap();
        std::future::pending::<Done>().await
    }));
    assert_pending!(call.poll());
    begun.await.unwrap();
    assert_eq!(pool.status().busy, 1);
    drop(call);
    assert_eq!(told.recv().unwrap(), "dropped");
    eventually(|| pool.status().busy == 0);
    assert_eq!(pool.status().cancelled, 1);
    assert_eq!(pool.run(|| Done::Ok(7)).await.unwrap(), 7);
}

#[tokio::test]
async fn what_cannot_be_stopped_keeps_its_thread_until_it_ends() {
    let pool = pool(1).build().unwrap();
    let (running, work) = blocked();
    let mut call = spawn(pool.run(work));
    assert_pending!(call.poll());
    running.begun.recv().unwrap();
    drop(call);
    assert_eq!((pool.status().busy, pool.status().cancelled), (1, 1));
    assert!(pool.try_admit().is_err(), "it is busy indeed");
    running.go.send(()).unwrap();
    eventually(|| pool.status().busy == 0);
}

#[tokio::test]
async fn work_can_see_that_its_caller_is_gone() {
    let pool = pool(1).build().unwrap();
    let (told, seen) = sync_channel(0);
    let mut call = spawn(pool.run_with(move |caller| {
        told.send(caller.is_gone()).unwrap();
        eventually(|| caller.is_gone());
        told.send(caller.is_gone()).unwrap();
        Done::Ok(())
    }));
    assert_pending!(call.poll());
    assert!(!seen.recv().unwrap());
    drop(call);
    assert!(seen.recv().unwrap());
    eventually(|| pool.status().busy == 0);
}

/// Whatever the call was doing: the queue, the hand-over, the work, its end.
#[tokio::test(start_paused = true)]
async fn dropped_at_any_moment_nothing_stays_behind() {
    for after in 0..12 {
        let pool = pool(1).max_queued(1).build().unwrap();
        let held = pool.try_admit().unwrap();
        let call = tokio::spawn({
            let pool = pool.clone();
            async move {
                let work = || async {
                    sleep(ms(4)).await;
                    tokio::task::yield_now().await;
                    Done::Ok(())
                };
                pool.call(work).await
            }
        });
        sleep(ms(3)).await;
        drop(held);
        sleep(ms(after)).await;
        call.abort();
        settle().await;
        let status = pool.status();
        assert_eq!((status.busy, status.queued), (0, 0), "after {after} ms");
        assert_eq!(status.cancelled, u64::from(!matches!(call.await, Ok(Ok(())))), "after {after} ms");
        pool.run(|| Done::Ok(())).await.unwrap();
    }
}

/// A permit that is handed to a call at the moment it is dropped goes to the next.
#[tokio::test(start_paused = true)]
async fn a_turn_that_nobody_takes_goes_to_the_next() {
    let pool = pool(1).max_queued(2).build().unwrap();
    let held = pool.try_admit().unwrap();
    let mut first = spawn(pool.run(|| Done::Ok(1)));
    let mut second = spawn(pool.run(|| Done::Ok(2)));
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    drop(held);
    assert!(first.is_woken());
    drop(first);
    assert!(second.is_woken());
    assert_eq!(second.await.unwrap(), 2);
}
