//! Calls that are dropped: at every await point of a real stack, nothing stays behind.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use portcullis::{
    BoxError, Breaker, BreakerLayer, Bulkhead, BulkheadLayer, RetryLayer, RetryPolicy, Ticket, Timeout,
    TimeoutLayer, Verdict,
    breaker::{Config, Mode, State},
};
use portcullis_testkit::script::Step;
use portcullis_tests::{body::Bodies, polls::drop_at};
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::common::{Dependency, Steering, healthy, ms, secs};
use tokio::time::sleep;

/// The policies of a stack, to look at afterwards.
struct Stack {
    breaker: Breaker,
    bulkhead: Bulkhead,
    dependency: Steering,
    inner: Dependency,
}

impl Stack {
    fn new() -> Self {
        let breaker = Breaker::builder("cancel").permits(1).successes(2).consecutive_failures(1_000_000);
        let (inner, dependency) = healthy();
        Self {
            breaker: breaker.no_failure_ratio().build().unwrap(),
            bulkhead: Bulkhead::builder("cancel").max_in_flight(1).queue(1, secs(1)).build().unwrap(),
            dependency,
            inner,
        }
    }

    fn service(&self) -> impl Service<u32, Response = u32, Error = BoxError> + use<> {
        ServiceBuilder::new()
            .layer(TimeoutLayer::new(Timeout::total("cancel", secs(60)).unwrap()))
            .layer(
                RetryLayer::new(RetryPolicy::builder("cancel").budget_of(1.0, 1000).build().unwrap())
                    .idempotent(),
            )
            .layer(BreakerLayer::new(self.breaker.clone()))
            .layer(BulkheadLayer::new(self.bulkhead.clone()))
            .layer(TimeoutLayer::new(Timeout::attempt("cancel", secs(10)).unwrap()))
            .service(self.inner.clone())
    }

    /// The next call fails once and succeeds the second time, and waits wherever it can.
    fn prepare(&self) {
        self.dependency.ready_yields(2);
        self.dependency.push(Step::err("lost".into()).yields(2).after(ms(5)));
        self.dependency.push(Step::ok(1).yields(2).after(ms(5)));
    }

    fn assert_nothing_left(&self, polls: usize) {
        let (bulkhead, tally) = (self.bulkhead.status(), self.dependency.tally());
        assert_eq!((bulkhead.in_flight, bulkhead.queued), (0, 0), "bulkhead, dropped at {polls}");
        assert_eq!(self.breaker.status().probes_in_flight, 0, "breaker, dropped at {polls}");
        assert_eq!((tally.in_flight, tally.reserved), (0, 0), "inner service, dropped at {polls}");
        assert!(tally.misuses.is_empty(), "{:?}", tally.misuses);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_through_the_whole_stack_leaves_nothing_wherever_it_is_dropped() {
    let mut dropped = 0;
    for polls in 1.. {
        let stack = Stack::new();
        stack.prepare();

        let end = drop_at(polls, stack.service().oneshot(1)).await;

        stack.assert_nothing_left(polls);
        if end.is_some() {
            break;
        }
        dropped = polls;
    }
    assert!(dropped >= 8, "only {dropped} await points");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_queues_leaves_nothing_wherever_it_is_dropped() {
    let mut dropped = 0;
    for polls in 1.. {
        let stack = Stack::new();
        stack.prepare();
        let running = stack.bulkhead.try_admit().unwrap();
        let release = async {
            tokio::time::sleep(ms(50)).await;
            drop(running);
        };

        let (end, ()) = tokio::join!(drop_at(polls, stack.service().oneshot(1)), release);

        stack.assert_nothing_left(polls);
        if end.is_some() {
            break;
        }
        dropped = polls;
    }
    assert!(dropped >= 9, "only {dropped} await points");
}

#[tokio::test(start_paused = true)]
async fn a_probe_leaves_nothing_wherever_it_is_dropped() {
    for polls in 1.. {
        let stack = Stack::new();
        stack.dependency.ready_yields(2);
        stack.dependency.otherwise(|n| Step::ok(*n).yields(2).after(ms(5)));
        stack.breaker.trip();
        sleep(secs(5)).await;

        let end = drop_at(polls, stack.service().oneshot(1)).await;

        stack.assert_nothing_left(polls);
        if end.is_some() {
            assert_eq!((polls > 4, stack.breaker.status().probe_successes), (true, 1));
            return;
        }
        assert_eq!(stack.breaker.status().probe_successes, 0);
        assert_ne!(stack.breaker.state(), State::Closed, "a probe that was dropped says nothing");
    }
}

/// Puts the breaker where its ramp has ended, but no call has yet closed it.
async fn recover(breaker: &Breaker) {
    breaker.reconfigure(Config { ramp: Some(secs(1)), ..(*breaker.config()).clone() }).unwrap();
    breaker.trip();
    sleep(secs(5)).await;
    for _ in 0..2 {
        breaker.try_admit().unwrap().settle(Verdict::Success);
    }
    sleep(secs(1)).await;
}

/// Calls that are neither calls of a closed breaker nor probes: on the ramp, past a shadow, under an override.
#[tokio::test(start_paused = true)]
async fn a_call_past_a_breaker_leaves_nothing_wherever_it_is_dropped() {
    let shadow = |breaker: &Breaker| {
        breaker.set_mode(Mode::Shadow).unwrap();
        breaker.trip();
    };
    type Way = fn(&Breaker);
    let ways: [(State, Way); 5] = [
        (State::Recovering, |_| {}),
        (State::Open, shadow),
        (State::ForcedClosed, |breaker| breaker.force_close(None)),
        (State::MetricsOnly, |breaker| breaker.only_measure(None)),
        (State::Disabled, |breaker| breaker.disable(None)),
    ];
    for (state, way) in ways {
        for polls in 1.. {
            let stack = Stack::new();
            stack.dependency.ready_yields(2);
            stack.dependency.otherwise(|n| Step::ok(*n).yields(2).after(ms(5)));
            if state == State::Recovering {
                recover(&stack.breaker).await;
            }
            way(&stack.breaker);
            let before = stack.breaker.status();

            let end = drop_at(polls, stack.service().oneshot(1)).await;

            stack.assert_nothing_left(polls);
            let status = stack.breaker.status();
            if end.is_some() {
                let counted = u64::from(state != State::Disabled);
                assert_eq!((polls > 4, status.successes - before.successes), (true, counted), "{state:?}");
                break;
            }
            // A timeout in between takes the call before the dependency does.
            let least = u64::from(stack.dependency.tally().calls > 0 && state != State::Disabled);
            let most = u64::from(state != State::Disabled);
            assert!((least..=most).contains(&status.abandoned), "{state:?}, dropped at {polls}");
            let changed = (status.state, status.successes - before.successes, status.failures);
            assert_eq!(changed, (state, 0, 0), "dropped at {polls}");
        }
    }
}

/// The permit handed to a call that is dropped before it knew goes to the next in line.
#[tokio::test(start_paused = true)]
async fn a_permit_that_was_handed_to_a_dropped_call_is_not_lost() {
    let stack = Stack::new();
    let running = stack.bulkhead.try_admit().unwrap();
    let mut queued = tokio_test::task::spawn(stack.service().oneshot(1));
    assert!(queued.poll().is_pending());
    assert_eq!(stack.bulkhead.status().queued, 1);

    drop(running);
    assert!(queued.is_woken(), "its turn has come");
    drop(queued);

    stack.assert_nothing_left(1);
    assert!(stack.bulkhead.try_admit().is_ok());
}

/// A response whose body is not read to its end holds its permit until it is dropped, and no longer.
#[tokio::test(start_paused = true)]
async fn a_body_that_is_dropped_half_way_leaves_nothing() {
    let (breaker, bulkhead, bodies) = (Breaker::new("cancel"), Bulkhead::new("cancel"), Bodies::default());
    let made = bodies.clone();
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Timeout::total("cancel", secs(60)).unwrap()).http_client())
        .layer(BreakerLayer::new(breaker.clone()).http_client())
        .layer(BulkheadLayer::new(bulkhead.clone()).http_client())
        .service_fn(move |_: Request<String>| {
            let answer = Response::new(made.body("first frame"));
            async { Ok::<_, BoxError>(answer) }
        });
    let mut answer = service.oneshot(Request::new(String::new())).await.unwrap();
    assert_eq!((bodies.held(), bulkhead.status().in_flight), (1, 1));

    let frame = answer.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!((frame, bulkhead.status().in_flight), (Bytes::from("first frame"), 1), "not yet at its end");
    drop(answer);

    assert_eq!((bodies.held(), bulkhead.status().in_flight), (0, 0));
    assert_eq!(breaker.status().successes, 1);
}
