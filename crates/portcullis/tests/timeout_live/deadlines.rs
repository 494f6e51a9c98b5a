//! Deadlines that go by a timeout.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream::unfold;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use portcullis::{
    BoxError, DeadlineLayer, Mode, Reason, Rejection, ThreadPool, Timeout, TimeoutScope, deadline,
    timeout::Config,
};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{limit_of, ms, takes, timeout};

/// Reads a body of frames that come every 100 ms; how it ended.
async fn read(timeout: &Timeout, frames: u32) -> Result<usize, Reason> {
    let service = service_fn(move |_: Request<()>| async move {
        let frames = unfold(0..frames, |mut left| async move {
            tokio::time::sleep(ms(100)).await;
            left.next().map(|_| (Ok::<_, Infallible>(Frame::data(Bytes::from("frame"))), left))
        });
        Ok::<_, BoxError>(Response::new(StreamBody::new(frames)))
    });
    let layer = DeadlineLayer::new(timeout.clone()).http_client();
    let body = layer.layer(service).oneshot(Request::new(())).await.unwrap().into_body();
    let all = body.collect().await;
    all.map(|all| all.to_bytes().len()).map_err(|error| Rejection::find(&*error).unwrap().reason())
}

/// A layer that kept `body` and `body_idle` from its policy's settings went by neither.
#[tokio::test(start_paused = true)]
async fn the_times_of_bodies_count() {
    let body = timeout(Config { body: Some(ms(250)), ..ms(1000).into() });
    let over = |scope, limit| Err(Reason::Timeout { scope, limit, sent: true });
    assert_eq!(read(&body, 10).await, over(TimeoutScope::Body, ms(250)));
    let idle = timeout(Config { body_idle: Some(ms(50)), ..ms(1000).into() });
    assert_eq!(read(&idle, 10).await, over(TimeoutScope::Idle, ms(50)));
    let patient = timeout(Config { body_idle: Some(ms(150)), ..ms(1000).into() });
    assert_eq!(read(&patient, 30).await, Ok(150));
    let whole = Config { whole_response: true, body: Some(ms(5000)), ..ms(1000).into() };
    assert_eq!(read(&timeout(whole), 30).await, over(TimeoutScope::Total, ms(1000)));
}

#[tokio::test(start_paused = true)]
async fn in_shadow_a_late_call_goes_on() {
    let timeout = timeout(Config { mode: Mode::Shadow, whole_response: true, ..ms(100).into() });
    let service = DeadlineLayer::new(timeout.clone()).layer(takes());
    assert_eq!(service.clone().oneshot(300).await.unwrap(), 300);
    assert_eq!(read(&timeout, 3).await, Ok(15));
    assert_eq!((timeout.status().shadowed, timeout.expired()), (2, 0));
    timeout.set_mode(Mode::Enforce).unwrap();
    assert_eq!(limit_of(service.clone().oneshot(300).await), Some(ms(100)));
    timeout.set_mode(Mode::Disabled).unwrap();
    assert_eq!(service.oneshot(300).await.unwrap(), 300);
    assert_eq!((timeout.status().shadowed, timeout.expired()), (2, 1));
}

/// A call's thread knows until when it is waited for.
#[tokio::test]
async fn a_pool_of_threads_has_the_deadline() {
    let pool = ThreadPool::new("threads");
    let service = DeadlineLayer::new(timeout(ms(60_000))).layer(service_fn(move |(): ()| {
        let (pool, here) = (pool.clone(), deadline::current());
        async move {
            let there = pool.run(|| Ok::<_, BoxError>(deadline::current())).await?;
            Ok::<_, BoxError>((here, there))
        }
    }));
    let (here, there) = service.oneshot(()).await.unwrap();
    assert!(here.is_some() && here == there, "{here:?} {there:?}");
}
