//! Every reason not to make a call again: reached, counted, told and shown.

use portcullis::{
    Delivery, Failure, FailureKind, Level, Mode, PolicyKind, Registry, RetryPolicy,
    event::{EventKind, Received},
    registry::Value,
    retry::{RetryCall, Stop},
};

use crate::support::{ms, policy};

const LOST: Failure = Failure::new(FailureKind::Network);

/// A call that was stopped for this reason, by a policy of its own.
fn stopped(stop: Stop, registry: &Registry) -> (RetryPolicy, Stop) {
    let new = || policy(ms(5)).registry(registry);
    let by = |policy: RetryPolicy, with: fn(RetryCall) -> RetryCall, failures: &[Failure]| {
        let mut call = with(policy.begin());
        let stop = failures.iter().find_map(|failure| call.next(failure).err());
        (policy, stop.expect("not stopped"))
    };
    let idempotent: fn(RetryCall) -> RetryCall = |call| call.idempotent(true);
    match stop {
        Stop::NotRetryable => by(new().build().unwrap(), |call| call, &[LOST]),
        Stop::Exhausted => by(new().build().unwrap(), idempotent, &[LOST; 3]),
        Stop::Budget => by(new().budget_of(0.0, 2).max_attempts(9).build().unwrap(), idempotent, &[LOST; 9]),
        Stop::Deadline => by(new().total_time(ms(5)).build().unwrap(), idempotent, &[LOST]),
        Stop::Pushback => by(new().build().unwrap(), idempotent, &[LOST.do_not_retry()]),
        Stop::Shadow => by(new().mode(Mode::Shadow).build().unwrap(), idempotent, &[LOST]),
        Stop::Disabled => by(new().mode(Mode::Disabled).build().unwrap(), idempotent, &[LOST]),
        other => panic!("{other:?} is a matter of layers"),
    }
}

/// Those that a call by hand comes to.
fn by_hand() -> impl Iterator<Item = Stop> {
    Stop::ALL.into_iter().filter(|&stop| stop != Stop::NotReplayable)
}

#[tokio::test(start_paused = true)]
async fn each_is_reached_and_counted_once() {
    for expected in by_hand() {
        let (policy, stop) = stopped(expected, &Registry::new());
        assert_eq!(stop, expected);
        let status = policy.status();
        for stop in Stop::ALL {
            let counted = u64::from(stop == expected && stop != Stop::Disabled);
            assert_eq!(status.stopped(stop), counted, "{stop:?} of {expected:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_is_told_with_all_attempts() {
    for expected in by_hand() {
        let registry = Registry::new();
        let mut events = registry.events().subscribe("test");
        let (policy, _) = stopped(expected, &registry);
        let retries = policy.status().retries as u32;
        drop((policy, registry));
        let mut told = None;
        while let Some(Received::Event(event)) = events.next().await {
            told = Some(event.what);
        }
        let Some(EventKind::Retried(ended)) = told else {
            assert_eq!((expected, told), (Stop::Disabled, None), "this one is not recorded");
            continue;
        };
        assert_eq!((ended.stopped, ended.attempts), (Some(expected), retries + 1));
        assert_eq!(ended.failures.iter().count() as u32, ended.attempts, "how each of them failed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_has_what_was_counted() {
    let registry = Registry::new();
    let (spent, _) = stopped(Stop::Budget, &registry);
    let mut call = spent.begin().idempotent(true);
    tokio::time::sleep(ms(500)).await;
    call.next(&LOST).unwrap();
    call.succeeded();

    let seen = registry.snapshot();
    let [retry, budget] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((retry.kind, retry.state, retry.level), (PolicyKind::Retry, "budget_spent", Level::Warning));
    let count = Value::Count;
    let expected = [
        ("retries", count(3)),
        ("recovered", count(1)),
        ("exhausted", count(0)),
        ("over_budget", count(1)),
        ("over_time", count(0)),
        ("budget_available", count(0)),
        ("mode", Value::Word("enforce")),
    ];
    assert_eq!(retry.values, expected);
    assert_eq!((budget.kind, budget.state, budget.level), (PolicyKind::Budget, "spent", Level::Warning));
    assert_eq!(budget.values, [("available", count(0)), ("calls", count(2))]);
}

/// What was never processed is retried whatever the policy thinks of its kind.
#[tokio::test(start_paused = true)]
async fn what_was_not_sent_is_stopped_by_nothing_but_bounds() {
    let policy = policy(ms(5)).never_after(FailureKind::Network).build().unwrap();
    let mut call = policy.begin();
    let refused = LOST.delivery(Delivery::NotProcessed);
    assert_eq!([call.next(&refused), call.next(&refused)], [Ok(ms(5)); 2]);
    assert_eq!(call.next(&refused), Err(Stop::Exhausted));
}

/// R13: the last result is the one that there is, and not one of ours.
#[cfg(feature = "http")]
mod of_layers {
    use std::sync::{Arc, Mutex};

    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::{BodyExt, Full};
    use portcullis::{BoxError, RetryLayer, event::Interest, retry::ReplayBody};
    use tokio::time::Instant;
    use tower::{ServiceBuilder, ServiceExt};

    use super::*;
    use crate::support::Seen;

    type Answer = Response<Full<Bytes>>;

    /// Each attempt is answered with its number, after it has read as much of the request as there is.
    async fn answer(policy: &RetryPolicy, body: &'static str, seen: &Seen<()>) -> Answer {
        let below = seen.clone();
        let service = ServiceBuilder::new()
            .layer(RetryLayer::new(policy.clone()).http_client().max_buffered(4))
            .service_fn(move |request: Request<ReplayBody<Full<Bytes>>>| {
                below.push(());
                let number = below.all().len();
                async move {
                    request.into_body().collect().await?;
                    let body = Full::from(format!("answer {number}"));
                    let answer = Response::builder().status(503).header("x-number", number).body(body)?;
                    Ok::<_, BoxError>(answer)
                }
            });
        service.oneshot(Request::put("/").body(Full::from(body)).unwrap()).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_answer_is_returned_as_it_was() {
        let (registry, seen) = (Registry::new(), Seen::default());
        let policy = policy(ms(5)).registry(&registry).build().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let heard = log.clone();
        let _subscription = registry
            .events()
            .listen(Interest::All, move |event| heard.lock().unwrap().push(event.what.clone()));
        let started = Instant::now();

        let answer = answer(&policy, "body", &seen).await;

        assert_eq!(
            (answer.status(), answer.headers()["x-number"].as_bytes()),
            (http::StatusCode::SERVICE_UNAVAILABLE, &b"3"[..])
        );
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "answer 3");
        assert_eq!(started.elapsed(), ms(10));
        let told = log.lock().unwrap().clone();
        let Some(EventKind::Retried(ended)) = told.last() else { panic!("{told:?}") };
        assert_eq!((ended.attempts, ended.stopped), (3, Some(Stop::Exhausted)));
        assert!(ended.failures.iter().eq([FailureKind::Unavailable; 3]), "{:?}", ended.failures);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_was_not_kept_is_not_sent_again() {
        let (policy, seen) = (policy(ms(5)).build().unwrap(), Seen::default());
        let answer = answer(&policy, "too long", &seen).await;
        assert_eq!((answer.headers()["x-number"].to_str().unwrap(), seen.all().len()), ("1", 1));
        let status = policy.status();
        assert_eq!((status.stopped(Stop::NotReplayable), status.retries), (1, 0));
        assert_eq!(policy.budget().available(), 10, "nothing was taken for what cannot be");
    }
}
