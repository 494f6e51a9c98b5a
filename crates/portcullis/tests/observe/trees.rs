//! The spans of a call and all its attempts.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use http::{Request, StatusCode};
use http_body_util::BodyExt;
use portcullis::{
    BoxError, Breaker, BreakerLayer, Hedge, HedgeLayer, ObserveLayer, Observer, Registry, RetryLayer,
    RetryPolicy,
    event::Interest,
    protocol::Attempt,
    retry::{Backoff, ReplayBody},
    trace,
};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tracing::info;

use crate::{
    capture::Capture,
    support::{Body, answer, get, observer},
};

/// Answers each attempt, by its number from 1, so late and with this status.
fn upstream(
    answers: impl Fn(u32) -> (u64, u16) + Send + Sync + 'static,
) -> impl Service<Request<ReplayBody<Body>>, Response = http::Response<Body>, Error = BoxError, Future: Send> + Clone
{
    let (answers, attempts) = (Arc::new(answers), Arc::new(AtomicU32::new(0)));
    service_fn(move |request: Request<ReplayBody<Body>>| {
        let (late, status) = answers(attempts.fetch_add(1, SeqCst) + 1);
        async move {
            info!("sent {}", Attempt::of(&request).number());
            tokio::time::sleep(Duration::from_millis(late)).await;
            Ok(answer(StatusCode::from_u16(status).unwrap()))
        }
    })
}

fn retry(registry: &Registry) -> RetryPolicy {
    let retry = RetryPolicy::builder("shop").max_attempts(4).backoff(Backoff::NONE);
    retry.registry(registry).build().unwrap()
}

fn fields(capture: &Capture, name: &str) -> Vec<String> {
    capture.spans().iter().map(|span| span.field(name).to_owned()).collect()
}

/// Two attempts fail, the breaker opens, and the third is refused: all of it in one tree.
#[tokio::test(start_paused = true)]
async fn attempts_refusals_and_what_is_told_of_them_stand_in_the_call() {
    let (capture, _guard) = Capture::start();
    let registry = Registry::new();
    let _told = trace::install(&registry, Interest::All);
    let breaker = Breaker::builder("stock").consecutive_failures(2).registry(&registry).build().unwrap();
    let observer = observer(&registry);
    let service = ServiceBuilder::new()
        .layer(ObserveLayer::calls(observer.clone()).http_client())
        .layer(RetryLayer::new(retry(&registry)).http_client())
        .layer(ObserveLayer::attempts(observer.clone()).http_client())
        .layer(BreakerLayer::new(breaker).http_client())
        .service(upstream(|_| (0, 503)));

    let _ = service.oneshot(get()).await;

    let tree = capture.tree();
    assert_eq!(tree[1], ".attempt failure: sent 1");
    assert_eq!(tree[2], ".attempt failure: sent 2, state changed");
    assert_eq!(tree[3], ".attempt rejected: call refused");
    assert!(tree[0].starts_with("call rejected: retry, retry"), "{tree:?}");
    assert_eq!(tree.len(), 4);
    assert_eq!(fields(&capture, "attempt"), ["", "1", "2", "3"]);
    assert_eq!(fields(&capture, "after"), ["", "", "unavailable", "unavailable"]);
    assert_eq!(fields(&capture, "refused_by"), ["stock", "", "", "stock"]);
    assert_eq!(capture.outside(), [""; 0], "{:?}", capture.outside());
}

/// The first attempt is late, another is sent beside it and wins, and the first is given up.
#[tokio::test(start_paused = true)]
async fn a_hedge_is_beside_the_attempt_that_is_late() {
    let (capture, _guard) = Capture::start();
    let registry = Registry::new();
    let _told = trace::install(&registry, Interest::All);
    let hedge = Hedge::builder("shop").fixed_delay(Duration::from_millis(20)).registry(&registry);
    let observer = observer(&registry);
    let service = ServiceBuilder::new()
        .layer(ObserveLayer::calls(observer.clone()).http_client())
        .layer(HedgeLayer::new(hedge.build().unwrap()).http_client())
        .layer(ObserveLayer::attempts(observer.clone()).http_client())
        .service(upstream(|attempt| if attempt == 1 { (1000, 200) } else { (5, 200) }));

    let response = service.oneshot(get()).await.unwrap();
    response.into_body().collect().await.unwrap();

    let tree = ["call success: hedge", ".attempt abandoned: sent 1", ".attempt success: sent 2"];
    assert_eq!(capture.tree(), tree);
    assert_eq!(fields(&capture, "hedge"), ["", "", "true"]);
    let (calls, attempts) = (observer.status().calls, observer.status().attempts);
    assert_eq!((calls.successes, attempts.successes, attempts.abandoned), (1, 1, 1));
}

/// An attempt of the retry is a hedge's first one.
#[tokio::test(start_paused = true)]
async fn a_retry_of_hedges_makes_one_tree() {
    let (capture, _guard) = Capture::start();
    let registry = Registry::new();
    let retry = retry(&registry);
    let hedge = Hedge::builder("shop").fixed_delay(Duration::from_millis(20)).budget(retry.budget());
    let observer = observer(&registry);
    let service = ServiceBuilder::new()
        .layer(ObserveLayer::calls(observer.clone()).http_client())
        .layer(RetryLayer::new(retry).http_client())
        .layer(HedgeLayer::new(hedge.registry(&registry).build().unwrap()).http_client())
        .layer(ObserveLayer::attempts(observer.clone()).http_client())
        .service(doubly_replayed());

    let response = service.oneshot(get()).await.unwrap();
    response.into_body().collect().await.unwrap();

    let names: Vec<_> =
        capture.tree().iter().map(|line| line.split(':').next().unwrap().to_owned()).collect();
    assert_eq!(names[0], "call success");
    assert!(names[1..].iter().all(|name| name.starts_with(".attempt ")), "{names:?}");
    assert!(capture.spans().iter().all(|span| span.closed), "{names:?}");
    assert!(names.len() > 2, "{names:?}");
}

/// Fails the first time, and is late the second.
fn doubly_replayed() -> impl Service<
    Request<ReplayBody<ReplayBody<Body>>>,
    Response = http::Response<Body>,
    Error = BoxError,
    Future: Send,
> + Clone {
    let attempts = Arc::new(AtomicU32::new(0));
    service_fn(move |_: Request<ReplayBody<ReplayBody<Body>>>| {
        let (late, status) = [(0, 503), (1000, 200), (5, 200)][attempts.fetch_add(1, SeqCst) as usize % 3];
        async move {
            tokio::time::sleep(Duration::from_millis(late)).await;
            Ok(answer(StatusCode::from_u16(status).unwrap()))
        }
    })
}

/// Calls that run at a time do not get into each other's spans.
#[tokio::test(start_paused = true)]
async fn calls_side_by_side_keep_to_their_own_spans() {
    let (capture, _guard) = Capture::start();
    let observer: Observer = observer(&Registry::new());
    let service = ServiceBuilder::new()
        .layer(ObserveLayer::calls(observer.clone()))
        .layer(ObserveLayer::attempts(observer))
        .service(service_fn(|n: u64| async move {
            for _ in 0..3 {
                info!("{n}");
                tokio::time::sleep(Duration::from_millis(n)).await;
            }
            Ok::<_, BoxError>(())
        }));
    let calls = (1..20).map(|n| service.clone().oneshot(n));
    futures_util::future::join_all(calls).await;
    for span in capture.spans().iter().filter(|span| span.name == "attempt") {
        assert!(span.closed && span.events.len() == 3, "{span:?}");
        assert!(span.events.iter().all(|event| *event == span.events[0]), "{span:?}");
    }
    assert_eq!(capture.outside(), [""; 0]);
}
