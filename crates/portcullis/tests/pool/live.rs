//! Settings that change while calls flow.

use std::{sync::mpsc::channel, thread, time::Duration};

use portcullis::{
    Mode,
    pool::{Config, Preset},
};
use tokio_test::{assert_pending, task::spawn};

use super::support::{Blocked, Done, blocked, eventually, ms, pool, settle};

fn begin(pool: &portcullis::ThreadPool) -> (Blocked, tokio::task::JoinHandle<Done>) {
    let (handle, work) = blocked();
    let pool = pool.clone();
    (handle, tokio::spawn(async move { pool.run(work).await }))
}

#[tokio::test]
async fn a_pool_grows_and_those_who_wait_go_on() {
    let pool = pool(1).max_queued(5).build().unwrap();
    let (one, first) = begin(&pool);
    tokio::task::yield_now().await;
    one.begun.recv().unwrap();
    let (two, second) = begin(&pool);
    tokio::task::yield_now().await;
    assert_eq!((pool.status().busy, pool.status().queued), (1, 1));

    pool.resize(2).unwrap();
    tokio::task::yield_now().await;
    two.begun.recv().unwrap();
    assert_eq!((pool.status().threads, pool.status().busy, pool.status().queued), (2, 2, 0));
    for (blocked, call) in [(one, first), (two, second)] {
        blocked.go.send(()).unwrap();
        call.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_pool_shrinks_and_those_who_run_go_on() {
    let pool = pool(2).build().unwrap();
    let (one, first) = begin(&pool);
    let (two, second) = begin(&pool);
    tokio::task::yield_now().await;
    for blocked in [&one, &two] {
        blocked.begun.recv().unwrap();
    }
    pool.reconfigure(Config { threads: 1, ..pool.config() }).unwrap();
    assert_eq!((pool.status().threads, pool.status().busy), (1, 2));
    one.go.send(()).unwrap();
    first.await.unwrap().unwrap();
    assert!(pool.is_refusing(), "one is still one too many");
    two.go.send(()).unwrap();
    second.await.unwrap().unwrap();
    pool.run(|| Done::Ok(())).await.unwrap();
    assert_eq!(pool.recent_events().len(), 1);
}

#[tokio::test]
async fn what_is_wrong_changes_nothing() {
    let pool = pool(2).build().unwrap();
    assert_eq!(pool.resize(0).unwrap_err().field(), "thread_pool.threads");
    let mode = pool.set_mode(Mode::EnforcePercent(101)).unwrap_err();
    assert_eq!(mode.field(), "thread_pool.mode.enforce_percent");
    assert_eq!((pool.config().threads, pool.status().threads, pool.recent_events().len()), (2, 2, 0));
}

#[tokio::test]
async fn in_shadow_all_pass_on_threads_of_the_pool() {
    let pool = pool(1).mode(Mode::Shadow).build().unwrap();
    let calls: Vec<_> = (0..5).map(|_| begin(&pool)).collect();
    tokio::task::yield_now().await;
    for (blocked, _) in &calls {
        blocked.begun.recv().unwrap();
    }
    assert_eq!((pool.status().busy, pool.status().bypassed, pool.status().rejected), (5, 4, 0));
    for (blocked, call) in calls {
        blocked.go.send(()).unwrap();
        call.await.unwrap().unwrap();
    }
    assert_eq!(pool.status().busy, 0);
}

#[tokio::test(start_paused = true)]
async fn a_share_is_enforced() {
    let pool = pool(1).mode(Mode::EnforcePercent(50)).seed(7).build().unwrap();
    let held = pool.try_admit().unwrap();
    let passed = (0..100).filter(|_| pool.try_admit().is_ok()).count();
    assert!((30..70).contains(&passed), "{passed}");
    assert_eq!(pool.status().rejected, 100 - passed as u64);
    drop(held);
    assert_eq!(pool.status().busy, 0);
}

#[tokio::test]
async fn disabled_it_is_as_if_it_were_not_there() {
    let pool = pool(1).mode(Mode::Disabled).build().unwrap();
    let here = thread::current().id();
    assert_eq!(pool.call(|| async { Done::Ok(thread::current().id()) }).await.unwrap(), here);
    // What blocks must not block the runtime, whose own blocking threads it then has.
    let (id, name) = pool
        .run(|| Done::Ok((thread::current().id(), thread::current().name().map(str::to_owned))))
        .await
        .unwrap();
    assert!(id != here && name.as_deref() != Some("pool"), "{name:?}");
    let tickets: Vec<_> = (0..5).map(|_| pool.try_admit().unwrap()).collect();
    assert!(tickets.iter().all(|ticket| !ticket.is_isolated()));
    let panics = tokio::spawn({
        let pool = pool.clone();
        async move { pool.run(|| -> Done { panic!("as ever") }).await }
    });
    assert!(panics.await.unwrap_err().is_panic());
    assert_eq!((pool.status().busy, pool.status().panics), (0, 0));
    assert_eq!(pollster::block_on(async { 1 }), 1);
}

#[test]
fn disabled_and_without_a_runtime_work_runs_in_place() {
    let pool = pool(1).mode(Mode::Disabled).build().unwrap();
    let id = pollster::block_on(pool.run(|| Done::Ok(thread::current().id()))).unwrap();
    assert_eq!(id, thread::current().id());
}

#[tokio::test]
async fn disabled_work_sees_that_its_caller_is_gone() {
    let pool = pool(1).mode(Mode::Disabled).build().unwrap();
    let (told, seen) = channel();
    let mut call = spawn(pool.run_with(move |caller| {
        told.send(caller.is_gone()).unwrap();
        eventually(|| caller.is_gone());
        told.send(true).unwrap();
        Done::Ok(())
    }));
    assert_pending!(call.poll());
    assert!(!seen.recv().unwrap());
    drop(call);
    assert!(seen.recv().unwrap());
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_go_on_when_it_is_disabled() {
    let pool = pool(1).max_queued(1).max_wait(Duration::from_secs(60)).build().unwrap();
    let held = pool.try_admit().unwrap();
    let waits = tokio::spawn({
        let pool = pool.clone();
        async move { pool.call(|| async { Done::Ok(1) }).await }
    });
    settle().await;
    pool.set_mode(Mode::Disabled).unwrap();
    assert_eq!(waits.await.unwrap().unwrap(), 1);
    drop(held);
    pool.set_mode(Mode::Enforce).unwrap();
    assert_eq!(pool.status().busy, 0, "what was taken under one mode is given back under another");
}

#[tokio::test]
async fn a_preset_is_a_start() {
    let pool = pool(1).preset(Preset::Database).threads(5).build().unwrap();
    assert_eq!(pool.config(), Config { threads: 5, ..Preset::Database.config() });
    pool.reconfigure(Config { keep_alive: ms(1), ..pool.config() }).unwrap();
    assert_eq!(pool.run(|| Done::Ok(1)).await.unwrap(), 1);
}
