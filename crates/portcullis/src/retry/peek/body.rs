//! A body of which a frame was read.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// A body with the frame that was read of it put back, as it was.
#[derive(Debug)]
pub struct PeekBody<B> {
    first: Option<Frame<Bytes>>,
    /// None when it has nothing more, and is not to be asked.
    rest: Option<B>,
}

impl<B> PeekBody<B> {
    pub(super) fn whole(body: B) -> Self {
        Self { first: None, rest: Some(body) }
    }

    pub(super) fn begun(first: Frame<Bytes>, rest: B) -> Self {
        Self { first: Some(first), rest: Some(rest) }
    }
}

/// An empty body, with which layers of others answer.
impl<B> Default for PeekBody<B> {
    fn default() -> Self {
        Self { first: None, rest: None }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for PeekBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        match &mut self.rest {
            Some(rest) => Pin::new(rest).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.rest.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint);
        let first = self.first.as_ref().and_then(Frame::data_ref).map_or(0, |data| data.len() as u64);
        let (lower, upper) = (hint.lower(), hint.upper());
        // The upper first: it may not be less than the lower at any time.
        if let Some(upper) = upper {
            hint.set_upper(upper.saturating_add(first));
        }
        hint.set_lower(lower.saturating_add(first));
        hint
    }
}
