//! What becomes of calls that are not done in time.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, StreamBody};
use portcullis::{BoxError, DeadlineLayer, Registry, Rejection, Timeout, protocol::Deadline};
use portcullis_testkit::script::{self, Step};
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};

use super::support::{ms, timeout};

fn with_deadline<B>(millis: u64, body: B) -> Request<B> {
    let mut request = Request::new(body);
    request.extensions_mut().insert(Deadline::after(ms(millis)));
    request
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_its_deadline_and_what_it_runs_is_dropped() {
    let (inner, handle) = script::of::<Request<()>, Response<Empty<Bytes>>, Infallible>([]);
    let service = DeadlineLayer::new(timeout(1000)).http_server().layer(inner);
    let start = Instant::now();
    let Ok(response) = service.oneshot(with_deadline(120, ())).await;
    assert_eq!((response.status().as_u16(), start.elapsed()), (504, ms(120)));
    assert_eq!((handle.tally().calls, handle.tally().dropped), (1, 1));
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!(rejection.to_string(), "timeout 't' had no answer within 120ms (total)");
}

/// A service that is never ready is waited for within the deadline, and never called.
#[tokio::test(start_paused = true)]
async fn the_wait_for_readiness_counts() {
    let (inner, handle) = script::of::<Request<()>, Response<Empty<Bytes>>, BoxError>([]);
    handle.close();
    let service = DeadlineLayer::new(timeout(1000)).http_client().layer(inner);
    let start = Instant::now();
    service.oneshot(with_deadline(120, ())).await.map(|_| ()).unwrap_err();
    assert_eq!((start.elapsed(), handle.tally().calls), (ms(120), 0));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_with_the_deadline_wins() {
    let (inner, _) = script::of::<(), _, BoxError>([Step::ok(7).after(ms(100))]);
    let service = DeadlineLayer::new(timeout(100)).layer(inner);
    assert_eq!(service.oneshot(()).await.unwrap(), 7);
}

/// What a client below says of the same deadline, in its own words, is the deadline all the same.
#[tokio::test(start_paused = true)]
async fn an_error_within_the_margin_is_the_deadline() {
    let late = service_fn(|(): ()| async {
        tokio::time::sleep(ms(96)).await;
        Err::<(), BoxError>("the channel's own timer".into())
    });
    let error = DeadlineLayer::new(timeout(100)).layer(late).oneshot(()).await.unwrap_err();
    assert!(Rejection::find(&*error).is_some());
    let early = service_fn(|(): ()| async {
        tokio::time::sleep(ms(94)).await;
        Err::<(), BoxError>("something else".into())
    });
    let error = DeadlineLayer::new(timeout(100)).layer(early).oneshot(()).await.unwrap_err();
    assert_eq!(error.to_string(), "something else");
}

/// T46: streams end with the status of a deadline where that is asked for, and go on where it is not.
#[tokio::test(start_paused = true)]
async fn t46_a_stream_ends_at_the_deadline_when_asked() {
    let stream = service_fn(|_: Request<()>| async {
        let silent = futures_util::stream::pending::<Result<http_body::Frame<Bytes>, Infallible>>();
        let head = Response::builder().header("content-type", "application/grpc");
        Ok::<_, Infallible>(head.body(StreamBody::new(silent)).unwrap())
    });
    let request = || {
        let grpc = Request::post("/shop/Watch").header("content-type", "application/grpc");
        grpc.header("grpc-timeout", "200m").body(()).unwrap()
    };
    let whole =
        Timeout::builder("t", ms(1000)).whole_response(true).registry(&Registry::new()).build().unwrap();
    let start = Instant::now();
    let Ok(response) = DeadlineLayer::new(whole).http_server().layer(stream).oneshot(request()).await;
    let ended = response.into_body().collect().await.unwrap();
    assert_eq!((ended.trailers().unwrap()["grpc-status"].to_str().unwrap(), start.elapsed()), ("4", ms(200)));
    let Ok(response) = DeadlineLayer::new(timeout(1000)).http_server().layer(stream).oneshot(request()).await;
    let goes_on = tokio::time::timeout(ms(60_000), response.into_body().collect()).await;
    goes_on.map(|_| ()).unwrap_err();
}

/// A channel below keeps the time by the header, which says less than there is where eight digits are not enough.
#[tokio::test(start_paused = true)]
async fn an_error_by_the_time_that_was_told_is_the_deadline() {
    let channel = service_fn(|request: Request<()>| async move {
        let told = request.headers()["grpc-timeout"].to_str().unwrap().strip_suffix('m').unwrap().parse();
        tokio::time::sleep(ms(told.unwrap())).await;
        Err::<Response<Empty<Bytes>>, BoxError>("timeout expired".into())
    });
    let deadline = Deadline::after(std::time::Duration::from_micros(200_000_700));
    let request = Request::post("/shop/Buy").header("content-type", "application/grpc").extension(deadline);
    let service = DeadlineLayer::new(timeout(300_000)).grpc().layer(channel);
    let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "4");
}

/// Who keeps the same time outside, as tonic's servers do, may be woken by his timer before ours has gone off.
#[tokio::test]
async fn what_is_polled_after_the_deadline_ends_though_no_timer_has_gone_off() {
    let layer = DeadlineLayer::new(timeout(10));
    let mut call = std::pin::pin!(layer.layer(script::of::<(), (), BoxError>([]).0).oneshot(()));
    let ended = std::future::poll_fn(|cx| {
        assert!(call.as_mut().poll(cx).is_pending());
        #[expect(clippy::disallowed_methods, reason = "the runtime's timers are to stand still")]
        std::thread::sleep(ms(12));
        std::task::Poll::Ready(call.as_mut().poll(cx).is_ready())
    });
    assert!(ended.await);
}
