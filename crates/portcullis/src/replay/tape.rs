//! A body, and what has been read of it.

use std::{
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll, Waker, ready},
};

use ::http::HeaderMap;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::waiting::Waiting;
use crate::BoxError;

/// Where a reader stands on a tape.
#[derive(Debug, Default)]
pub(super) struct Position {
    frames: usize,
    bytes: u64,
    trailers: bool,
    /// Held by the readers of further attempts; the first has none.
    attempt: Option<Arc<()>>,
    /// Held by the readers who are beside others.
    beside: Option<Arc<()>>,
    /// Whether such others were seen.
    beside_others: bool,
}

/// A body, and what has been read of it, as long as that is within the cap.
#[derive(Debug)]
pub(super) struct Tape<B> {
    body: B,
    hint: SizeHint,
    /// Data frames that were read; empty once `Capped`.
    frames: Vec<Bytes>,
    read: usize,
    buffered: usize,
    cap: usize,
    trailers: Option<HeaderMap>,
    state: State,
    waiting: Arc<Waiting>,
    /// The attempt that began last.
    newest: Weak<()>,
    /// The readers who are beside others.
    beside: Weak<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Reading,
    /// More was read than may be kept: who has read all of it reads on, nobody can begin.
    Capped,
    Ended,
    Failed,
}

impl<B: Body<Data = Bytes>> Tape<B> {
    pub(super) fn new(body: B, cap: usize) -> Self {
        let hint = body.size_hint();
        Self {
            body,
            hint,
            frames: Vec::new(),
            read: 0,
            buffered: 0,
            cap,
            trailers: None,
            state: State::Reading,
            waiting: Arc::default(),
            newest: Weak::new(),
            beside: Weak::new(),
        }
    }

    /// The beginning, for a further attempt, as long as the body can be read from there.
    pub(super) fn begin(&mut self) -> Option<Position> {
        if !self.is_whole() {
            return None;
        }
        let attempt = Arc::new(());
        self.newest = Arc::downgrade(&attempt);
        Some(Position { attempt: Some(attempt), ..Position::default() })
    }

    /// The same for an attempt beside others: what is over the cap is theirs.
    pub(super) fn begin_beside(&mut self) -> Option<Position> {
        if !self.is_whole() {
            return None;
        }
        let beside = self.beside.upgrade().unwrap_or_default();
        self.beside = Arc::downgrade(&beside);
        Some(Position { beside: Some(beside), ..Position::default() })
    }

    /// Whether all is there that was read.
    fn is_whole(&self) -> bool {
        self.state != State::Failed && self.frames.len() == self.read
    }

    pub(super) fn is_end(&self, at: &Position) -> bool {
        at.frames == self.read
            && match self.state {
                State::Ended => self.trailers.is_none() || at.trailers,
                State::Reading | State::Capped => self.body.is_end_stream(),
                State::Failed => false,
            }
    }

    /// Whether this reader has to leave what is over the cap to another: to a later attempt that has begun and
    /// is not given up, or to those it is beside.
    fn is_over(&self, at: &Position) -> bool {
        if at.beside.is_some() {
            return at.beside_others;
        }
        self.newest.strong_count() > 0 && at.attempt.as_ref().map(Arc::as_ptr) != Some(self.newest.as_ptr())
    }

    /// What is still to come, by what the body said at its beginning.
    pub(super) fn hint(&self, at: &Position) -> SizeHint {
        let mut rest = SizeHint::new();
        if let Some(upper) = self.hint.upper() {
            rest.set_upper(upper.saturating_sub(at.bytes));
        }
        rest.set_lower(self.hint.lower().saturating_sub(at.bytes));
        rest
    }
}

impl<B> Tape<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    pub(super) fn poll_frame(
        &mut self,
        at: &mut Position,
        cx: &mut Context<'_>,
        others: &mut Vec<Waker>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if at.frames == self.read && matches!(self.state, State::Reading | State::Capped) {
            let over = self.is_over(at);
            if over && self.buffered > self.cap {
                return Poll::Ready(Some(Err("the request's body is being read by another attempt".into())));
            }
            let frame = ready!(self.poll_body(over, cx));
            *others = self.waiting.take_others(cx.waker());
            match frame {
                Ok(Some(data)) => {
                    at.advance(&data);
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Ok(None) => {}
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
        Poll::Ready(self.replay(at))
    }

    /// The next of what was read before, or the end.
    fn replay(&self, at: &mut Position) -> Option<Result<Frame<Bytes>, BoxError>> {
        if let Some(data) = self.frames.get(at.frames) {
            at.advance(data);
            return Some(Ok(Frame::data(data.clone())));
        }
        if at.frames < self.read || self.state == State::Failed {
            return Some(Err("the request's body cannot be read again".into()));
        }
        let trailers = self.trailers.clone().filter(|_| !at.trailers)?;
        at.trailers = true;
        Some(Ok(Frame::trailers(trailers)))
    }

    /// Reads on: data, or `None` when the end or the trailers were reached.
    fn poll_body(&mut self, over: bool, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, BoxError>> {
        self.waiting.add(cx.waker());
        let waker = Waker::from(self.waiting.clone());
        let frame = ready!(Pin::new(&mut self.body).poll_frame(&mut Context::from_waker(&waker)));
        Poll::Ready(match frame {
            None => {
                self.state = State::Ended;
                Ok(None)
            }
            Some(Err(error)) => {
                self.state = State::Failed;
                Err(error.into())
            }
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => {
                    self.record(&data, over);
                    Ok(Some(data))
                }
                Err(other) => {
                    self.trailers = other.into_trailers().ok();
                    self.state = State::Ended;
                    Ok(None)
                }
            },
        })
    }

    /// Who is over may not take from another what is over the cap: it is kept for that one.
    fn record(&mut self, data: &Bytes, over: bool) {
        self.read += 1;
        // An empty frame takes room too: a body of nothing else must come to an end.
        self.buffered = self.buffered.saturating_add(data.len().max(1));
        if self.buffered > self.cap && !over {
            self.state = State::Capped;
            self.frames = Vec::new();
        } else {
            self.frames.push(data.clone());
        }
    }
}

impl Position {
    /// Looks for others, besides whom it is, among those who hold the tape: one of them is the call itself, as
    /// long as more attempts may come.
    pub(super) fn look_around(&mut self, holders: usize) {
        let others = |beside| holders.saturating_sub(Arc::strong_count(beside)) > 1;
        self.beside_others = self.beside.as_ref().is_some_and(others);
    }

    fn advance(&mut self, data: &Bytes) {
        self.frames += 1;
        self.bytes += data.len() as u64;
    }
}

#[cfg(test)]
mod tests;
