//! No attempt starts, and no wait begins, that cannot end in time.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use portcullis::{
    BoxError, Reason, Rejection, RetryLayer, RetryPolicy,
    protocol::Deadline,
    retry::{ReplayBody, Stop},
};
use tokio::time::Instant;
use tower::{ServiceBuilder, ServiceExt, limit::ConcurrencyLimitLayer, service_fn};

use crate::support::{Seen, ms, policy};

/// Makes a call that fails; when its attempts were made, in milliseconds.
async fn attempts(retries: &RetryPolicy, grpc: bool, request: Request<Full<Bytes>>) -> Vec<u128> {
    let seen = Seen::default();
    let (log, started) = (seen.clone(), Instant::now());
    let inner = service_fn(move |_: Request<ReplayBody<Full<Bytes>>>| {
        log.push(started.elapsed().as_millis());
        async {
            let response = Response::builder().status(503).body(Full::<Bytes>::default());
            response.map_err(BoxError::from)
        }
    });
    let layer = RetryLayer::new(retries.clone()).idempotent();
    let status = if grpc {
        ServiceBuilder::new().layer(layer.grpc()).service(inner).oneshot(request).await.unwrap().status()
    } else {
        ServiceBuilder::new()
            .layer(layer.http_client())
            .service(inner)
            .oneshot(request)
            .await
            .unwrap()
            .status()
    };
    assert_eq!(status, 503, "the last answer is returned as it was");
    seen.all()
}

fn request() -> Request<Full<Bytes>> {
    Request::get("/").body(Full::default()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_deadline_in_the_extensions_is_kept() {
    let retries = policy(ms(40)).max_attempts(10).build().unwrap();
    let mut request = request();
    request.extensions_mut().insert(Deadline::after(ms(100)));
    assert_eq!(attempts(&retries, false, request).await, [0, 40, 80]);
    assert_eq!(retries.status().stopped(Stop::Deadline), 1);
}

#[tokio::test(start_paused = true)]
async fn grpc_tells_its_deadline_by_a_header() {
    let retries = policy(ms(40)).max_attempts(10).build().unwrap();
    let mut request = request();
    request.headers_mut().insert("grpc-timeout", "100m".parse().unwrap());
    assert_eq!(attempts(&retries, true, request.clone()).await, [0, 40, 80]);
    request.extensions_mut().insert(Deadline::after(ms(50)));
    assert_eq!(attempts(&retries, true, request).await, [0, 40], "the sooner one counts");
}

#[tokio::test(start_paused = true)]
async fn the_policys_own_time_counts_too() {
    let retries = policy(ms(40)).max_attempts(10).total_time(ms(70)).build().unwrap();
    let mut request = request();
    request.extensions_mut().insert(Deadline::after(ms(1000)));
    assert_eq!(attempts(&retries, false, request).await, [0, 40]);
    assert_eq!(retries.status().over_time, 1);
}

/// Every attempt told the server that it had the whole time.
#[tokio::test(start_paused = true)]
async fn each_attempt_tells_what_is_left() {
    let seen = Seen::default();
    let log = seen.clone();
    let retries = policy(ms(40)).max_attempts(10).build().unwrap();
    let service = ServiceBuilder::new().layer(RetryLayer::new(retries).idempotent().grpc()).service(
        service_fn(move |request: Request<ReplayBody<Full<Bytes>>>| {
            log.push(request.headers()["grpc-timeout"].to_str().unwrap().to_owned());
            let response = Response::builder().header("grpc-status", "14").body(Full::<Bytes>::default());
            async { response.map_err(BoxError::from) }
        }),
    );
    let mut request = request();
    request.headers_mut().insert("grpc-timeout", "100m".parse().unwrap());

    service.oneshot(request).await.unwrap();

    assert_eq!(seen.all(), ["100m", "60000000n", "20000000n"]);
}

/// What ends a call whose second attempt has an instance only after so long, the attempts it made, and when it ended.
async fn with_an_instance_after(time: u64, retries: &RetryPolicy) -> (String, usize, u128) {
    let (seen, started) = (Seen::default(), Instant::now());
    let log = seen.clone();
    let limit = ConcurrencyLimitLayer::new(1);
    let inner = ServiceBuilder::new().layer(limit).service(service_fn(move |request: u64| {
        log.push(request);
        async move {
            match request {
                // The other one, which has the only place.
                0 => tokio::time::sleep(ms(1)).await,
                time => tokio::time::sleep(ms(time)).await,
            }
            Err::<(), BoxError>("lost".into())
        }
    }));
    let service =
        ServiceBuilder::new().layer(RetryLayer::new(retries.clone()).idempotent()).service(inner.clone());
    let call = tokio::spawn(service.oneshot(0));
    tokio::time::sleep(ms(5)).await;
    let other = tokio::spawn(inner.oneshot(time));
    let error = call.await.unwrap().unwrap_err();
    let ended = started.elapsed().as_millis();
    let said = Rejection::find(&*error).map_or_else(
        || error.to_string(),
        |rejection| {
            assert!(matches!(rejection.reason(), Reason::Timeout { sent: true, .. }), "{rejection}");
            assert_eq!(&**rejection.policy(), "orders");
            "too late".to_owned()
        },
    );
    other.await.unwrap().unwrap_err();
    tokio::time::sleep(ms(1000)).await;
    (said, seen.all().len() - 1, ended)
}

#[tokio::test(start_paused = true)]
async fn no_attempt_is_made_whose_instance_is_ready_too_late() {
    let retries = policy(ms(10)).max_attempts(2).total_time(ms(100)).build().unwrap();
    assert_eq!(with_an_instance_after(500, &retries).await, ("too late".to_owned(), 1, 100));
    assert_eq!((retries.status().stopped(Stop::Deadline), retries.status().over_time), (1, 1));
    let status = retries.status();
    assert_eq!((status.retries, status.stopped(Stop::Exhausted)), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_is_ready_in_time_is_called() {
    let retries = policy(ms(10)).max_attempts(2).total_time(ms(100)).build().unwrap();
    assert_eq!(with_an_instance_after(50, &retries).await, ("lost".to_owned(), 2, 56));
    assert_eq!(retries.status().stopped(Stop::Exhausted), 1);
    let unbound = policy(ms(10)).max_attempts(2).build().unwrap();
    assert_eq!(with_an_instance_after(500, &unbound).await, ("lost".to_owned(), 2, 506));
}

/// Once an attempt had waited for its instance, none waited for its time any more.
#[tokio::test(start_paused = true)]
async fn who_waited_for_an_instance_waits_before_the_attempt_after_it_too() {
    let retries = policy(ms(10)).max_attempts(3).total_time(ms(200)).build().unwrap();
    assert_eq!(with_an_instance_after(50, &retries).await, ("lost".to_owned(), 3, 67));
}
