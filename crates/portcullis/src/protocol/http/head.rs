//! What the protocols read of requests and responses.

use ::http::{Extensions, HeaderMap, Method, Request, Response, StatusCode, header::CONTENT_TYPE};

/// The head of a response, for judgements that need not know its body.
///
/// ```
/// use portcullis::{BoxError, Failure, FailureKind, HttpClient, Verdict, protocol::Head};
///
/// let protocol = HttpClient::default().classify(|result: Result<&Head<'_>, &BoxError>| match result {
///     Ok(head) if head.status == 418 => Some(Verdict::from(Failure::new(FailureKind::Unavailable))),
///     _ => None,
/// });
/// # let _ = protocol;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The extensions; a refusal of this library has its [`Rejection`](crate::Rejection) there.
    pub extensions: &'a Extensions,
}

impl<'a> Head<'a> {
    pub(crate) fn of<B>(response: &'a Response<B>) -> Self {
        Self { status: response.status(), headers: response.headers(), extensions: response.extensions() }
    }
}

/// What an answer to a request must be: gRPC, by the request's method and content type, or HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// HTTP.
    Http,
    /// HTTP, and the answer has no content.
    Head,
    /// gRPC.
    Grpc,
}

impl Wire {
    /// By the method first, which costs nothing to look at: gRPC is never anything but `POST`.
    #[inline]
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        match *request.method() {
            Method::POST => Self::of_post(request.headers()),
            Method::HEAD => Self::Head,
            _ => Self::Http,
        }
    }

    fn of_post(headers: &HeaderMap) -> Self {
        match headers.get(CONTENT_TYPE) {
            Some(value) if is_grpc(value.as_bytes()) => Self::Grpc,
            _ => Self::Http,
        }
    }
}

/// `application/grpc`, and what follows it: `+proto`, `;charset`. Not `application/grpc-web`, which ends
/// in a body of its own.
fn is_grpc(content_type: &[u8]) -> bool {
    content_type
        .strip_prefix(b"application/grpc")
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}
