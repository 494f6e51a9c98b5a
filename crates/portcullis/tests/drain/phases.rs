//! What happens when.

use portcullis::{
    BoxError, DrainLayer, Reason,
    drain::{End, Phase},
};
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{drain, secs, settle};

#[tokio::test(start_paused = true)]
async fn calls_are_served_until_the_announced_time_is_over() {
    let drain = drain().build().unwrap();
    let begun = Instant::now();
    assert!(drain.begin());
    settle().await;
    tokio::time::advance(secs(5) - std::time::Duration::from_millis(1)).await;
    settle().await;
    assert_eq!(drain.phase(), Phase::Announced);
    let last = drain.try_admit().unwrap();

    drain.signal().await;
    assert_eq!(begun.elapsed().as_secs(), 5);
    let refused = drain.try_admit().unwrap_err();
    assert_eq!((refused.reason(), refused.retry_after()), (Reason::Draining, Some(secs(0))));
    assert_eq!(drain.phase(), Phase::Refusing);

    drop(last);
    assert_eq!(drain.phase(), Phase::Ended, "at once, with the last one");
    let report = drain.ended().await;
    assert_eq!((report.by, report.in_flight, report.refused, report.cut()), (End::Finished, 1, 1, 0));
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn with_nothing_in_flight_it_is_over_with_the_announcement() {
    let drain = drain().build().unwrap();
    drain.begin();
    let report = drain.ended().await;
    assert_eq!((report.took.as_secs(), report.is_clean()), (5, true));
}

#[tokio::test(start_paused = true)]
async fn a_second_begin_is_harmless() {
    let drain = drain().build().unwrap();
    assert!(drain.begin());
    tokio::time::sleep(secs(4)).await;
    assert!(!drain.begin() && !drain.clone().begin());
    assert_eq!(drain.ended().await.took.as_secs(), 5, "the time does not begin anew");
    assert!(!drain.begin());
    assert_eq!(drain.phase(), Phase::Ended);
}

#[tokio::test(start_paused = true)]
async fn the_grace_is_over_although_a_call_is_not() {
    let drain = drain().build().unwrap();
    let stuck = drain.try_admit_as("/report").unwrap();
    drain.begin();
    let report = drain.ended().await;
    assert_eq!((report.by, report.took, report.cut()), (End::Grace, secs(15), 1));
    assert_eq!((&*report.named[0].name, report.named[0].ran), ("/report", secs(15)));
    drop(stuck);
    assert_eq!(drain.ended().await, report, "what was reported stays");
    assert_eq!(drain.status().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn who_cannot_wait_ends_it_at_once() {
    let drain = drain().build().unwrap();
    let _stuck = drain.try_admit().unwrap();
    drain.begin();
    drain.end();
    let report = drain.ended().await;
    assert_eq!((report.by, report.took, report.cut()), (End::Forced, secs(0), 1));
    assert!(drain.try_admit().is_err());
}

/// There is no time without a runtime, and so nothing to wait for.
#[test]
fn without_a_runtime_it_refuses_at_once() {
    let drain = drain().build().unwrap();
    let running = drain.try_admit().unwrap();
    drain.begin();
    assert!(drain.try_admit().is_err());
    assert_eq!(drain.phase(), Phase::Refusing);
    drop(running);
    assert_eq!(drain.phase(), Phase::Ended);
}

/// A refusal does not wait for a service that will not be called.
#[tokio::test(start_paused = true)]
async fn refusals_come_although_the_inner_service_is_never_ready() {
    let drain = drain().announce(secs(0)).build().unwrap();
    let inner = tower::limit::ConcurrencyLimit::new(service_fn(async |_: ()| Ok::<_, BoxError>(())), 0);
    let service = DrainLayer::new(drain.clone()).layer(inner);
    drain.begin();
    drain.signal().await;
    let error = service.oneshot(()).await.unwrap_err();
    assert!(error.is::<portcullis::Rejection>());
}

#[tokio::test(start_paused = true)]
async fn times_can_be_changed_until_they_run() {
    let drain = drain().build().unwrap();
    let mut config = drain.config();
    (config.announce, config.retry_after) = (secs(1), secs(3));
    drain.reconfigure(config.clone()).unwrap();
    let _stuck = drain.try_admit().unwrap();
    drain.begin();
    config.grace = secs(2);
    drain.reconfigure(config.clone()).unwrap();
    drain.signal().await;
    assert_eq!(drain.try_admit().unwrap_err().retry_after(), Some(secs(3)));
    assert_eq!(drain.ended().await.took, secs(3));
    config.grace = secs(100_000);
    assert_eq!(drain.reconfigure(config).unwrap_err().field(), "drain.grace");
}

/// Many calls on several threads while it ends: each is finished or refused, and the end comes after the last.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_missed_on_several_threads() {
    for _ in 0..50 {
        let drain = drain().announce(secs(0)).build().unwrap();
        let over = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let call = |_| {
            let (drain, over) = (drain.clone(), over.clone());
            tokio::spawn(async move {
                let Ok(ticket) = drain.try_admit() else { return false };
                tokio::task::yield_now().await;
                assert!(!over.load(std::sync::atomic::Ordering::SeqCst), "missed");
                drop(ticket);
                true
            })
        };
        let calls: Vec<_> = (0..100).map(call).collect();
        drain.begin();
        let report = drain.ended().await;
        over.store(true, std::sync::atomic::Ordering::SeqCst);
        let mut served = 0;
        for call in calls {
            served += usize::from(call.await.unwrap());
        }
        assert!(report.is_clean() && served <= 100);
    }
}
