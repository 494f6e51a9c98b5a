//! The timeout: what its time covers.

use portcullis::{BoxError, Reason, Timeout, TimeoutLayer};
use portcullis_testkit::script::Step;
use portcullis_tests::net::soon;
use tower::{ServiceBuilder, ServiceExt};

use crate::common::{healthy, ms, rejection};

/// A timeout of 400 ms that begins only when the inner service is ready: four calls of 300 ms over a
/// limit of one took 1.2 s.
#[tokio::test(start_paused = true)]
async fn t33_the_wait_for_readiness_is_timed() {
    let (inner, dependency) = healthy();
    dependency.otherwise(|n| Step::ok(*n).after(ms(300)));
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Timeout::total("t33", ms(400)).unwrap()))
        .concurrency_limit(1)
        .service(inner);
    let before = tokio::time::Instant::now();

    let calls = (0..4).map(|n| tokio::spawn(service.clone().oneshot(n)));
    let ends: Vec<_> = futures_util::future::join_all(calls).await.into_iter().map(Result::unwrap).collect();

    assert_eq!(before.elapsed(), ms(400));
    let sent: Vec<_> = ends
        .into_iter()
        .map(|end| match end {
            Ok(_) => "answered",
            late => match rejection(late).reason() {
                Reason::Timeout { sent: true, .. } => "late while it ran",
                _ => "late while it waited",
            },
        })
        .collect();
    assert_eq!(sent, ["answered", "late while it ran", "late while it waited", "late while it waited"]);
    assert_eq!((dependency.tally().calls, dependency.tally().in_flight), (2, 0));
}

/// The same below a `Buffer`-like gate that never opens: ready for callers, but not for ever.
#[tokio::test(start_paused = true)]
async fn t33_a_service_that_never_gets_ready_is_late_too() {
    let (inner, dependency) = healthy();
    dependency.close();
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Timeout::total("t33", ms(400)).unwrap()))
        .service(inner);
    let before = tokio::time::Instant::now();

    let end = rejection(soon(service.oneshot(1)).await);

    assert_eq!((before.elapsed(), dependency.tally().calls), (ms(400), 0));
    assert!(matches!(end.reason(), Reason::Timeout { sent: false, .. }));
}

/// A panic of what is timed is no timeout: it goes on, and nothing is counted.
#[tokio::test(start_paused = true)]
async fn t13_a_panic_below_a_timeout_is_no_timeout() {
    let timeout = Timeout::total("t13", ms(400)).unwrap();
    let panics = tower::service_fn(|n: u32| async move {
        tokio::time::sleep(ms(100)).await;
        assert_eq!(n, 0, "in poll");
        Ok::<_, BoxError>(n)
    });
    let service = ServiceBuilder::new().layer(TimeoutLayer::new(timeout.clone())).service(panics);

    let panic = tokio::spawn(service.oneshot(1)).await.unwrap_err().into_panic();

    assert!(panic.downcast_ref::<String>().unwrap().contains("in poll"));
    assert_eq!((timeout.expired(), timeout.status().shadowed), (0, 0));
}
