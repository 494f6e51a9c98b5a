//! The key of an HTTP request.

use std::borrow::Cow;

use ::http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body::Body;

use crate::keyed::KeyOf;

/// What an answer commonly depends on: how it is written, for which host, and for which page.
static USUAL: [HeaderName; 5] =
    [header::HOST, header::ACCEPT, header::ACCEPT_ENCODING, header::ACCEPT_LANGUAGE, header::ORIGIN];

/// Requests with one of these have an answer of their own: they say who asks, what of the answer is wanted, or that it
/// is to be something else. Unless the key has it.
static OWN: [HeaderName; 10] = [
    header::AUTHORIZATION,
    header::COOKIE,
    header::PROXY_AUTHORIZATION,
    header::RANGE,
    header::IF_RANGE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::UPGRADE,
];

/// Keys HTTP requests by what they ask for: the method, the URI, and some headers (`Host`, `Accept`,
/// `Accept-Encoding`, `Accept-Language`, `Origin`, and those that are [added](Self::header)).
///
/// Only `GET` and `HEAD` without a body have a key. Requests with `Authorization`, `Cookie`, `Proxy-Authorization`,
/// `Range`, `Upgrade` or a condition (`If-None-Match` and its kin) have none, unless that header was added: what is
/// for one user must not be given to another. **What else says who asks has to be added too**: a token in a header of
/// one's own, or (by a key of one's own) what a layer before has put into the extensions.
///
/// ```
/// use http::{HeaderName, Request, header};
/// use portcullis::{coalesce::ByRequest, keyed::KeyOf};
///
/// let body = http_body_util::Empty::<&[u8]>::new;
/// let page = Request::get("/prices").header(header::COOKIE, "user=1").body(body())?;
/// assert!(ByRequest::new().with_key(&page, |key| key.is_none()));
///
/// let by = ByRequest::new().header(header::COOKIE).header(HeaderName::from_static("x-tenant"));
/// assert!(by.with_key(&page, |key| key.is_some()));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "it is for a layer's `by`"]
pub struct ByRequest {
    headers: Cow<'static, [HeaderName]>,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestKey {
    method: Method,
    uri: Uri,
    /// The values of each header, in the order of the names; they may be several.
    headers: Vec<(u8, HeaderValue)>,
}

impl Default for ByRequest {
    fn default() -> Self {
        Self::new()
    }
}

impl ByRequest {
    /// By the method, the URI, and the usual headers.
    pub const fn new() -> Self {
        Self { headers: Cow::Borrowed(&USUAL) }
    }

    /// And by this header; 255 at most.
    pub fn header(mut self, name: HeaderName) -> Self {
        if !self.headers.contains(&name) && self.headers.len() < usize::from(u8::MAX) {
            self.headers.to_mut().push(name);
        }
        self
    }

    fn key<B: Body>(&self, request: &Request<B>) -> Option<RequestKey> {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let is_own =
            OWN.iter().any(|name| request.headers().contains_key(name) && !self.headers.contains(name));
        if !is_read || is_own || !request.body().is_end_stream() {
            return None;
        }
        let values = |(place, name): (u8, &HeaderName)| {
            let values = request.headers().get_all(name).iter().cloned();
            values.map(move |value| (place, value)).collect::<Vec<_>>()
        };
        Some(RequestKey {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: (0..).zip(self.headers.iter()).flat_map(values).collect(),
        })
    }
}

impl<B: Body> KeyOf<Request<B>> for ByRequest {
    type Key = RequestKey;

    fn with_key<R>(&self, request: &Request<B>, then: impl FnOnce(Option<&RequestKey>) -> R) -> R {
        then(self.key(request).as_ref())
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{Empty, Full};

    use super::*;

    type Bytes = bytes::Bytes;

    fn key(by: &ByRequest, method: &str, headers: &[(HeaderName, &'static str)]) -> Option<RequestKey> {
        let mut request =
            Request::builder().method(method).uri("/a?b=c").body(Empty::<Bytes>::new()).unwrap();
        for (name, value) in headers {
            request.headers_mut().append(name, HeaderValue::from_static(value));
        }
        by.key(&request)
    }

    #[test]
    fn reads_have_a_key_that_tells_them_apart() {
        let by = ByRequest::new();
        let get = key(&by, "GET", &[]);
        assert!(get.is_some());
        assert_eq!(get, key(&by, "GET", &[(header::USER_AGENT, "x")]));
        assert_ne!(get, key(&by, "HEAD", &[]));
        for name in &USUAL {
            assert_ne!(get, key(&by, "GET", &[(name.clone(), "x")]));
        }
        let one = key(&by, "GET", &[(header::ACCEPT, "x"), (header::ACCEPT, "y")]);
        assert_ne!(one, key(&by, "GET", &[(header::ACCEPT, "y"), (header::ACCEPT, "x")]));
        assert_ne!(key(&by, "GET", &[(header::ACCEPT, "x")]), key(&by, "GET", &[(header::ORIGIN, "x")]));
    }

    #[test]
    fn what_is_for_one_alone_has_none_unless_the_key_has_it() {
        for name in &OWN {
            let by = ByRequest::new();
            assert_eq!(key(&by, "GET", &[(name.clone(), "x")]), None, "{name}");
            let by = by.header(name.clone());
            let (x, y) = (key(&by, "GET", &[(name.clone(), "x")]), key(&by, "GET", &[(name.clone(), "y")]));
            assert!(x.is_some() && x != y, "{name}");
        }
    }

    #[test]
    fn writes_and_bodies_have_none() {
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT"] {
            assert_eq!(key(&ByRequest::new(), method, &[]), None, "{method}");
        }
        let request = Request::get("/").body(Full::<Bytes>::from("query")).unwrap();
        assert_eq!(ByRequest::new().key(&request), None);
    }
}
