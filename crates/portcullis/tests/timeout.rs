//! Times of bodies, in paused time.

#![expect(clippy::unwrap_used, reason = "what helps the tests may panic as they do")]

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures_util::stream::unfold;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, StreamBody};
use portcullis::{
    BoxError, Reason, Registry, Rejection, Timeout, TimeoutLayer, TimeoutScope, timeout::TimeoutBuilder,
};
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A second for the head.
fn timeout() -> TimeoutBuilder {
    Timeout::builder("feed", ms(1000)).registry(&Registry::new())
}

/// Reads the body of a response whose head comes at once and whose frames come after these pauses; how many came,
/// how it ended, and when.
async fn read(timeout: &Timeout, pauses: &'static [u64]) -> (usize, Option<Rejection>, Duration) {
    let service = service_fn(move |_: Request<()>| async move {
        let frames = unfold(pauses.iter(), |mut pauses| async move {
            tokio::time::sleep(ms(*pauses.next()?)).await;
            Some((Ok::<_, Infallible>(Frame::data(Bytes::from("frame"))), pauses))
        });
        Ok::<_, BoxError>(Response::new(StreamBody::new(frames)))
    });
    let layer = TimeoutLayer::new(timeout.clone()).http_client();
    let response = layer.layer(service).oneshot(Request::new(())).await.unwrap();
    let (start, mut body) = (Instant::now(), Box::pin(response.into_body()));
    count(&mut body, start).await
}

async fn count<B>(body: &mut B, start: Instant) -> (usize, Option<Rejection>, Duration)
where
    B: Body<Data = Bytes, Error = BoxError> + Unpin,
{
    let mut frames = 0;
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(_) => frames += 1,
            Err(error) => return (frames, Rejection::find(&*error).cloned(), start.elapsed()),
        }
    }
    (frames, None, start.elapsed())
}

fn reason(scope: TimeoutScope, limit: Duration) -> Option<Reason> {
    Some(Reason::Timeout { scope, limit, sent: true })
}

#[tokio::test(start_paused = true)]
async fn a_body_ends_when_its_time_is_over() {
    let timeout = timeout().body(ms(250)).build().unwrap();
    let (frames, end, after) = read(&timeout, &[100, 100, 100, 100]).await;
    assert_eq!((frames, after), (2, ms(250)));
    assert_eq!(end.map(|end| end.reason()), reason(TimeoutScope::Body, ms(250)));
    assert_eq!((timeout.body_expired(), timeout.expired()), (1, 0));
}

/// A stream goes on for as long as something comes, and no longer.
#[tokio::test(start_paused = true)]
async fn a_body_ends_when_it_pauses_for_too_long() {
    let timeout = timeout().body_idle(ms(150)).build().unwrap();
    assert_eq!(read(&timeout, &[140; 20]).await, (20, None, ms(2800)));
    let (frames, end, after) = read(&timeout, &[100, 100, 400]).await;
    assert_eq!((frames, after), (2, ms(350)));
    assert_eq!(end.map(|end| end.reason()), reason(TimeoutScope::Idle, ms(150)));
    assert_eq!((timeout.body_idle_expired(), timeout.body_expired()), (1, 0));
}

/// The pauses are the body's: a reader who takes his time is not cut off from what is there.
#[tokio::test(start_paused = true)]
async fn who_reads_slowly_reads_all_of_it() {
    let timeout = timeout().body_idle(ms(150)).build().unwrap();
    let service = service_fn(|_: Request<()>| async {
        let frame = || Ok::<_, Infallible>(Frame::data(Bytes::from("frame")));
        let frames = futures_util::stream::iter((0..3).map(move |_| frame()));
        Ok::<_, BoxError>(Response::new(StreamBody::new(frames)))
    });
    let layer = TimeoutLayer::new(timeout.clone()).http_client();
    let mut body = layer.layer(service).oneshot(Request::new(())).await.unwrap().into_body();
    let mut frames = 0;
    while let Some(frame) = body.frame().await {
        frame.unwrap();
        frames += 1;
        tokio::time::sleep(ms(400)).await;
    }
    assert_eq!((frames, timeout.body_idle_expired()), (3, 0));
}

/// The first frame may be long in coming, too.
#[tokio::test(start_paused = true)]
async fn the_pause_before_the_first_frame_counts() {
    let timeout = timeout().body_idle(ms(150)).build().unwrap();
    let (frames, _, after) = read(&timeout, &[5000]).await;
    assert_eq!((frames, after), (0, ms(150)));
}

/// Of several times, the one that ends first counts.
#[tokio::test(start_paused = true)]
async fn the_soonest_end_is_the_one_that_is_told() {
    let all = timeout().whole_response(true).body(ms(700)).body_idle(ms(400)).build().unwrap();
    let ended = async |pauses| read(&all, pauses).await.1.map(|end| end.reason());
    assert_eq!(ended(&[500]).await, reason(TimeoutScope::Idle, ms(400)));
    assert_eq!(ended(&[300, 300, 300]).await, reason(TimeoutScope::Body, ms(700)));
    let whole = timeout().whole_response(true).body(ms(5000)).build().unwrap();
    let (_, end, after) = read(&whole, &[300; 20]).await;
    assert_eq!((end.map(|end| end.reason()), after), (reason(TimeoutScope::Total, ms(1000)), ms(1000)));
}

#[tokio::test(start_paused = true)]
async fn without_them_a_body_takes_what_it_likes() {
    let timeout = timeout().build().unwrap();
    assert_eq!(read(&timeout, &[60_000; 3]).await, (3, None, ms(180_000)));
}

#[test]
fn what_cannot_work_names_its_field() {
    let error = timeout().body(Duration::ZERO).build().unwrap_err();
    assert_eq!(error.to_string(), "timeout.body is 0ns: allowed is 1ms to 86400s");
    assert_eq!(timeout().body_idle(Duration::MAX).build().unwrap_err().field(), "timeout.body_idle");
}
