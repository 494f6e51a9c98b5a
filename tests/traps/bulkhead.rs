//! The bulkhead: what waits, how much of it, and what is left of it.

use portcullis::{
    Breaker, BreakerLayer, Bulkhead, BulkheadLayer, PolicyKind, Priority,
    breaker::State,
    bulkhead::{BulkheadBuilder, Codel, Order},
};
use portcullis_testkit::script::Step;
use portcullis_tests::polls::drop_at;
use tower::{Layer, ServiceBuilder, ServiceExt};

use crate::common::{healthy, ms, rejection, settle};

/// Every order, and dropping.
fn queues(name: &str, max_in_flight: u32, max_queued: u32) -> Vec<BulkheadBuilder> {
    let queue = || Bulkhead::builder(name).max_in_flight(max_in_flight).queue(max_queued, ms(1000));
    vec![
        queue(),
        queue().order(Order::Lifo),
        queue().order(Order::Priority),
        queue().codel(Codel { target: ms(1), interval: ms(2) }),
    ]
}

/// State made in `Layer::layer`: a bulkhead of 1 let as many run as there were routes.
#[tokio::test(start_paused = true)]
async fn t02_weights_and_classes_are_counted_over_all_services_of_a_layer() {
    let bulkhead = Bulkhead::builder("t02").max_in_flight(10).reserve(Priority::High, 2).build().unwrap();
    let (inner, dependency) = healthy();
    dependency.otherwise(|n| Step::ok(*n).held());
    let layer = BulkheadLayer::new(bulkhead.clone()).weigh(|n: &u32| *n).clone();
    let calls = [5, 3].map(|weight| tokio::spawn(layer.layer(inner.clone()).oneshot(weight)));
    settle().await;

    assert_eq!(rejection(layer.layer(inner.clone()).oneshot(1).await).kind(), PolicyKind::Bulkhead);
    assert_eq!((bulkhead.status().in_flight, dependency.tally().in_flight), (8, 2));
    calls.iter().for_each(tokio::task::JoinHandle::abort);
}

/// A permit that hangs, or is lost, blocks for ever: here with whoever is dropped while it waits, at every
/// point, in every order, in front of somebody else.
#[tokio::test(start_paused = true)]
async fn t07_a_call_dropped_at_any_point_loses_no_permit_and_wakes_the_next() {
    for kind in 0..queues("t07", 2, 3).len() {
        for polls in 1.. {
            let bulkhead = queues("t07", 2, 3).swap_remove(kind).build().unwrap();
            let (inner, dependency) = healthy();
            dependency.ready_yields(2);
            dependency.otherwise(|n| Step::ok(*n).yields(2));
            let running = bulkhead.try_admit_weighted(2).unwrap();
            let service = BulkheadLayer::new(bulkhead.clone()).weigh(|n: &u32| *n).layer(inner);
            let mut heavy = tokio_test::task::spawn(drop_at(polls, service.clone().oneshot(2)));
            assert!(heavy.poll().is_pending() || polls == 1);
            let next = tokio::spawn(service.oneshot(1));
            settle().await;
            drop(running);

            let end = if polls == 1 { None } else { heavy.await };

            assert_eq!(next.await.unwrap().unwrap(), 1, "dropped at {polls}");
            let (status, tally) = (bulkhead.status(), dependency.tally());
            assert_eq!((status.in_flight, status.queued, tally.in_flight), (0, 0, 0), "dropped at {polls}");
            if end.is_some() {
                break;
            }
        }
    }
}

/// A burst over a bulkhead opens the breaker of a healthy backend.
#[tokio::test(start_paused = true)]
async fn t11_calls_that_waited_too_long_or_weigh_too_much_are_no_failures() {
    for queue in queues("t11", 4, 50) {
        let (breaker, bulkhead) = (Breaker::new("t11"), queue.build().unwrap());
        let (inner, dependency) = healthy();
        dependency.otherwise(|n| Step::ok(*n).after(ms(900)));
        let service = ServiceBuilder::new()
            .layer(BreakerLayer::new(breaker.clone()))
            .layer(BulkheadLayer::new(bulkhead.clone()).weigh(|n: &u32| 1 + n % 3))
            .service(inner);

        let calls: Vec<_> = (0..200).map(|n| tokio::spawn(service.clone().oneshot(n))).collect();
        for call in calls {
            let _answer = call.await.unwrap();
        }

        let (status, refused) = (breaker.status(), bulkhead.status().rejected);
        assert!(refused >= 150 && bulkhead.status().timed_out + bulkhead.status().dropped > 0);
        assert_eq!((breaker.state(), status.failures, status.ignored), (State::Closed, 0, refused));
    }
}

/// Fifty thousand calls wait, and none is refused.
#[tokio::test(start_paused = true)]
async fn t18_nothing_queues_unless_asked_for_and_never_without_a_bound() {
    let none = Bulkhead::builder("t18").max_in_flight(1);
    let queues = queues("t18", 1, 10).into_iter().map(|queue| (queue, 10));
    for (bulkhead, queue) in std::iter::once((none, 0)).chain(queues) {
        let bulkhead = bulkhead.build().unwrap();
        let (inner, dependency) = healthy();
        dependency.otherwise(|n| Step::ok(*n).held());
        let service = ServiceBuilder::new().layer(BulkheadLayer::new(bulkhead.clone())).service(inner);
        let calls: Vec<_> = (0..=queue).map(|n| tokio::spawn(service.clone().oneshot(n))).collect();
        settle().await;

        for n in 0..50_000 {
            assert_eq!(rejection(service.clone().oneshot(n).await).kind(), PolicyKind::Bulkhead);
        }

        let status = bulkhead.status();
        assert_eq!((status.in_flight, status.queued, status.rejected), (1, queue, 50_000));
        calls.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
