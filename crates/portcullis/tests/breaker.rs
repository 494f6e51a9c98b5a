//! The breaker's policy: what it adds to the decisions of `portcullis-core`.

use std::{sync::atomic::AtomicUsize, sync::atomic::Ordering::Relaxed, time::Duration};

use portcullis::{
    BoxError, Breaker, BreakerLayer, Registry, Verdict,
    breaker::{BreakerGroup, Config, Mode, State},
    protocol::Ticket,
};
use tokio::time::sleep;
use tower::{Layer, ServiceExt};

const SECOND: Duration = Duration::from_secs(1);

fn builder(name: &str) -> portcullis::breaker::BreakerBuilder {
    Breaker::builder(name).registry(&Registry::new()).open_for_exactly(5 * SECOND)
}

fn alive_tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

#[tokio::test(start_paused = true)]
async fn automatic_transitions_happen_on_time_and_without_a_call() {
    let breaker = builder("automatic").automatic().max_half_open(2 * SECOND).build().unwrap();
    breaker.trip();
    sleep(Duration::from_millis(4_990)).await;
    assert_eq!(breaker.state(), State::Open);
    sleep(Duration::from_millis(20)).await;
    assert_eq!(breaker.state(), State::HalfOpen);
    sleep(2 * SECOND).await;
    assert_eq!(breaker.state(), State::Open, "nobody probed");
    breaker.isolate_for(SECOND);
    sleep(2 * SECOND).await;
    assert_eq!(breaker.state(), State::Closed, "the time of the override is over");
}

#[tokio::test(start_paused = true)]
async fn lazy_transitions_wait_for_a_call() {
    let breaker = builder("lazy").build().unwrap();
    breaker.trip();
    sleep(60 * SECOND).await;
    assert_eq!((breaker.state(), alive_tasks()), (State::Open, 0));
    assert!(breaker.try_admit().unwrap().is_probe());
}

#[tokio::test(start_paused = true)]
async fn a_driver_lives_only_while_something_is_due() {
    let breaker = builder("driven").automatic().build().unwrap();
    assert_eq!(alive_tasks(), 0);
    breaker.trip();
    assert_eq!(alive_tasks(), 1);
    breaker.reset();
    sleep(Duration::from_millis(1)).await;
    assert_eq!(alive_tasks(), 0, "closed: nothing is due");

    breaker.isolate_for(60 * SECOND);
    breaker.isolate_for(SECOND);
    sleep(2 * SECOND).await;
    assert_eq!((breaker.state(), alive_tasks()), (State::Closed, 0));

    breaker.trip();
    drop(breaker);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(alive_tasks(), 0, "the breaker is gone");
}

#[tokio::test(start_paused = true)]
async fn automatic_can_be_switched_on_while_it_is_open() {
    let breaker = builder("later").build().unwrap();
    breaker.trip();
    breaker.reconfigure(Config { automatic: true, ..(*breaker.config()).clone() }).unwrap();
    sleep(6 * SECOND).await;
    assert_eq!(breaker.state(), State::HalfOpen);
}

/// A probe that hangs is noticed without another call.
#[tokio::test(start_paused = true)]
async fn automatic_transitions_end_a_half_open_state_whose_probes_hang() {
    let breaker = builder("hung").automatic().permits(1).lease(3 * SECOND).build().unwrap();
    breaker.trip();
    sleep(6 * SECOND).await;
    let _hangs = breaker.try_admit().unwrap();
    sleep(7 * SECOND).await;
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(breaker.status().trips, 2);
}

#[test]
fn a_group_fails_open_only_when_all_its_members_are_broken() {
    let group = BreakerGroup::new(0.25).unwrap();
    let [a, b] = ["a", "b"].map(|name| builder(name).group(&group).seed(7).build().unwrap());
    a.trip();
    assert!(a.is_refusing() && a.try_admit().is_err());
    b.isolate();
    assert_eq!((group.members(), group.broken()), (2, 2));
    assert!(!a.is_refusing(), "by chance");
    let passed = (0..1_000).filter(|_| a.try_admit().is_ok()).count();
    assert!((200..300).contains(&passed), "{passed} of 1000");
    assert_eq!(a.status().bypassed as usize, passed);
    assert!((0..100).all(|_| b.try_admit().is_err()), "isolated is isolated");

    drop(b);
    assert_eq!((group.members(), group.broken()), (1, 1));
    a.reset();
    assert!(!group.is_broken());
    BreakerGroup::new(1.5).unwrap_err();
}

#[test]
fn what_is_left_to_chance_can_be_seeded() {
    let draws = |seed| {
        let breaker = builder("seeded").mode(Mode::EnforcePercent(50)).seed(seed).build().unwrap();
        breaker.trip();
        (0..64).map(|_| breaker.try_admit().is_ok()).collect::<Vec<_>>()
    };
    assert_eq!(draws(1), draws(1));
    assert_ne!(draws(1), draws(2));
}

#[tokio::test(start_paused = true)]
async fn open_times_grow_while_it_does_not_work_again_and_are_spread() {
    let breaker = Breaker::builder("grows").registry(&Registry::new()).seed(3).build().unwrap();
    breaker.trip();
    let mut waits = Vec::new();
    for _ in 0..9 {
        let wait = breaker.status().retry_in.unwrap();
        waits.push(wait.as_secs_f64());
        sleep(wait).await;
        let mut probe = breaker.try_admit().unwrap();
        probe.settle(portcullis::Failure::new(portcullis::FailureKind::Other).into());
    }
    for (wait, most) in waits.iter().zip([5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 300.0]) {
        assert!((0.9 * most - 0.002..=most).contains(wait), "{wait} for {most}: {waits:?}");
    }
    assert!(waits[6..].iter().any(|&wait| wait < 300.0), "spread below the cap: {waits:?}");
}

#[tokio::test(start_paused = true)]
async fn only_retries_are_refused() {
    let breaker = builder("retries").only_retries().build().unwrap();
    breaker.trip();
    assert!(!breaker.is_refusing());
    let answer = breaker.call(|| async { Ok::<_, BoxError>(1) }).await;
    assert_eq!(answer.unwrap(), 1);
    breaker.try_admit_retry().unwrap_err();
    let status = breaker.status();
    assert_eq!((status.state, status.bypassed, status.refused), (State::Open, 1, 1));
}

/// Through two retries, one in the other, and what they make of a body.
#[cfg(feature = "http")]
#[tokio::test(start_paused = true)]
async fn a_request_is_known_as_a_retry_below_the_retries() {
    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::Full;
    use portcullis::{RetryLayer, RetryPolicy, protocol::Attempt, retry::ReplayBody};
    use std::sync::{Arc, Mutex};

    let breaker = builder("below").only_retries().no_consecutive_failures().build().unwrap();
    let retry = |name: &str| {
        let policy = RetryPolicy::builder(name).registry(&Registry::new()).max_attempts(2);
        RetryLayer::new(policy.build().unwrap()).http_client()
    };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let below = seen.clone();
    let service = tower::ServiceBuilder::new()
        .layer(retry("outer"))
        .layer(retry("inner"))
        .layer(BreakerLayer::new(breaker.clone()).http_client())
        .service_fn(move |request: Request<ReplayBody<ReplayBody<Full<Bytes>>>>| {
            below.lock().unwrap().push(Attempt::of(&request).number());
            async { Response::builder().status(503).body(Full::<Bytes>::default()).map_err(BoxError::from) }
        });
    let request = || Request::get("/").body(Full::from("body")).unwrap();
    assert_eq!(service.clone().oneshot(request()).await.unwrap().status(), 503);
    assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), [1, 2, 2, 3]);

    breaker.trip();
    service.oneshot(request()).await.unwrap_err();
    assert_eq!(*seen.lock().unwrap(), [1]);
    assert_eq!((breaker.status().bypassed, breaker.status().refused), (1, 1), "first, retry");
}

/// T39: whatever the breaker calls back may use the breaker.
#[tokio::test(start_paused = true)]
async fn t39_rules_of_ones_own_may_use_the_breaker() {
    use std::sync::{Arc, OnceLock};
    let cell: Arc<OnceLock<Breaker>> = Arc::default();
    let asked = Arc::new(AtomicUsize::new(0));
    let uses = |cell: &Arc<OnceLock<Breaker>>, asked: &Arc<AtomicUsize>| {
        let (cell, asked) = (cell.clone(), asked.clone());
        move || {
            let breaker = cell.get().unwrap();
            let _ = (breaker.status(), breaker.state(), breaker.is_refusing(), format!("{breaker:?}"));
            breaker.try_admit().unwrap().settle(Verdict::Success);
            asked.fetch_add(1, Relaxed);
        }
    };
    let (rule, time) = (uses(&cell, &asked), uses(&cell, &asked));
    let breaker = builder("back")
        .no_consecutive_failures()
        .no_failure_ratio()
        .rule(move |seen| {
            rule();
            seen.calls.failures >= 3
        })
        .open_time(move |opening| {
            time();
            opening.times * SECOND
        })
        .build()
        .unwrap();
    cell.set(breaker.clone()).unwrap();
    for _ in 0..3 {
        breaker.call(|| async { Err::<(), _>(BoxError::from("down")) }).await.unwrap_err();
    }
    assert_eq!(asked.load(Relaxed), 4, "the rule after each failure, the open time once");
    // To the millisecond.
    assert!(breaker.status().retry_in.is_some_and(|wait| wait <= SECOND && wait > SECOND / 2));
}

/// The driver must be told of what is no transition, too.
#[tokio::test(start_paused = true)]
async fn automatic_ends_an_override_on_time_whose_end_was_changed() {
    let breaker = builder("shortened").automatic().build().unwrap();
    breaker.isolate_for(600 * SECOND);
    sleep(SECOND).await;
    breaker.isolate_for(SECOND);
    sleep(2 * SECOND).await;
    assert_eq!(breaker.state(), State::Closed, "shortened");

    breaker.isolate();
    sleep(SECOND).await;
    assert_eq!(alive_tasks(), 0, "until it is released: nothing is due");
    breaker.isolate_for(SECOND);
    sleep(2 * SECOND).await;
    assert_eq!(breaker.state(), State::Closed, "given an end");
}

#[tokio::test(start_paused = true)]
async fn automatic_can_be_switched_off_while_it_is_open() {
    let breaker = builder("earlier").automatic().build().unwrap();
    breaker.trip();
    sleep(SECOND).await;
    breaker.reconfigure(Config { automatic: false, ..(*breaker.config()).clone() }).unwrap();
    sleep(60 * SECOND).await;
    assert_eq!((breaker.state(), alive_tasks()), (State::Open, 0));
}

#[test]
fn automatic_outlives_the_runtime_that_it_began_in() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let breaker = builder("moves").automatic().build().unwrap();
    let first = runtime().unwrap();
    first.block_on(async { breaker.trip() });
    drop(first);
    assert_eq!(breaker.state(), State::Open);
    runtime().unwrap().block_on(async {
        breaker.reset();
        breaker.trip();
        sleep(6 * SECOND).await;
        assert_eq!(breaker.state(), State::HalfOpen);
        breaker.isolate_for(Duration::MAX);
        sleep(SECOND).await;
        breaker.force_close(Some(Duration::ZERO));
        sleep(SECOND).await;
        assert_eq!(breaker.state(), State::Closed);
    });
}

#[test]
fn one_that_is_isolated_refuses_for_certain_even_in_a_broken_group() {
    let group = BreakerGroup::new(1.0).unwrap();
    let breaker = builder("alone").group(&group).build().unwrap();
    breaker.isolate();
    assert!(group.is_broken());
    assert!(breaker.is_refusing());
    breaker.reset();
    breaker.trip();
    assert!(!breaker.is_refusing());
}

/// A service that cannot take calls.
#[derive(Clone)]
struct Unready;

impl tower::Service<()> for Unready {
    type Response = ();
    type Error = BoxError;
    type Future = std::future::Ready<Result<(), BoxError>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), BoxError>> {
        std::task::Poll::Ready(Err("gone".into()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        std::future::ready(Ok(()))
    }
}

/// No call was made, so none can be refused, by lot or otherwise.
#[tokio::test(start_paused = true)]
async fn an_error_of_readiness_is_a_failure_in_every_state() {
    let breaker = builder("unready").ramp(600 * SECOND).successes(1).seed(1).build().unwrap();
    let unready = BreakerLayer::new(breaker.clone()).layer(Unready);
    breaker.trip();
    sleep(5 * SECOND).await;
    breaker.try_admit().unwrap().settle(Verdict::Success);
    assert_eq!(breaker.state(), State::Recovering);
    unready.clone().oneshot(()).await.unwrap_err();
    assert_eq!(breaker.state(), State::Open, "whatever the lot says");

    breaker.set_mode(Mode::EnforcePercent(50)).unwrap();
    for _ in 0..20 {
        unready.clone().oneshot(()).await.unwrap_err();
    }
    assert_eq!((breaker.status().failures, breaker.status().refused), (21, 0));
}

/// Also while a call's panic is on its way, where a second one would end the process.
#[tokio::test(start_paused = true)]
async fn a_rule_that_panics_is_not_met_and_harms_nobody() {
    let breaker = builder("panics")
        .consecutive_failures(2)
        .rule(|_| panic!("a rule's"))
        .open_time(|_| panic!("an open time's"))
        .build()
        .unwrap();
    let call = |works: bool| {
        assert!(works, "a call's");
        Ok::<(), BoxError>(())
    };
    for _ in 0..2 {
        let breaker = breaker.clone();
        tokio::spawn(async move { breaker.call(|| async { call(false) }).await }).await.unwrap_err();
    }
    assert_eq!((breaker.state(), breaker.status().failures), (State::Open, 2));
    // As if there was no function.
    assert!(breaker.status().retry_in.is_some_and(|wait| wait > 4 * SECOND));
}

/// What is done by hand ends overrides, and not the mode: it said that it was disabled, and refused calls.
#[tokio::test(start_paused = true)]
async fn the_mode_disabled_is_left_by_another_mode_alone() {
    let breaker = builder("disabled").mode(Mode::Disabled).consecutive_failures(1).build().unwrap();
    let leaves: [fn(&Breaker); 5] = [
        Breaker::reset,
        Breaker::release,
        Breaker::trip,
        |breaker| {
            breaker.isolate();
            breaker.release();
        },
        |breaker| breaker.isolate_for(Duration::ZERO),
    ];
    for leave in leaves {
        leave(&breaker);
        for _ in 0..2 {
            breaker.call(|| async { Err::<(), _>(BoxError::from("down")) }).await.unwrap_err();
        }
        let status = breaker.status();
        assert_eq!((status.state, status.failures, status.refused), (State::Disabled, 0, 0));
    }
    breaker.set_mode(Mode::Enforce).unwrap();
    assert_eq!(breaker.state(), State::Closed);
}
