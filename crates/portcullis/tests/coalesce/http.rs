//! Over HTTP and gRPC.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use futures_util::{future::join_all, stream};
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, StreamBody, combinators::UnsyncBoxBody};
use portcullis::{
    BoxError, Coalesce, CoalesceLayer,
    coalesce::{ByRequest, OnFailure},
};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::support::{coalesce, ms};

type Body = UnsyncBoxBody<Bytes, BoxError>;

/// A body of these frames, a millisecond apart, that fails in the end if it is said to.
fn body(frames: &[&'static str], fails: bool) -> Body {
    let mut frames: Vec<Result<Frame<Bytes>, BoxError>> =
        frames.iter().map(|frame| Ok(Frame::data(Bytes::from_static(frame.as_bytes())))).collect();
    if fails {
        frames.push(Err("cut off".into()));
    } else {
        let trailers = HeaderMap::from_iter([(header::ETAG, HeaderValue::from_static("x"))]);
        frames.push(Ok(Frame::trailers(trailers)));
    }
    let frames = stream::unfold(frames.into_iter(), |mut frames| async move {
        tokio::time::sleep(ms(1)).await;
        Some((frames.next()?, frames))
    });
    StreamBody::new(frames).boxed_unsync()
}

/// Answers so, and counts its calls.
fn server(
    answer: impl Fn(usize) -> Response<Body> + Clone + Send + 'static,
) -> (
    impl Service<Request<Empty<Bytes>>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone,
    Arc<AtomicUsize>,
) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let service = service_fn(move |_: Request<Empty<Bytes>>| {
        let response = answer(counted.fetch_add(1, Relaxed));
        async move {
            tokio::time::sleep(ms(10)).await;
            Ok(response)
        }
    });
    (service, calls)
}

fn get() -> Request<Empty<Bytes>> {
    Request::get("/prices").body(Empty::new()).unwrap()
}

fn layer(coalesce: &Coalesce) -> CoalesceLayer<ByRequest> {
    CoalesceLayer::new(coalesce.clone()).by(ByRequest::new())
}

/// What a caller sees: the status, the bytes, and whether there were trailers; or that the body failed.
async fn seen<B>(response: Response<B>) -> (u16, Result<(String, bool), String>)
where
    B: http_body::Body<Data = Bytes, Error = BoxError>,
{
    let status = response.status().as_u16();
    let body = match response.into_body().collect().await {
        Ok(body) => {
            let trailers = body.trailers().is_some();
            Ok((String::from_utf8(body.to_bytes().to_vec()).unwrap(), trailers))
        }
        Err(error) => Err(error.to_string()),
    };
    (status, body)
}

fn whole(status: u16, text: &str) -> (u16, Result<(String, bool), String>) {
    (status, Ok((text.to_owned(), true)))
}

#[tokio::test(start_paused = true)]
async fn a_body_is_read_once_and_given_to_all() {
    let coalesce = coalesce().build().unwrap();
    let (inner, calls) = server(|_| Response::new(body(&["hello ", "world"], false)));
    let service = layer(&coalesce).http_server().layer(inner);
    let answers = join_all((0..50).map(|_| service.clone().oneshot(get()))).await;
    for answer in answers {
        assert_eq!(seen(answer.unwrap()).await, whole(200, "hello world"));
    }
    assert_eq!((calls.load(Relaxed), coalesce.status().shared), (1, 49));
}

#[tokio::test(start_paused = true)]
async fn under_each_protocol_of_http() {
    let coalesce = coalesce().build().unwrap();
    let (inner, calls) = server(|_| Response::new(body(&["hello"], false)));
    let client = layer(&coalesce).http_client().layer(inner.clone());
    let (one, another) = tokio::join!(client.clone().oneshot(get()), client.oneshot(get()));
    assert_eq!(seen(one.unwrap()).await, seen(another.unwrap()).await);
    let grpc = CoalesceLayer::new(coalesce.clone()).by(|_: &Request<_>| Some("unary")).grpc().layer(inner);
    let (one, another) = tokio::join!(grpc.clone().oneshot(get()), grpc.oneshot(get()));
    assert_eq!(seen(one.unwrap()).await, seen(another.unwrap()).await);
    assert_eq!(calls.load(Relaxed), 2);
}

/// The first has all of it; the others make their own calls, at once.
#[tokio::test(start_paused = true)]
async fn a_body_that_is_too_long_is_for_each_alone() {
    let coalesce = coalesce().max_body(8).build().unwrap();
    let (inner, calls) = server(|_| Response::new(body(&["hello ", "world"], false)));
    let service = layer(&coalesce).http_client().layer(inner);
    let began = tokio::time::Instant::now();
    let answers = join_all((0..5).map(|_| service.clone().oneshot(get()))).await;
    assert!(began.elapsed() < ms(30), "{:?}", began.elapsed());
    for answer in answers {
        assert_eq!(seen(answer.unwrap()).await, whole(200, "hello world"));
    }
    assert_eq!((calls.load(Relaxed), coalesce.status().unshared, coalesce.status().keys), (5, 4, 0));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_fails_is_the_leaders_own() {
    let coalesce = coalesce().build().unwrap();
    let (inner, calls) = server(|call| Response::new(body(&["hello"], call == 0)));
    let service = layer(&coalesce).http_client().layer(inner);
    let mut answers = Vec::new();
    for answer in join_all((0..3).map(|_| service.clone().oneshot(get()))).await {
        answers.push(seen(answer.unwrap()).await);
    }
    assert_eq!(answers, [(200, Err("cut off".to_owned())), whole(200, "hello"), whole(200, "hello")]);
    assert_eq!((calls.load(Relaxed), coalesce.status().promoted), (2, 1));
}

/// A status that is a failure is one for those who wait, too.
#[tokio::test(start_paused = true)]
async fn a_failing_status_is_shared_or_not() {
    for (then, expected) in [(OnFailure::Share, [503, 503]), (OnFailure::Promote, [503, 200])] {
        let coalesce = coalesce().on_failure(then).build().unwrap();
        let (inner, _) = server(|call| {
            let status = if call == 0 { 503 } else { 200 };
            Response::builder().status(status).body(body(&[], false)).unwrap()
        });
        let service = layer(&coalesce).http_server().layer(inner);
        let (one, another) = tokio::join!(service.clone().oneshot(get()), service.oneshot(get()));
        assert_eq!([one, another].map(|answer| answer.unwrap().status().as_u16()), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_goes_while_the_body_comes_lets_the_next_lead() {
    let coalesce = coalesce().build().unwrap();
    let (inner, calls) = server(|_| Response::new(body(&["hello"; 100], false)));
    let service = layer(&coalesce).http_client().layer(inner);
    let leader = tokio::time::timeout(ms(50), service.clone().oneshot(get()));
    let (leader, waiter) = tokio::join!(leader, service.oneshot(get()));
    assert!(leader.is_err());
    assert_eq!(seen(waiter.unwrap()).await, whole(200, &"hello".repeat(100)));
    assert_eq!((calls.load(Relaxed), coalesce.status().promoted), (2, 1));
}

/// Another user must not see what is for one.
#[tokio::test(start_paused = true)]
async fn requests_that_say_who_asks_share_nothing() {
    let coalesce = coalesce().build().unwrap();
    let (inner, calls) = server(|_| Response::new(body(&["yours"], false)));
    let service = layer(&coalesce).http_server().layer(inner);
    let of = |user: &'static str| {
        let mut request = get();
        request.headers_mut().insert(header::AUTHORIZATION, HeaderValue::from_static(user));
        service.clone().oneshot(request)
    };
    let _ = tokio::join!(of("a"), of("b"), of("a"));
    assert_eq!((calls.load(Relaxed), coalesce.status().keyless), (3, 3));
}

/// A session that the dependency gives to one who has none is not everybody's.
#[tokio::test(start_paused = true)]
async fn what_sets_a_cookie_is_for_each_alone() {
    let coalesce = coalesce().build().unwrap();
    let (inner, calls) = server(|call| {
        let response = Response::builder().header(header::SET_COOKIE, format!("session={call}"));
        response.body(body(&["hello"], false)).unwrap()
    });
    let service = layer(&coalesce).http_server().layer(inner);
    let answers = join_all((0..3).map(|_| service.clone().oneshot(get()))).await;
    let sessions = answers.into_iter().map(|answer| answer.unwrap().headers()[header::SET_COOKIE].clone());
    assert_eq!(sessions.collect::<std::collections::HashSet<_>>().len(), 3);
    assert_eq!((calls.load(Relaxed), coalesce.status().unshared), (3, 2));
}
