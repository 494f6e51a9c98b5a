//! Limits of requests' own.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use portcullis::{BoxError, TimeoutLayer, timeout::Limit};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{limit_of, ms, takes, timeout};

#[tokio::test(start_paused = true)]
async fn a_request_may_have_a_limit_of_its_own() {
    let timeout = timeout(ms(100));
    let own = |millis: &u64| (*millis > 1000).then_some(ms(5000));
    let service = TimeoutLayer::new(timeout.clone()).by(own).layer(takes());
    assert_eq!(limit_of(service.clone().oneshot(500).await), Some(ms(100)));
    assert_eq!(service.clone().oneshot(4999).await.unwrap(), 4999);
    assert_eq!(limit_of(service.oneshot(6000).await), Some(ms(5000)));
    assert_eq!(timeout.expired(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_cannot_be_is_the_nearest_that_can() {
    let service =
        |own: Duration| TimeoutLayer::new(timeout(ms(100))).by(move |_: &u64| Some(own)).layer(takes());
    assert_eq!(limit_of(service(Duration::ZERO).oneshot(50).await), Some(ms(1)));
    let day = 24 * 60 * 60 * 1000;
    assert_eq!(limit_of(service(Duration::MAX).oneshot(day + 1).await), Some(ms(day)));
}

#[tokio::test(start_paused = true)]
async fn an_extension_says_it_over_http() {
    let inner = service_fn(|_: Request<Empty<Bytes>>| async {
        tokio::time::sleep(ms(300)).await;
        Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new()))
    });
    let service = TimeoutLayer::new(timeout(ms(100))).http_server().by_extension().layer(inner);
    let ask = |own: Option<Duration>| {
        let mut request = Request::new(Empty::new());
        if let Some(own) = own {
            request.extensions_mut().insert(Limit(own));
        }
        service.clone().oneshot(request)
    };
    assert_eq!(ask(None).await.unwrap().status(), 504);
    assert_eq!(ask(Some(ms(400))).await.unwrap().status(), 200);
    assert_eq!(ask(Some(ms(200))).await.unwrap().status(), 504);
}
