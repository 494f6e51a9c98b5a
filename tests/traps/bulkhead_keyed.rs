//! The bulkhead by key: one key that takes what all share, and permits that are lost between them.

use std::collections::BTreeMap;

use axum::{Router, routing::get};
use http::StatusCode;
use portcullis::{
    Breaker, BreakerLayer, KeyedBulkhead, KeyedBulkheadLayer, breaker::State,
    bulkhead::keyed::KeyedBulkheadBuilder, keyed::by,
};
use portcullis_testkit::script::Step;
use portcullis_tests::{
    net::{Server, client, soon},
    polls::drop_at,
};
use tokio::sync::Semaphore;
use tower::{Layer, ServiceBuilder, ServiceExt};

use crate::common::{healthy, ms, rejection, secs, settle};

/// The tenant of a request: each hundred is one.
fn tenant(request: &u32) -> Option<u32> {
    Some(request / 100)
}

fn tenants(overall: u32) -> KeyedBulkheadBuilder<u32> {
    KeyedBulkhead::builder("tenants").overall(overall).keys()
}

/// State made in `Layer::layer`: each route had a limit of its own, and all of them together none.
#[tokio::test(start_paused = true)]
async fn t02_what_is_held_is_counted_over_all_services_of_a_layer() {
    let bulkhead = tenants(10).per_key(3).build().unwrap();
    let (inner, dependency) = healthy();
    dependency.otherwise(|n| Step::ok(*n).held());
    let layer = KeyedBulkheadLayer::new(bulkhead.clone(), tenant).clone();
    let calls: Vec<_> = (0..20).map(|n| tokio::spawn(layer.layer(inner.clone()).oneshot(n))).collect();
    settle().await;
    assert_eq!((bulkhead.status().in_flight, dependency.tally().in_flight), (3, 3));
    assert_eq!(bulkhead.status().key_full, 17);
    calls.iter().for_each(tokio::task::JoinHandle::abort);
}

/// A permit that is lost blocks for ever: here with whoever is dropped while it waits, at every point, in front of
/// somebody of its own key, and of another.
#[tokio::test(start_paused = true)]
async fn t07_a_call_dropped_at_any_point_loses_no_permit_and_wakes_the_next() {
    for next in [1, 100] {
        for polls in 1.. {
            let bulkhead = tenants(2).queue(3, ms(1000)).build().unwrap();
            let (inner, dependency) = healthy();
            dependency.ready_yields(2);
            dependency.otherwise(|n| Step::ok(*n).yields(2));
            let running = bulkhead.try_admit_weighted(&7, 2).unwrap();
            let layer = KeyedBulkheadLayer::new(bulkhead.clone(), tenant).weigh(|n: &u32| 2 - n % 2);
            let service = layer.layer(inner);
            let mut heavy = tokio_test::task::spawn(drop_at(polls, service.clone().oneshot(0)));
            assert!(heavy.poll().is_pending() || polls == 1);
            let next = tokio::spawn(service.oneshot(next));
            settle().await;
            drop(running);

            let end = if polls == 1 { None } else { heavy.await };

            next.await.unwrap().unwrap();
            let (status, tally) = (bulkhead.status(), dependency.tally());
            assert_eq!((status.in_flight, status.queued, tally.in_flight), (0, 0, 0), "dropped at {polls}");
            if end.is_some() {
                break;
            }
        }
    }
}

/// A burst of one tenant opens the breaker of a healthy backend.
#[tokio::test(start_paused = true)]
async fn t11_calls_of_a_key_that_has_its_share_are_no_failures() {
    let (breaker, bulkhead) = (Breaker::new("t11"), tenants(4).queue(6, ms(100)).build().unwrap());
    let (inner, dependency) = healthy();
    dependency.otherwise(|n| Step::ok(*n).after(ms(90)));
    let service = ServiceBuilder::new()
        .layer(BreakerLayer::new(breaker.clone()))
        .layer(KeyedBulkheadLayer::new(bulkhead.clone(), tenant))
        .service(inner);

    // The second comes last, when the first has filled the queue; the half of what becomes free is its own.
    let calls: Vec<_> = (0..200).map(|n| tokio::spawn(service.clone().oneshot(n))).collect();
    let mut served = BTreeMap::new();
    for (n, call) in calls.into_iter().enumerate() {
        *served.entry(n / 100).or_insert(0) += u32::from(call.await.unwrap().is_ok());
    }

    let (breaker_status, refused) = (breaker.status(), bulkhead.status().rejected);
    assert!(refused >= 180 && served[&1] >= 2, "{refused} refused, served by tenant: {served:?}");
    assert_eq!((breaker.state(), breaker_status.failures), (State::Closed, 0));
    assert_eq!(breaker_status.ignored, refused);
}

/// Fifty thousand calls of one key wait, and all others behind them.
#[tokio::test(start_paused = true)]
async fn t18_one_key_fills_neither_the_bulkhead_nor_the_queue() {
    for queue in [0, 10] {
        let bulkhead = tenants(18).queue(queue, secs(1)).build().unwrap();
        let (inner, dependency) = healthy();
        dependency.otherwise(|n| Step::ok(*n).held());
        let service = ServiceBuilder::new()
            .layer(KeyedBulkheadLayer::new(bulkhead.clone(), |n: &u32| Some(u32::from(*n == 50_000))))
            .service(inner);
        let room = if queue > 0 { 18 + queue } else { 16 };
        let calls: Vec<_> = (0..room).map(|n| tokio::spawn(service.clone().oneshot(n))).collect();
        settle().await;
        for n in room..50_000 {
            assert_eq!(rejection(service.clone().oneshot(n).await).reason().as_str(), "key_full");
        }
        let other = tokio::spawn(service.clone().oneshot(50_000));
        settle().await;
        let seen = bulkhead.get(&1).unwrap();
        assert_eq!((seen.in_flight, seen.queued), if queue > 0 { (0, 1) } else { (1, 0) });
        // With a queue, the next permit that comes back is the other's.
        calls[0].abort();
        settle().await;
        assert_eq!(bulkhead.get(&1).unwrap().in_flight, 1);
        assert_eq!(bulkhead.status().queued, queue.saturating_sub(1));
        calls.iter().chain([&other]).for_each(tokio::task::JoinHandle::abort);
    }
}

/// Tenants that all want more than there is get the same, though one asks ten times as often.
#[tokio::test(start_paused = true)]
async fn t25_who_asks_more_often_gets_no_more() {
    let bulkhead = tenants(6).queue(60, secs(10)).build().unwrap();
    let (inner, dependency) = healthy();
    dependency.otherwise(|n| Step::ok(*n).after(ms(10)));
    let service = KeyedBulkheadLayer::new(bulkhead.clone(), tenant).layer(inner);
    let mut served = tokio::task::JoinSet::new();
    for (tenant, callers) in [(1, 50), (2, 5), (3, 5)] {
        for _ in 0..callers {
            let service = service.clone();
            served.spawn(async move {
                let mut count = 0;
                let end = tokio::time::Instant::now() + secs(1);
                while tokio::time::Instant::now() < end {
                    match tokio::spawn(service.clone().oneshot(100 * tenant)).await.unwrap() {
                        // What was in the queue at the end is not counted.
                        Ok(_) => count += u32::from(tokio::time::Instant::now() <= end),
                        Err(_) => tokio::time::sleep(ms(1)).await,
                    }
                }
                (tenant, count)
            });
        }
    }
    let mut by_tenant = BTreeMap::new();
    while let Some(ended) = served.join_next().await {
        let (tenant, count) = ended.unwrap();
        *by_tenant.entry(tenant).or_insert(0) += count;
    }
    let (least, most) = (by_tenant.values().min().unwrap(), by_tenant.values().max().unwrap());
    assert!(*least >= 190 && most - least <= 20, "200 would be a third each: {by_tenant:?}");
}

/// The same over sockets: a tenant that floods is told so, and the other is served.
#[tokio::test]
async fn t18_over_sockets_a_tenant_that_floods_hurts_itself_alone() {
    static GATE: Semaphore = Semaphore::const_new(0);
    let tenants = KeyedBulkhead::builder("plan").overall(10).per_key(4).build().unwrap();
    let layer = KeyedBulkheadLayer::new(tenants.clone(), by::header("x-tenant")).http_server();
    let handler = || async {
        let _permit = GATE.acquire().await;
        "42"
    };
    let server = Server::axum(Router::new().route("/stock", get(handler)).layer(layer)).await;
    let ask = |tenant: &'static str| {
        let request = client().get(server.url("/stock")).header("x-tenant", tenant).send();
        tokio::spawn(async move { soon(request).await.unwrap().status() })
    };
    let held: Vec<_> = (0..4).map(|_| ask("a")).collect();
    while tenants.status().in_flight < 4 {
        tokio::time::sleep(ms(1)).await;
    }
    for _ in 0..5 {
        assert_eq!(ask("a").await.unwrap(), StatusCode::TOO_MANY_REQUESTS);
    }
    let other = ask("b");
    while tenants.status().in_flight < 5 {
        tokio::time::sleep(ms(1)).await;
    }
    GATE.add_permits(5);
    for call in held.into_iter().chain([other]) {
        assert_eq!(call.await.unwrap(), StatusCode::OK);
    }
    while tenants.status().in_flight > 0 {
        tokio::time::sleep(ms(1)).await;
    }
}
