use std::fmt;

use bytes::Bytes;
use http::{HeaderName, request::Parts};
use portcullis::{
    protocol::{Attempt, Tried},
    retry::{HttpReplay, Replay, ReplayBody},
};
use reqwest::Body;

use crate::body::share;

type Wrap = fn(ReplayBody<Body>) -> Body;
type Streams = HttpReplay<Wrap>;

/// Sends reqwest's requests more than once: the way in which a
/// [`RetryLayer`](portcullis::RetryLayer) keeps them.
///
/// A body in memory stays what it is, for every attempt: its bytes are shared and not copied, and
/// reqwest still follows a redirect with status 307 with it. A stream is kept while it is sent, as
/// by [`HttpReplay`], up to a cap; a longer one is sent once.
///
/// It keeps `http::Request<reqwest::Body>`, which is what [`ReqwestService`](crate::ReqwestService)
/// and [`TowerMiddleware`](crate::TowerMiddleware) take; for a bare [`reqwest::Client`] there is
/// [`TryCloneReplay`]. What is idempotent is told as by [`HttpReplay`]. Choose it after
/// `.http_client()`, which comes with a way of its own.
///
/// # Example
///
/// ```
/// use portcullis::{RetryLayer, RetryPolicy};
/// use portcullis_reqwest::{ReqwestReplay, ReqwestService};
/// use tower::{ServiceBuilder, ServiceExt};
///
/// # async fn example() -> Result<(), portcullis::BoxError> {
/// let retry = RetryLayer::new(RetryPolicy::new("orders"));
/// let service = ServiceBuilder::new()
///     .layer(retry.http_client().replay(ReqwestReplay::default()))
///     .service(ReqwestService::new(reqwest::Client::new()));
/// service.oneshot(http::Request::put("http://127.0.0.1:8080/7").body("two".into())?).await?;
/// # Ok(()) }
/// # drop(example());
/// ```
#[derive(Clone)]
pub struct ReqwestReplay {
    streams: Streams,
    avoid_tried: bool,
}

impl Default for ReqwestReplay {
    fn default() -> Self {
        Self { streams: HttpReplay::default().rebody(Body::wrap as Wrap), avoid_tried: false }
    }
}

impl ReqwestReplay {
    /// Keeps at most this many bytes of a stream [64 KiB]. A body in memory has no cap: it is kept
    /// by its sender anyway.
    #[must_use]
    pub fn max_buffered(mut self, bytes: usize) -> Self {
        self.streams = self.streams.max_buffered(bytes);
        self
    }

    /// Tells in this header of every attempt after the first how many were made before it (default: none
    /// does).
    #[must_use]
    pub fn attempt_header(mut self, name: HeaderName) -> Self {
        self.streams = self.streams.attempt_header(name);
        self
    }

    /// Puts the extension [`Tried`] into every request that has none, so that a balancer among the layers below
    /// sends further attempts elsewhere, if there is an elsewhere (default: not). What it says lasts as long as
    /// the call.
    #[must_use]
    pub fn avoid_tried(mut self) -> Self {
        self.streams = self.streams.avoid_tried();
        self.avoid_tried = true;
        self
    }
}

impl fmt::Debug for ReqwestReplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestReplay").finish_non_exhaustive()
    }
}

/// What is kept of a request.
#[derive(Debug)]
pub struct Kept(Source);

#[derive(Debug)]
enum Source {
    Memory { parts: Box<Parts>, bytes: Bytes },
    Stream(<Streams as Replay<http::Request<Body>>>::Kept),
}

impl Replay<http::Request<Body>> for ReqwestReplay {
    type Request = http::Request<Body>;
    type Kept = Kept;

    fn is_idempotent(&self, request: &http::Request<Body>) -> bool {
        self.streams.is_idempotent(request)
    }

    fn first(&self, mut request: http::Request<Body>) -> (http::Request<Body>, Kept) {
        let Some(bytes) = share(request.body_mut()) else {
            let (request, kept) = self.streams.first(request);
            return (request, Kept(Source::Stream(kept)));
        };
        let (mut parts, body) = request.into_parts();
        if self.avoid_tried {
            // There may be one of a retry above, which knows more.
            parts.extensions.get_or_insert_default::<Tried>();
        }
        let kept = Kept(Source::Memory { parts: Box::new(parts.clone()), bytes });
        (http::Request::from_parts(parts, body), kept)
    }

    fn again(&self, kept: &Kept) -> Option<http::Request<Body>> {
        match &kept.0 {
            Source::Memory { parts, bytes } => {
                Some(http::Request::from_parts(parts.as_ref().clone(), bytes.clone().into()))
            }
            Source::Stream(kept) => self.streams.again(kept),
        }
    }

    fn beside(&self, kept: &Kept) -> Option<http::Request<Body>> {
        match &kept.0 {
            Source::Memory { .. } => self.again(kept),
            Source::Stream(kept) => self.streams.beside(kept),
        }
    }

    fn once(&self, request: http::Request<Body>) -> http::Request<Body> {
        request
    }

    fn mark(&self, request: &mut http::Request<Body>, attempt: Attempt) {
        self.streams.mark(request, attempt);
    }
}

/// Sends requests of reqwest more than once: the way in which a
/// [`RetryLayer`](portcullis::RetryLayer) around a bare [`reqwest::Client`] keeps them.
///
/// They are cloned by [`try_clone`](reqwest::Request::try_clone): a body in memory is shared, a
/// request with a stream is sent once. Requests with an idempotent method or an `Idempotency-Key`
/// are idempotent.
///
/// # Example
///
/// ```
/// use portcullis::{RetryLayer, RetryPolicy};
/// use portcullis_reqwest::TryCloneReplay;
/// use tower::{ServiceBuilder, ServiceExt};
///
/// # async fn example() -> Result<(), portcullis::BoxError> {
/// let client = reqwest::Client::new();
/// let request = client.put("http://127.0.0.1:8080/7").body("two").build()?;
/// let service = ServiceBuilder::new()
///     .layer(RetryLayer::new(RetryPolicy::new("orders")).replay(TryCloneReplay))
///     .service(client);
/// service.oneshot(request).await?;
/// # Ok(()) }
/// # drop(example());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TryCloneReplay;

impl Replay<reqwest::Request> for TryCloneReplay {
    type Request = reqwest::Request;
    type Kept = Option<reqwest::Request>;

    fn is_idempotent(&self, request: &reqwest::Request) -> bool {
        request.method().is_idempotent() || request.headers().contains_key("idempotency-key")
    }

    fn first(&self, request: reqwest::Request) -> (reqwest::Request, Self::Kept) {
        let kept = request.try_clone();
        (request, kept)
    }

    fn again(&self, kept: &Self::Kept) -> Option<reqwest::Request> {
        kept.as_ref()?.try_clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(request: &http::Request<Body>) -> Option<*const u8> {
        request.body().as_bytes().map(<[u8]>::as_ptr)
    }

    #[test]
    fn every_attempt_has_the_same_bytes_and_head() {
        let request = http::Request::put("http://shop/7").header("a", "b").extension(7_u8);
        let request = request.body(Body::from(vec![1; 100_000])).expect("a request");
        let original = address(&request);
        assert!(original.is_some());

        let replay = ReqwestReplay::default();
        let (first, kept) = replay.first(request);
        for attempt in [Some(first), replay.again(&kept), replay.again(&kept)] {
            let attempt = attempt.expect("in memory");
            assert_eq!(address(&attempt), original, "not copied");
            assert_eq!((attempt.method(), attempt.uri().path()), (&http::Method::PUT, "/7"));
            assert_eq!(
                (&attempt.headers()["a"], attempt.extensions().get()),
                (&"b".parse().unwrap(), Some(&7_u8))
            );
        }
    }
}
