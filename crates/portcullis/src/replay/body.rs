//! The body of an attempt.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::tape::{Position, Tape};
use crate::BoxError;

/// The body of one attempt: the same bytes, trailers and length each time.
///
/// The inner body is read once and as it is needed; several attempts may read at the same time. An inner
/// service that takes one type of body only, such as tonic's `Channel`, gets that by
/// [`rebody`](crate::RetryLayer::rebody).
pub struct ReplayBody<B>(Source<B>);

enum Source<B> {
    Empty,
    Whole(B),
    Taped { tape: Arc<Mutex<Tape<B>>>, at: Position },
}

fn lock<B>(tape: &Mutex<Tape<B>>) -> MutexGuard<'_, Tape<B>> {
    tape.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<B> ReplayBody<B> {
    pub(super) fn empty() -> Self {
        Self(Source::Empty)
    }

    /// A body that is sent once; for requests that do not come through a retry, such as a probe's.
    pub fn new(body: B) -> Self {
        Self(Source::Whole(body))
    }

    pub(super) fn taped(tape: Arc<Mutex<Tape<B>>>) -> Self {
        Self(Source::Taped { tape, at: Position::default() })
    }
}

impl<B: Body<Data = Bytes>> ReplayBody<B> {
    /// The body from its beginning, if it can still be had.
    pub(super) fn again(tape: &Arc<Mutex<Tape<B>>>) -> Option<Self> {
        Self::from_beginning(tape, Tape::begin)
    }

    /// The same for an attempt that takes nothing from the others.
    pub(super) fn beside(tape: &Arc<Mutex<Tape<B>>>) -> Option<Self> {
        Self::from_beginning(tape, Tape::begin_beside)
    }

    fn from_beginning(
        tape: &Arc<Mutex<Tape<B>>>,
        begin: impl FnOnce(&mut Tape<B>) -> Option<Position>,
    ) -> Option<Self> {
        let at = begin(&mut lock(tape))?;
        Some(Self(Source::Taped { tape: tape.clone(), at }))
    }
}

impl<B> Body for ReplayBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Source::Empty => Poll::Ready(None),
            Source::Whole(body) => {
                Pin::new(body).poll_frame(cx).map(|frame| frame.map(|frame| frame.map_err(Into::into)))
            }
            Source::Taped { tape, at } => {
                let mut others = Vec::new();
                at.look_around(Arc::strong_count(tape));
                let frame = lock(tape).poll_frame(at, cx, &mut others);
                // Only now: who is woken may look at this very tape.
                others.into_iter().for_each(Waker::wake);
                frame
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Empty => true,
            Source::Whole(body) => body.is_end_stream(),
            Source::Taped { tape, at } => lock(tape).is_end(at),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Empty => SizeHint::with_exact(0),
            Source::Whole(body) => body.size_hint(),
            Source::Taped { tape, at } => lock(tape).hint(at),
        }
    }
}

impl<B> fmt::Debug for ReplayBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match &self.0 {
            Source::Empty => "Empty",
            Source::Whole(_) => "Whole",
            Source::Taped { .. } => "Taped",
        };
        f.debug_tuple("ReplayBody").field(&source).finish()
    }
}
