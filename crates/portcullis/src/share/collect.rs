//! Reading a body to its end.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::http::{Response, response::Parts};
use bytes::Bytes;
use http_body::Body;

use super::{
    Collected, SharedBody, SharedResponse, Unshared,
    body::Whole,
    http::{Answer, unshared},
};
use crate::BoxError;

/// Reads the body of a response, up to a cap. Dropping it drops the response.
pub struct Collecting<B>(State<B>);

enum State<B> {
    /// Known from the head to be for one alone.
    Unread(Response<B>, Unshared),
    Reading {
        head: Parts,
        // Boxed, because it moves on when it is too long.
        body: Pin<Box<B>>,
        read: Whole,
        max_body: usize,
    },
    Done,
}

/// What is pinned is in a box; a body that is not read is not polled here.
impl<B> Unpin for Collecting<B> {}

impl<B: Body> Collecting<B> {
    pub(super) fn new(response: Response<B>, max_body: usize) -> Self {
        if let Some(why) = unshared(&response, max_body) {
            return Self(State::Unread(response, why));
        }
        let (head, body) = response.into_parts();
        Self(State::Reading { head, body: Box::pin(body), read: Whole::default(), max_body })
    }
}

impl<B> Future for Collecting<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Output = Answer<B>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer<B>> {
        let end = match &mut self.0 {
            State::Reading { body, read, max_body, .. } => {
                ready!(poll_read(body.as_mut(), read, *max_body, cx))
            }
            State::Unread(..) => None,
            State::Done => return Poll::Pending, // polled after it was ready
        };
        match (std::mem::replace(&mut self.0, State::Done), end) {
            (State::Unread(response, why), _) => {
                Poll::Ready(Collected::Only(response.map(SharedBody::alone), why))
            }
            (State::Reading { head, read, .. }, None) => {
                Poll::Ready(Collected::Shared(SharedResponse::new(head, read)))
            }
            (State::Reading { head, body, read, .. }, Some((why, error))) => {
                let body = SharedBody::rest(read.chunks, error, body);
                Poll::Ready(Collected::Only(Response::from_parts(head, body), why))
            }
            (State::Done, _) => Poll::Pending,
        }
    }
}

/// Why reading was given up, with the error that the body ended in.
type GivenUp = (Unshared, Option<BoxError>);

/// Ready with nothing when the body was read to its end.
fn poll_read<B>(
    mut body: Pin<&mut B>,
    read: &mut Whole,
    max_body: usize,
    cx: &mut Context<'_>,
) -> Poll<Option<GivenUp>>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    loop {
        let frame = match ready!(body.as_mut().poll_frame(cx)) {
            None => return Poll::Ready(None),
            Some(Err(error)) => return Poll::Ready(Some((Unshared::Failed, Some(error.into())))),
            Some(Ok(frame)) => frame,
        };
        match frame.into_data() {
            Ok(data) if data.is_empty() => {}
            Ok(data) => {
                read.len = read.len.saturating_add(data.len());
                read.chunks.push(data);
                if read.len > max_body {
                    return Poll::Ready(Some((Unshared::TooLarge, None)));
                }
            }
            // After the trailers nothing comes.
            Err(frame) => {
                read.trailers = frame.into_trailers().ok();
                return Poll::Ready(None);
            }
        }
    }
}

impl<B> fmt::Debug for Collecting<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collecting").finish_non_exhaustive()
    }
}
