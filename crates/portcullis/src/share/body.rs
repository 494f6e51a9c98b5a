//! The body of a response that may be shared.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use ::http::HeaderMap;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::BoxError;

/// A body that was read to its end.
#[derive(Debug, Default)]
pub(super) struct Whole {
    pub(super) chunks: Vec<Bytes>,
    pub(super) trailers: Option<HeaderMap>,
    pub(super) len: usize,
}

pin_project! {
    /// The body of a response that may be shared: the bytes that many have, or what was read of a body for one
    /// caller, and the rest of that.
    ///
    /// It gives the frames, the trailers and the length of the body it was made of.
    pub struct SharedBody<B> {
        #[pin]
        source: Source<B>,
    }
}

pin_project! {
    #[project = SourceProj]
    enum Source<B> {
        Whole {
            body: Arc<Whole>,
            // Frames that were given, the trailers among them.
            given: usize,
            left: usize,
        },
        Alone { #[pin] body: B },
        // Boxed, because it is seldom there.
        Rest { rest: Box<Rest<B>> },
    }
}

/// What was read of a body, and the error it ended in, or else the rest.
struct Rest<B> {
    read: VecDeque<Bytes>,
    left: usize,
    error: Option<BoxError>,
    body: Option<Pin<Box<B>>>,
}

impl<B> SharedBody<B> {
    pub(super) fn whole(body: Arc<Whole>) -> Self {
        let left = body.len;
        Self { source: Source::Whole { body, given: 0, left } }
    }

    /// A body for one caller, as it is.
    pub(super) fn alone(body: B) -> Self {
        Self { source: Source::Alone { body } }
    }

    /// What was read of a body, and the error it ended in, or else the rest.
    pub(super) fn rest(read: Vec<Bytes>, error: Option<BoxError>, body: Pin<Box<B>>) -> Self {
        let body = error.is_none().then_some(body);
        let left = read.iter().map(Bytes::len).sum();
        let rest = Box::new(Rest { read: read.into(), left, error, body });
        Self { source: Source::Rest { rest } }
    }
}

impl Whole {
    fn frame(&self, at: usize) -> Option<Frame<Bytes>> {
        match self.chunks.get(at) {
            Some(chunk) => Some(Frame::data(chunk.clone())),
            None if at == self.chunks.len() => self.trailers.clone().map(Frame::trailers),
            None => None,
        }
    }

    fn frames(&self) -> usize {
        self.chunks.len() + usize::from(self.trailers.is_some())
    }
}

impl<B> Body for SharedBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.project().source.project() {
            SourceProj::Whole { body, given, left } => {
                let Some(frame) = body.frame(*given) else { return Poll::Ready(None) };
                *given += 1;
                *left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
                Poll::Ready(Some(Ok(frame)))
            }
            SourceProj::Alone { body } => body.poll_frame(cx).map(|frame| frame.map(own)),
            SourceProj::Rest { rest } => rest.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Whole { body, given, .. } => *given >= body.frames(),
            Source::Alone { body } => body.is_end_stream(),
            Source::Rest { rest } => {
                let ended = rest.body.as_ref().is_none_or(|body| body.is_end_stream());
                rest.read.is_empty() && rest.error.is_none() && ended
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Whole { left, .. } => SizeHint::with_exact(*left as u64),
            Source::Alone { body } => body.size_hint(),
            Source::Rest { rest } => rest.size_hint(),
        }
    }
}

fn own<E: Into<BoxError>>(frame: Result<Frame<Bytes>, E>) -> Result<Frame<Bytes>, BoxError> {
    frame.map_err(Into::into)
}

impl<B> Rest<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(chunk) = self.read.pop_front() {
            self.left = self.left.saturating_sub(chunk.len());
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        if let Some(error) = self.error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        body.as_mut().poll_frame(cx).map(|frame| frame.map(own))
    }

    fn size_hint(&self) -> SizeHint {
        // Of a body that failed, nobody knows how long it should have been.
        let rest = self.body.as_ref().map_or_else(SizeHint::default, |body| body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(self.left as u64));
        if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(self.left as u64)) {
            hint.set_upper(upper);
        }
        hint
    }
}

/// An empty body, with which layers of others answer.
impl<B> Default for SharedBody<B> {
    fn default() -> Self {
        Self::whole(Arc::default())
    }
}

impl<B> fmt::Debug for SharedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match &self.source {
            Source::Whole { .. } => "Whole",
            Source::Alone { .. } => "Alone",
            Source::Rest { .. } => "Rest",
        };
        f.debug_tuple("SharedBody").field(&source).finish()
    }
}
