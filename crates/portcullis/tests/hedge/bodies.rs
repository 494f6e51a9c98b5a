//! A body that is longer than what is kept belongs to the first attempt.

use std::{
    convert::Infallible,
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use portcullis::{BoxError, HedgeLayer, protocol::Attempt, replay::ReplayBody};
use tokio::time::{Sleep, sleep, timeout};
use tower::{Layer, ServiceExt, service_fn};

use super::support::{hedge, ms};

const CHUNK: usize = 8 * 1024;
/// More than twice as much as is kept.
const CHUNKS: usize = 20;

/// An upload of unknown length, a chunk every 10 ms.
struct Upload(usize, Pin<Box<Sleep>>);

impl Body for Upload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.0 == CHUNKS {
            return Poll::Ready(None);
        }
        ready!(self.1.as_mut().poll(cx));
        self.0 += 1;
        self.1 = Box::pin(sleep(ms(10)));
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[7; CHUNK])))))
    }
}

#[derive(Clone, Copy, Debug)]
enum Other {
    Fails,
    Hangs,
    ReadsAndHangs,
}

async fn read(request: Request<ReplayBody<Upload>>) -> Result<Response<Full<Bytes>>, BoxError> {
    let body = request.into_body().collect().await?.to_bytes();
    Ok(Response::new(Full::from(body.len().to_string())))
}

async fn sent(request: Request<ReplayBody<Upload>>, hedge: Other) -> Result<Response<Full<Bytes>>, BoxError> {
    match hedge {
        _ if !Attempt::of(&request).is_hedge() => read(request).await,
        Other::Fails => {
            sleep(ms(100)).await;
            Err(io::Error::from(io::ErrorKind::ConnectionRefused).into())
        }
        Other::Hangs => {
            let _request = request;
            std::future::pending().await
        }
        Other::ReadsAndHangs => {
            read(request).await?;
            std::future::pending().await
        }
    }
}

/// The hedge had it kept for itself, and the healthy first attempt's upload broke off.
#[tokio::test(start_paused = true)]
async fn t27_a_hedge_takes_nothing_of_a_long_body_from_the_first_attempt() {
    for other in [Other::Fails, Other::Hangs, Other::ReadsAndHangs] {
        let hedge = hedge().build().unwrap();
        let service = HedgeLayer::new(hedge.clone())
            .http_client()
            .layer(service_fn(move |request| sent(request, other)));
        let upload = Request::put("/stock").body(Upload(0, Box::pin(sleep(ms(10))))).unwrap();

        let answer = timeout(ms(1000), service.oneshot(upload)).await;

        let answer = answer.unwrap_or_else(|_| panic!("{other:?}: it hangs"));
        let body = answer.unwrap_or_else(|error| panic!("{other:?}: {error}")).into_body();
        assert_eq!(body.collect().await.unwrap().to_bytes(), (CHUNKS * CHUNK).to_string(), "{other:?}");
        assert_eq!(hedge.status().sent, 1, "{other:?}");
    }
}

/// Whoever is alone reads on: here the hedge, which has answered before the upload has ended.
#[tokio::test(start_paused = true)]
async fn a_hedge_that_has_won_reads_a_long_body_to_its_end() {
    let service = HedgeLayer::new(hedge().build().unwrap()).http_client().layer(service_fn(
        |request: Request<ReplayBody<Upload>>| async move {
            if !Attempt::of(&request).is_hedge() {
                let _request = request;
                std::future::pending::<()>().await;
                unreachable!()
            }
            Ok::<_, BoxError>(Response::new(request.into_body()))
        },
    ));
    let upload = Request::put("/stock").body(Upload(0, Box::pin(sleep(ms(10))))).unwrap();
    let echo = service.oneshot(upload).await.unwrap().into_body();
    assert_eq!(echo.collect().await.unwrap().to_bytes().len(), CHUNKS * CHUNK);
}
