//! The bulkhead: its settings, as calls see them.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::{Context, Waker},
    time::Duration,
};

use portcullis::{
    BoxError, Bulkhead, BulkheadLayer, Mode, Priority, Reason, Registry, Rejection,
    bulkhead::{BulkheadBuilder, Codel, Config, Demand, Order},
    event::{EventKind, Received},
};
use tokio::{sync::mpsc, task::JoinHandle};
use tower::{Layer, ServiceExt, service_fn};

const WAIT: Duration = Duration::from_secs(1);

fn bulkhead(max_in_flight: u32) -> BulkheadBuilder {
    Bulkhead::builder("pool").max_in_flight(max_in_flight).registry(&Registry::new())
}

/// Lets every other task run until it waits; no time goes by.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// Calls that tell when their turn has come, and run until they are aborted.
fn come(bulkhead: &Bulkhead, demands: &[Demand]) -> (Vec<JoinHandle<()>>, mpsc::UnboundedReceiver<usize>) {
    let (tell, told) = mpsc::unbounded_channel();
    let come = |(number, demand): (usize, &Demand)| {
        let (bulkhead, demand, tell) = (bulkhead.clone(), *demand, tell.clone());
        tokio::spawn(async move {
            let admitted = bulkhead.admit_as(demand).await;
            if admitted.is_ok() && tell.send(number).is_ok() {
                std::future::pending::<()>().await;
            }
        })
    };
    (demands.iter().enumerate().map(come).collect(), told)
}

#[test]
fn a_wait_that_cannot_be_timed_leaves_the_queue() {
    let bulkhead = bulkhead(1).queue(1, WAIT).build().unwrap();
    let running = bulkhead.try_admit().unwrap();

    // Outside a runtime there are no timers, and tokio says so by a panic.
    let waiting = catch_unwind(AssertUnwindSafe(|| {
        let _ = pin!(bulkhead.admit()).poll(&mut Context::from_waker(Waker::noop()));
    }));
    assert!(waiting.is_err());

    assert_eq!(bulkhead.status().queued, 0, "its place is free");
    drop(running);
    assert_eq!(bulkhead.status().in_flight, 0, "nobody holds the permit");
}

#[tokio::test(start_paused = true)]
async fn calls_weigh_what_the_layer_says() {
    let bulkhead = bulkhead(10).build().unwrap();
    let inner = service_fn(async |_: Vec<u8>| std::future::pending::<Result<(), BoxError>>().await);
    let service = BulkheadLayer::new(bulkhead.clone()).weigh(|sent: &Vec<u8>| sent.len() as u32).layer(inner);

    let running = tokio::spawn(service.clone().oneshot(vec![0; 8]));
    settle().await;
    assert_eq!(bulkhead.status().in_flight, 8);
    let error = service.clone().oneshot(vec![0; 3]).await.unwrap_err();
    let expected = Reason::BulkheadShort { limit: 10, free: 2, queued: 0, weight: 3 };
    assert_eq!(Rejection::find(&*error).unwrap().reason(), expected);

    running.abort();
    settle().await;
    let all = tokio::spawn(service.oneshot(vec![0; 99]));
    settle().await;
    assert_eq!(bulkhead.status().in_flight, 10, "more than there are: it runs alone");
    all.abort();
    settle().await;
    assert_eq!(bulkhead.status().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn higher_classes_use_what_is_kept_for_them_and_go_first() {
    let rules = bulkhead(2).reserve(Priority::High, 1).order(Order::Priority).queue(9, WAIT);
    let bulkhead = rules.build().unwrap();
    let classes = [Priority::Normal, Priority::Normal, Priority::Low, Priority::High, Priority::Highest];
    let demands = classes.map(|priority| Demand { weight: 1, priority });
    let (calls, mut told) = come(&bulkhead, &demands);
    settle().await;
    assert_eq!((told.recv().await, told.recv().await), (Some(0), Some(3)), "one for all, and one kept");

    for (ends, next) in [(3, 4), (4, 1)] {
        calls[ends].abort();
        settle().await;
        if next == 1 {
            assert!(told.is_empty(), "the kept one stays free");
            calls[0].abort();
        }
        assert_eq!(told.recv().await, Some(next));
    }
    calls[1].abort();
    assert_eq!(told.recv().await, Some(2));
}

#[cfg(feature = "http")]
#[tokio::test(start_paused = true)]
async fn a_header_tells_how_much_a_request_matters() {
    let bulkhead = bulkhead(2).reserve(Priority::High, 1).build().unwrap();
    let inner = service_fn(async |_: http::Request<()>| Ok::<_, BoxError>(()));
    let layer = BulkheadLayer::new(bulkhead.clone());
    let service = layer.priority_header(http::HeaderName::from_static("x-priority")).layer(inner);
    let taken = bulkhead.try_admit().unwrap();

    for (told, served) in [("low", false), ("normal", false), ("high", true), ("4", true), ("?", false)] {
        let request = http::Request::builder().header("x-priority", told).body(()).unwrap();
        assert_eq!(service.clone().oneshot(request).await.is_ok(), served, "{told}");
    }
    drop(taken);
}

#[tokio::test(start_paused = true)]
async fn a_new_limit_holds_at_once_and_nobody_loses_a_place() {
    let bulkhead = bulkhead(1).queue(9, WAIT).build().unwrap();
    let (calls, mut told) = come(&bulkhead, &[Demand::ONE; 5]);
    settle().await;
    assert_eq!(bulkhead.status().queued, 4);

    bulkhead.resize(3).unwrap();
    settle().await;
    assert_eq!([told.recv().await, told.recv().await, told.recv().await], [0, 1, 2].map(Some));
    bulkhead.resize(2).unwrap();
    let status = bulkhead.status();
    assert_eq!((status.in_flight, status.limit, status.queued), (3, 2, 2), "those that run go on");

    calls[0].abort();
    settle().await;
    assert_eq!(bulkhead.status().queued, 2, "still as many as may");
    calls[1].abort();
    assert_eq!(told.recv().await, Some(3));
}

#[test]
fn settings_that_are_refused_change_nothing_and_others_are_told() {
    let bulkhead = bulkhead(3).reserve(Priority::Highest, 2).build().unwrap();
    assert_eq!(bulkhead.resize(2).unwrap_err().to_string(), "bulkhead.reserved is 2: allowed is 0 to 1");
    let field = bulkhead.set_mode(Mode::EnforcePercent(101)).unwrap_err().field();
    assert_eq!(field, "bulkhead.mode.enforce_percent");
    assert_eq!((bulkhead.status().limit, bulkhead.recent_events().len()), (3, 0));

    bulkhead.reconfigure(Config { max_queued: 7, ..bulkhead.config() }).unwrap();
    assert_eq!(bulkhead.config().max_queued, 7);
    assert_eq!(bulkhead.recent_events()[0].what, EventKind::ConfigChanged);
}

#[tokio::test(start_paused = true)]
async fn in_shadow_all_pass_and_none_waits() {
    let registry = Registry::new();
    let mut events = registry.events().subscribe("test");
    let shadow = bulkhead(1).queue(1, WAIT).mode(Mode::Shadow).registry(&registry).build().unwrap();

    let (_calls, mut told) = come(&shadow, &[Demand::ONE; 4]);
    settle().await;

    assert_eq!([0, 1, 2, 3].map(|_| told.try_recv().unwrap()), [0, 1, 2, 3]);
    let status = shadow.status();
    assert_eq!((status.in_flight, status.rejected, status.bypassed), (4, 0, 2), "one would have waited");
    for _ in 0..2 {
        let Some(Received::Event(event)) = events.next().await else { panic!("nothing was told") };
        assert!(matches!(event.what, EventKind::Rejected { enforced: false, .. }), "{event}");
    }

    shadow.set_mode(Mode::Enforce).unwrap();
    assert!(shadow.try_admit().is_err(), "what passed is counted");
}

#[test]
fn a_percentage_of_refusals_is_enforced() {
    let bulkhead = bulkhead(1).mode(Mode::EnforcePercent(30)).seed(1).build().unwrap();
    let _taken = bulkhead.try_admit().unwrap();
    for _ in 0..1000 {
        drop(bulkhead.try_admit());
    }
    let status = bulkhead.status();
    assert_eq!(status.rejected + status.bypassed, 1000);
    assert!((250..350).contains(&status.rejected), "{status:?}");
    assert_eq!(status.in_flight, 1);
}

#[tokio::test(start_paused = true)]
async fn switched_off_it_is_as_if_there_were_none() {
    let bulkhead = bulkhead(1).queue(1, WAIT).build().unwrap();
    let (calls, mut told) = come(&bulkhead, &[Demand::ONE; 2]);
    settle().await;
    bulkhead.set_mode(Mode::Disabled).unwrap();
    settle().await;
    assert_eq!((told.recv().await, told.recv().await), (Some(0), Some(1)), "who waited goes on");
    let tickets: Vec<_> = (0..100).map(|_| bulkhead.try_admit().unwrap()).collect();
    assert_eq!((tickets[0].permits(), bulkhead.status().in_flight), (0, 1));

    bulkhead.set_mode(Mode::Enforce).unwrap();
    drop(tickets);
    calls.iter().for_each(JoinHandle::abort);
    settle().await;
    assert_eq!(bulkhead.status().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_over_when_it_is_over_and_that_can_be_bypassed_too() {
    let bulkhead = bulkhead(1).queue(1, WAIT).build().unwrap();
    let _running = bulkhead.try_admit().unwrap();
    let reason = bulkhead.admit().await.unwrap_err().reason();
    assert_eq!(reason, Reason::QueueTimeout { limit: 1, max_wait: WAIT });
    assert_eq!(bulkhead.status().timed_out, 1);

    bulkhead.set_mode(Mode::EnforcePercent(0)).unwrap();
    let passed = bulkhead.admit().await.unwrap();
    let status = bulkhead.status();
    assert_eq!((passed.permits(), status.in_flight, status.bypassed, status.queued), (1, 2, 1, 0));
}

/// Ten a second come and one a second is served: without CoDel all would be served, and all too late.
#[tokio::test(start_paused = true)]
async fn codel_drops_what_waited_too_long() {
    let codel = Codel { target: Duration::from_millis(500), interval: Duration::from_millis(2500) };
    let bulkhead = bulkhead(1).queue(100, Duration::from_secs(60)).codel(codel).build().unwrap();
    let mut calls = Vec::new();
    for _ in 0..100 {
        let bulkhead = bulkhead.clone();
        calls.push(tokio::spawn(async move {
            let _ticket = bulkhead.admit().await?;
            tokio::time::sleep(WAIT).await;
            Ok::<_, Rejection>(())
        }));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut dropped = None;
    for call in calls {
        if let Err(rejection) = call.await.unwrap() {
            dropped = Some(rejection.reason());
        }
    }
    let status = bulkhead.status();
    assert!(status.dropped >= 70 && status.dropped == status.rejected, "{status:?}");
    let Some(Reason::QueueDropped { limit: 1, waited, target }) = dropped else { panic!("{dropped:?}") };
    assert!(target == codel.target && waited > 2 * target, "{waited:?}");
    assert_eq!((status.in_flight, status.queued), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_panic_gives_all_permits_back() {
    let bulkhead = bulkhead(4).queue(2, WAIT).build().unwrap();
    let (_calls, mut told) = {
        let panicking = bulkhead.clone();
        tokio::spawn(async move {
            let _ticket = panicking.admit_as(Demand::of(4)).await.unwrap();
            tokio::task::yield_now().await;
            std::panic::resume_unwind(Box::new(()));
        });
        tokio::task::yield_now().await;
        come(&bulkhead, &[Demand::of(3), Demand::ONE])
    };
    assert_eq!((told.recv().await, told.recv().await), (Some(0), Some(1)));
    assert_eq!(bulkhead.status().in_flight, 4);
}
