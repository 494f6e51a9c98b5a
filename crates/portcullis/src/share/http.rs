//! Responses of HTTP.

use std::{fmt, sync::Arc};

use ::http::{HeaderMap, HeaderValue, Response, StatusCode, header, response::Parts};
use bytes::Bytes;
use http_body::Body;

use super::{Collected, Collecting, Share, ShareError, SharedBody, SharedError, Unshared, body::Whole};
use crate::{BoxError, Grpc, HttpClient, HttpServer, protocol::CallError};

/// A response whose body was read: the head, the bytes, and the trailers. Clones are the same memory.
#[derive(Clone)]
pub struct SharedResponse {
    head: Arc<Parts>,
    body: Arc<Whole>,
}

impl SharedResponse {
    pub(super) fn new(head: Parts, body: Whole) -> Self {
        Self { head: Arc::new(head), body: Arc::new(body) }
    }

    /// The head: status, headers, version, extensions.
    pub fn head(&self) -> &Parts {
        &self.head
    }

    /// The same body with another head.
    #[must_use]
    pub fn with_head(&self, head: Parts) -> Self {
        Self { head: Arc::new(head), body: self.body.clone() }
    }

    /// The trailers, if there were any.
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.body.trailers.as_ref()
    }

    /// How long the body is, in bytes.
    pub fn body_len(&self) -> usize {
        self.body.len
    }

    /// About how much memory it holds, in bytes.
    pub fn size(&self) -> usize {
        let headers = |headers: &HeaderMap| -> usize {
            headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
        };
        let trailers = self.body.trailers.as_ref().map_or(0, headers);
        size_of::<Parts>() + size_of::<Whole>() + headers(&self.head.headers) + trailers + self.body.len
    }

    /// A response for one caller.
    pub fn into_response<B>(self) -> Response<SharedBody<B>> {
        let Self { head, body } = self;
        Response::from_parts(Arc::unwrap_or_clone(head), SharedBody::whole(body))
    }
}

impl fmt::Debug for SharedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (status, body_len) = (self.head.status, self.body_len());
        f.debug_struct("SharedResponse").field("status", &status).field("body_len", &body_len).finish()
    }
}

/// Why this response cannot be shared, as far as its head tells.
pub(super) fn unshared<B: Body>(response: &Response<B>, max_body: usize) -> Option<Unshared> {
    let is_event_stream = |value: &HeaderValue| {
        value.as_bytes().get(..17).is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/event-stream"))
    };
    let kind = response.headers().get(header::CONTENT_TYPE);
    if response.status() == StatusCode::SWITCHING_PROTOCOLS || kind.is_some_and(is_event_stream) {
        Some(Unshared::Endless)
    } else if response.headers().contains_key(header::SET_COOKIE) {
        Some(Unshared::Personal)
    } else if response.body().size_hint().lower() > max_body as u64 {
        Some(Unshared::TooLarge)
    } else {
        None
    }
}

macro_rules! shares_bodies {
    ($($protocol:ident),+) => {$(
        #[diagnostic::do_not_recommend]
        impl<C, B> Share<Response<B>> for $protocol<C>
        where
            B: Body<Data = Bytes>,
            B::Error: Into<BoxError>,
        {
            type Response = Response<SharedBody<B>>;
            type Shared = SharedResponse;
            type Collecting = Collecting<B>;

            fn collect(&self, response: Response<B>, max_body: usize) -> Collecting<B> {
                Collecting::new(response, max_body)
            }

            fn alone(&self, response: Response<B>) -> Self::Response {
                response.map(SharedBody::alone)
            }

            fn open(&self, shared: SharedResponse) -> Self::Response {
                shared.into_response()
            }

            fn size(shared: &SharedResponse) -> usize {
                shared.size()
            }
        }
    )+};
}

shares_bodies!(HttpClient, HttpServer, Grpc);

impl<C> ShareError<BoxError> for HttpClient<C> {
    type Shared = SharedError;

    fn share(&self, error: BoxError) -> SharedError {
        SharedError::new(error)
    }

    fn open(&self, shared: SharedError) -> BoxError {
        shared.into_boxed()
    }
}

impl<C> ShareError<CallError> for Grpc<C> {
    type Shared = SharedError;

    fn share(&self, error: CallError) -> SharedError {
        SharedError::new(error.into_inner())
    }

    fn open(&self, shared: SharedError) -> CallError {
        CallError::new(shared.into_boxed())
    }
}

#[diagnostic::do_not_recommend]
impl<C, Err: Clone + Send + Sync + 'static> ShareError<Err> for HttpServer<C> {
    type Shared = Err;

    fn share(&self, error: Err) -> Err {
        error
    }

    fn open(&self, shared: Err) -> Err {
        shared
    }
}

/// What a collected response is.
pub(super) type Answer<B> = Collected<Response<SharedBody<B>>, SharedResponse>;
