//! The response future of a peek.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::http::{HeaderMap, Response, StatusCode, response::Parts};
use bytes::Bytes;
use http_body::{Body, Frame};
use pin_project_lite::pin_project;

use super::PeekBody;
use crate::{BoxError, protocol::CallError};

const GRPC_STATUS: &str = "grpc-status";

pin_project! {
    /// The response future of [`PeekService`](super::PeekService).
    ///
    /// Dropping it drops the call, or the answer that has begun.
    pub struct ResponseFuture<F, B> {
        #[pin]
        state: State<F, B>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, B> {
        /// The head is awaited.
        Called { #[pin] inner: F },
        /// What follows it is.
        Peeking { answer: Option<(Parts, B)> },
    }
}

impl<F, B> ResponseFuture<F, B> {
    pub(super) fn new(inner: F) -> Self {
        Self { state: State::Called { inner } }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<PeekBody<B>>, CallError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                StateProj::Called { inner } => {
                    let response = ready!(inner.poll(cx)).map_err(CallError::new)?;
                    if is_decided(&response) {
                        return Poll::Ready(Ok(response.map(PeekBody::whole)));
                    }
                    // Called => Peeking
                    state.set(State::Peeking { answer: Some(response.into_parts()) });
                }
                StateProj::Peeking { answer } => {
                    let Some((_, body)) = answer else { return Poll::Pending }; // polled after it was ready
                    let first = ready!(poll_first(body, cx));
                    let Some((parts, body)) = answer.take() else { return Poll::Pending };
                    return Poll::Ready(committed(parts, first, body));
                }
            }
        }
    }
}

/// Whether the head says how the call ends, or nothing follows it, or it is no gRPC that follows.
fn is_decided<B: Body>(response: &Response<B>) -> bool {
    response.headers().contains_key(GRPC_STATUS)
        || response.status() != StatusCode::OK
        || response.body().is_end_stream()
}

/// What a body gives first, but for frames without any data: those are no part of a message.
fn poll_first<B>(body: &mut B, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>>
where
    B: Body<Data = Bytes> + Unpin,
{
    loop {
        let first = ready!(Pin::new(&mut *body).poll_frame(cx));
        match &first {
            Some(Ok(frame)) if frame.data_ref().is_some_and(Bytes::is_empty) => {}
            _ => return Poll::Ready(first),
        }
    }
}

/// The answer by what comes first of its body. An error before any message is that of the call.
fn committed<B>(
    mut parts: Parts,
    first: Option<Result<Frame<Bytes>, B::Error>>,
    rest: B,
) -> Result<Response<PeekBody<B>>, CallError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let body = match first {
        None => PeekBody::default(),
        Some(Err(error)) => return Err(CallError::new(error)),
        Some(Ok(frame)) => match failed(frame) {
            Ok(trailers) => {
                parts.headers.extend(trailers);
                PeekBody::default()
            }
            Err(frame) => PeekBody::begun(frame, rest),
        },
    };
    Ok(Response::from_parts(parts, body))
}

/// The trailers of a call that failed, or the frame, which is something else. The trailers of a success stay
/// where the caller looks for them.
fn failed(frame: Frame<Bytes>) -> Result<HeaderMap, Frame<Bytes>> {
    let trailers = frame.into_trailers()?;
    match trailers.get(GRPC_STATUS) {
        Some(status) if status != "0" => Ok(trailers),
        _ => Err(Frame::trailers(trailers)),
    }
}

impl<F, B> fmt::Debug for ResponseFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("peek::ResponseFuture").finish_non_exhaustive()
    }
}
