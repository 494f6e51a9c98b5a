//! Limits of single requests.

use std::time::Duration;

/// The limit that a request has of its own, if any.
///
/// Every function of a request is one:
///
/// ```
/// use portcullis::timeout::Limits;
/// use std::time::Duration;
///
/// let by_size = |bytes: &u64| (*bytes > 1_000_000).then(|| Duration::from_secs(60));
/// assert_eq!(by_size.limit(&10), None);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` finds no limit in requests `{Req}`",
    note = "a function wants a reference: `|request: &Request| None`; `InExtension` is for `http::Request`"
)]
pub trait Limits<Req> {
    /// The limit of this request; `None` for that of the policy. Others than 1 ms to 24 h are taken for the nearest
    /// of these.
    fn limit(&self, request: &Req) -> Option<Duration>;
}

impl<Req, F: Fn(&Req) -> Option<Duration>> Limits<Req> for F {
    #[inline]
    fn limit(&self, request: &Req) -> Option<Duration> {
        self(request)
    }
}

/// All requests have the limit of the policy.
#[derive(Clone, Copy, Debug, Default)]
pub struct OfPolicy;

impl<Req> Limits<Req> for OfPolicy {
    #[inline(always)]
    fn limit(&self, _: &Req) -> Option<Duration> {
        None
    }
}

/// A limit as an extension of an `http::Request`, where the layer looks for it: see
/// [`by_extension`](super::TimeoutLayer::by_extension).
///
/// ```
/// use http::Request;
/// use portcullis::timeout::{InExtension, Limit, Limits};
/// use std::time::Duration;
///
/// let minute = Duration::from_secs(60);
/// let request = Request::builder().extension(Limit(minute)).body(())?;
/// assert_eq!(InExtension.limit(&request), Some(minute));
/// # Ok::<(), http::Error>(())
/// ```
#[cfg(feature = "http")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(
    /// The limit.
    pub Duration,
);

/// Requests that have a limit say so by the extension [`Limit`].
#[cfg(feature = "http")]
#[derive(Clone, Copy, Debug, Default)]
pub struct InExtension;

#[cfg(feature = "http")]
impl<B> Limits<http::Request<B>> for InExtension {
    fn limit(&self, request: &http::Request<B>) -> Option<Duration> {
        request.extensions().get::<Limit>().map(|limit| limit.0)
    }
}
