//! The body of a response: the inner one with a ticket, or the bytes of a refusal.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::http::HeaderMap;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use portcullis_core::{Failure, FailureKind, Rejection, Verdict};

use super::{Wire, refusal, status};
use crate::{
    BoxError, Ticket,
    protocol::{judge_error, watched_inside},
};

pin_project! {
    /// The body of a response that went through a layer.
    ///
    /// It gives what the inner body gives, and holds the ticket until the body has ended, failed or
    /// been dropped. Or it is the body of a refusal.
    #[derive(Debug)]
    pub struct ResponseBody<B, T: Ticket> {
        #[pin]
        state: State<B>,
        guard: Guard<T>,
        // What was read and is not to be seen yet. Boxed, because it is seldom there.
        held: Option<Box<Frame<Bytes>>>,
    }

    impl<B, T: Ticket> PinnedDrop for ResponseBody<B, T> {
        // Inside of what was around each poll.
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(ticket) = &mut this.guard.ticket {
                ticket.inside(|| this.state.set(State::Own { bytes: None }));
            }
        }
    }
}

pin_project! {
    #[project = StateProj]
    #[project_replace = StateOwned]
    #[derive(Debug)]
    enum State<B> {
        Inner { #[pin] body: B },
        Own { bytes: Option<Bytes> },
    }
}

/// How the ticket will be settled.
#[derive(Debug)]
pub(super) enum Rest {
    /// It is settled, and only kept until the body ends.
    Known,
    /// As a success, unless the body fails. A reader that has seen enough may drop the body.
    Success,
    /// By the trailers. A reader that drops the body first learns nothing.
    Trailers,
}

/// The ticket, settled at the latest when it is dropped.
#[derive(Debug)]
struct Guard<T: Ticket> {
    ticket: Option<T>,
    rest: Rest,
    wire: Wire,
}

impl<T: Ticket> Guard<T> {
    fn settle(&mut self, verdict: Verdict) {
        self.ticket.settle(verdict);
        self.rest = Rest::Known;
    }

    /// The body ended as it should.
    fn end(&mut self) {
        match self.rest {
            Rest::Known => {}
            Rest::Success => self.settle(Verdict::Success),
            Rest::Trailers => self.settle(status::no_grpc_status()),
        }
        self.ticket = None;
    }
}

impl<T: Ticket> Drop for Guard<T> {
    fn drop(&mut self) {
        if let Rest::Success = self.rest {
            self.settle(Verdict::Success);
        }
    }
}

impl<B, T: Ticket> ResponseBody<B, T> {
    pub(crate) fn full(bytes: Bytes) -> Self {
        let guard = Guard { ticket: None, rest: Rest::Known, wire: Wire::Http };
        Self { state: State::Own { bytes: Some(bytes) }, guard, held: None }
    }

    /// The inner body, without a ticket.
    #[inline]
    pub(crate) fn inner(body: B) -> Self {
        let guard = Guard { ticket: None, rest: Rest::Known, wire: Wire::Http };
        Self { state: State::Inner { body }, guard, held: None }
    }
}

/// An empty body, with which layers of others answer.
impl<B, T: Ticket> Default for ResponseBody<B, T> {
    fn default() -> Self {
        Self::full(Bytes::new())
    }
}

impl<B: Body, T: Ticket> ResponseBody<B, T> {
    /// The inner body, with the ticket for as long as it lasts.
    #[inline]
    pub(super) fn guarded(body: B, ticket: T, rest: Rest, wire: Wire) -> Self {
        let mut guard = Guard { ticket: Some(ticket), rest, wire };
        // Nobody asks an empty body for frames.
        if body.is_end_stream() {
            guard.end();
        }
        Self { state: State::Inner { body }, guard, held: None }
    }
}

impl<B, T> Body for ResponseBody<B, T>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
    T: Ticket,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        let body = match this.state.as_mut().project() {
            StateProj::Inner { body } => body,
            StateProj::Own { bytes } => {
                let bytes = bytes.take().filter(|bytes| !bytes.is_empty());
                return Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))));
            }
        };
        // Nobody is told of what goes by.
        if this.guard.ticket.is_none() && this.held.is_none() {
            return body.poll_frame(cx).map_err(Into::into);
        }
        if this.held.is_some() {
            ready!(this.guard.ticket.poll_paced(cx));
            let frame = this.held.take().map(|frame| Ok(*frame));
            this.guard.see(&frame, body.is_end_stream());
            return Poll::Ready(frame);
        }
        let frame = watched_inside(&mut this.guard.ticket, || body.poll_frame(cx));
        let ended =
            matches!(this.state.as_mut().project(), StateProj::Inner { body } if body.is_end_stream());
        if let Some(rejection) = this.guard.poll_cut(&frame, ended, cx) {
            let end = this.guard.cut(&rejection);
            this.state.set(State::Own { bytes: None });
            return Poll::Ready(Some(end.ok_or_else(|| rejection.into())));
        }
        let frame = ready!(frame).map(|frame| frame.map_err(Into::into));
        if this.guard.ticket.poll_paced(cx).is_pending() {
            if let Some(Ok(early)) = frame {
                *this.held = Some(Box::new(early));
                return Poll::Pending;
            }
        }
        this.guard.see(&frame, ended);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::Inner { body } => self.held.is_none() && body.is_end_stream(),
            State::Own { bytes } => bytes.as_ref().is_none_or(Bytes::is_empty),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Inner { body } => with_held(body.size_hint(), self.held.as_deref()),
            State::Own { bytes } => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
        }
    }
}

/// The size of what is still to be read, with what was read and not seen.
fn with_held(hint: SizeHint, held: Option<&Frame<Bytes>>) -> SizeHint {
    let Some(data) = held.and_then(Frame::data_ref) else { return hint };
    let held = data.len() as u64;
    let mut with = SizeHint::new();
    with.set_lower(hint.lower().saturating_add(held));
    if let Some(upper) = hint.upper() {
        with.set_upper(upper.saturating_add(held));
    }
    with
}

/// Whether there is more to come, which can be cut; the end wins over a ticket that is revoked.
fn goes_on<E>(frame: &Poll<Option<Result<Frame<Bytes>, E>>>, ended: bool) -> bool {
    match frame {
        Poll::Pending => true,
        Poll::Ready(Some(Ok(frame))) => frame.is_data() && !ended,
        Poll::Ready(_) => false,
    }
}

impl<T: Ticket> Guard<T> {
    fn see(&mut self, frame: &Option<Result<Frame<Bytes>, BoxError>>, ended: bool) {
        match frame {
            Some(Err(error)) => {
                let verdict = match judge_error(&**error) {
                    Verdict::Failure(failure) if failure.kind == FailureKind::Other => {
                        Failure::new(FailureKind::Network).into()
                    }
                    verdict => verdict,
                };
                self.settle(verdict);
                self.ticket = None;
            }
            Some(Ok(frame)) => {
                // After the trailers nobody asks again.
                if let (Rest::Trailers, Some(trailers)) = (&self.rest, frame.trailers_ref()) {
                    self.settle(status::judge_trailers(trailers));
                    self.ticket = None;
                } else if ended && !matches!(self.rest, Rest::Trailers) {
                    self.end();
                }
            }
            None => self.end(),
        }
    }

    /// Why the body is to end before this frame, if it is.
    fn poll_cut<E>(
        &mut self,
        frame: &Poll<Option<Result<Frame<Bytes>, E>>>,
        ended: bool,
        cx: &mut Context<'_>,
    ) -> Option<Rejection> {
        if goes_on(frame, ended) {
            if let Poll::Ready(rejection) = self.ticket.poll_revoked(cx) {
                return Some(rejection);
            }
        }
        match frame {
            Poll::Ready(Some(Ok(frame))) => self.ticket.frame(frame.data_ref()?.len()),
            _ => None,
        }
    }

    /// Ends the body before its time: gRPC by a status in the trailers, HTTP by an error.
    fn cut(&mut self, rejection: &Rejection) -> Option<Frame<Bytes>> {
        self.settle(rejection.verdict());
        self.ticket = None;
        (self.wire == Wire::Grpc).then(|| {
            let mut trailers = HeaderMap::new();
            refusal::status_headers(rejection, &mut trailers);
            Frame::trailers(trailers)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use portcullis_core::{Name, Reason, TimeoutScope};

    use super::*;
    use crate::{Grpc, Protocol};

    /// A ticket that ends the body at once.
    struct Revoked;

    impl Ticket for Revoked {
        fn settle(&mut self, _: Verdict) {}

        fn poll_revoked(&mut self, _: &mut Context<'_>) -> Poll<Rejection> {
            let limit = std::time::Duration::from_secs(1);
            let reason = Reason::Timeout { scope: TimeoutScope::Total, limit, sent: true };
            Poll::Ready(Rejection::new(Name::from("x"), reason))
        }
    }

    /// A body that waits.
    struct Silent;

    impl Body for Silent {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            Poll::Pending
        }
    }

    type Request = ::http::Request<()>;
    type Response<B> = ::http::Response<B>;

    type Guarded = Response<ResponseBody<Silent, Revoked>>;

    /// The first frame of a body that waits and whose time is over.
    fn cut<P>(protocol: P) -> Result<Frame<Bytes>, BoxError>
    where
        P: Protocol<Request, Response<Silent>, BoxError, Response<Revoked> = Guarded>,
    {
        let context = protocol.context(&Request::default());
        let response = protocol.complete(context, Response::new(Silent), Some(Revoked));
        let mut body = std::pin::pin!(response.into_body());
        match body.as_mut().poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(frame)) => frame,
            _ => panic!("not cut"),
        }
    }

    #[test]
    fn a_grpc_stream_is_cut_by_a_status_whoever_judged_its_head() {
        for verdict in [None, Some(Verdict::Success), Some(Verdict::Ignored)] {
            let judged = Grpc::default().classify(move |_: Result<&super::super::Head<'_>, &_>| verdict);
            let trailers = cut(judged).unwrap().into_trailers().unwrap();
            assert_eq!(trailers["grpc-status"], "4", "{verdict:?}");
        }
    }

    #[test]
    fn http_is_cut_by_an_error() {
        let error = cut(crate::HttpClient::default()).unwrap_err();
        assert!(error.is::<Rejection>());
    }

    /// A body that is always ready, and ends after so many frames.
    struct Torrent(u32);

    impl Body for Torrent {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            self.0 -= 1;
            Poll::Ready(Some(Ok(Frame::data(Bytes::from("data")))))
        }

        fn is_end_stream(&self) -> bool {
            self.0 == 0
        }
    }

    /// A stream that never waits would outlive its deadline; an answer that is all there wins the tie.
    #[test]
    fn a_body_is_cut_before_its_end_and_not_at_it() {
        for (frames, whole) in [(2, false), (1, true)] {
            let body = ResponseBody::guarded(Torrent(frames), Revoked, Rest::Known, Wire::Http);
            let mut body = std::pin::pin!(body);
            let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut Context::from_waker(Waker::noop()))
            else {
                panic!("it is always ready")
            };
            assert_eq!(frame.is_ok(), whole, "{frames} frames");
        }
    }

    /// tower-http's layers answer with one of these.
    #[test]
    fn there_is_an_empty_one() {
        let body = ResponseBody::<Silent, Revoked>::default();
        assert!(body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(0));
    }
}
