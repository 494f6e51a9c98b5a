//! Sending an HTTP request more than once.

use std::sync::{Arc, Mutex};

use ::http::{HeaderName, HeaderValue, Request, request::Parts};
use bytes::Bytes;
use http_body::Body;

use super::{Replay, ReplayBody, tape::Tape};
use crate::{
    BoxError,
    protocol::{Attempt, Tried},
};

/// As much as most requests need, and little enough to keep for each call in flight.
pub const DEFAULT_MAX_BUFFERED: usize = 64 * 1024;

/// Put into a request's extensions, it says that the request may be processed twice.
///
/// ```
/// use portcullis::retry::Idempotent;
///
/// let mut request = http::Request::post("/orders/17/confirm").body(()).unwrap();
/// request.extensions_mut().insert(Idempotent);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Idempotent;

/// Sends HTTP requests again: the head is cloned, the body is kept while it is sent, up to a cap.
///
/// A body over the cap goes through as it is and the request is sent once. Of an empty body nothing is
/// kept. Requests with an idempotent method (RFC 9110, section 9.2.2), with an `Idempotency-Key` header or
/// with the extension [`Idempotent`] are idempotent.
#[derive(Clone, Debug)]
pub struct HttpReplay<M = ()> {
    max_buffered: usize,
    rebody: M,
    /// Behind a reference, because it is cloned into each call.
    attempt_header: Option<Arc<HeaderName>>,
    avoid_tried: bool,
}

impl Default for HttpReplay {
    fn default() -> Self {
        Self { max_buffered: DEFAULT_MAX_BUFFERED, rebody: (), attempt_header: None, avoid_tried: false }
    }
}

impl<M> HttpReplay<M> {
    /// Keeps at most this many bytes of a body (default 64 KiB).
    #[must_use]
    pub fn max_buffered(mut self, bytes: usize) -> Self {
        self.max_buffered = bytes;
        self
    }

    /// Turns the body that is sent into another, for inner services that want one of their own; see
    /// [`Rebody`].
    pub fn rebody<N>(self, rebody: N) -> HttpReplay<N> {
        let Self { max_buffered, attempt_header, avoid_tried, .. } = self;
        HttpReplay { max_buffered, rebody, attempt_header, avoid_tried }
    }

    /// Tells in this header of every attempt after the first how many were made before it (default: none
    /// does).
    #[must_use]
    pub fn attempt_header(mut self, name: HeaderName) -> Self {
        self.attempt_header = Some(Arc::new(name));
        self
    }

    /// Lets a balancer below know which endpoints were tried, by [`Tried`] in the extensions (default: off).
    #[must_use]
    pub fn avoid_tried(mut self) -> Self {
        self.avoid_tried = true;
        self
    }
}

/// Turns a [`ReplayBody`] into the body that the inner service wants: `()` leaves it as it is, and a
/// closure such as `axum::body::Body::new` wraps it.
pub trait Rebody<B> {
    /// The body that the inner service wants.
    type Body;

    /// Makes it.
    fn rebody(&self, body: ReplayBody<B>) -> Self::Body;
}

impl<B> Rebody<B> for () {
    type Body = ReplayBody<B>;

    fn rebody(&self, body: ReplayBody<B>) -> ReplayBody<B> {
        body
    }
}

impl<B, C, F: Fn(ReplayBody<B>) -> C> Rebody<B> for F {
    type Body = C;

    fn rebody(&self, body: ReplayBody<B>) -> C {
        self(body)
    }
}

/// What is kept of a request.
#[derive(Debug)]
pub struct Kept<B> {
    parts: Parts,
    body: KeptBody<B>,
}

#[derive(Debug)]
enum KeptBody<B> {
    Empty,
    Taped(Arc<Mutex<Tape<B>>>),
    TooLong,
}

impl<B, M> Replay<Request<B>> for HttpReplay<M>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
    M: Rebody<B>,
{
    type Request = Request<M::Body>;
    type Kept = Kept<B>;

    fn is_idempotent(&self, request: &Request<B>) -> bool {
        request.method().is_idempotent()
            || request.headers().contains_key("idempotency-key")
            || request.extensions().get::<Idempotent>().is_some()
    }

    fn first(&self, request: Request<B>) -> (Self::Request, Kept<B>) {
        let (mut parts, body) = request.into_parts();
        if self.avoid_tried {
            // There may be one of a retry above, which knows more.
            parts.extensions.get_or_insert_default::<Tried>();
        }
        let (body, kept) = self.keep(body);
        let request = Request::from_parts(parts.clone(), self.rebody.rebody(body));
        (request, Kept { parts, body: kept })
    }

    fn again(&self, kept: &Kept<B>) -> Option<Self::Request> {
        self.taken_from(kept, ReplayBody::again)
    }

    fn beside(&self, kept: &Kept<B>) -> Option<Self::Request> {
        self.taken_from(kept, ReplayBody::beside)
    }

    fn once(&self, request: Request<B>) -> Self::Request {
        request.map(|body| self.rebody.rebody(ReplayBody::new(body)))
    }

    fn mark(&self, request: &mut Self::Request, attempt: Attempt) {
        if let Some(name) = &self.attempt_header {
            request.headers_mut().insert(&**name, HeaderValue::from(attempt.number().saturating_sub(1)));
        }
    }
}

impl<M> HttpReplay<M> {
    /// A further request, with what `read` makes of a tape.
    fn taken_from<B>(
        &self,
        kept: &Kept<B>,
        read: impl FnOnce(&Arc<Mutex<Tape<B>>>) -> Option<ReplayBody<B>>,
    ) -> Option<Request<M::Body>>
    where
        M: Rebody<B>,
    {
        let body = match &kept.body {
            KeptBody::Empty => ReplayBody::empty(),
            KeptBody::Taped(tape) => read(tape)?,
            KeptBody::TooLong => return None,
        };
        Some(Request::from_parts(kept.parts.clone(), self.rebody.rebody(body)))
    }

    fn keep<B: Body<Data = Bytes>>(&self, body: B) -> (ReplayBody<B>, KeptBody<B>) {
        if body.is_end_stream() {
            (ReplayBody::new(body), KeptBody::Empty)
        } else if body.size_hint().lower() > self.max_buffered as u64 {
            (ReplayBody::new(body), KeptBody::TooLong)
        } else {
            let tape = Arc::new(Mutex::new(Tape::new(body, self.max_buffered)));
            (ReplayBody::taped(tape.clone()), KeptBody::Taped(tape))
        }
    }
}
