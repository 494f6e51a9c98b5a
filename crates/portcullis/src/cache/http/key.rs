//! What requests of HTTP are keyed by.

use std::{fmt::Write, sync::Arc};

use ::http::{HeaderMap, HeaderName, Method, Request, header};

use http_body::Body;

use crate::keyed::KeyOf;

/// The longest key: who sends requests chooses it.
const LONGEST: usize = 8 * 1024;

/// By method and URI: `GET` and `HEAD` without a body have a key, and nothing else.
///
/// A key is a text, such as `"GET https://example.com/a?b=c"`; on a server, where URIs have no host, that of the header
/// `Host` stands there, as in `"GET example.com/a?b=c"`: a request whose `Host` is none has no key. It is made anew for
/// every request. A URI of more than 8 KiB has none.
///
/// ```
/// use portcullis::{cache::ByUri, keyed::KeyOf};
///
/// let body = http_body_util::Empty::<&[u8]>::new;
/// let by = ByUri::default();
/// let get = http::Request::get("https://Example.com/a?b=c").body(body()).unwrap();
/// assert!(by.with_key(&get, |key| key == Some("GET https://example.com/a?b=c")));
/// let post = http::Request::post("https://example.com/a").body(body()).unwrap();
/// assert!(by.with_key(&post, |key| key.is_none()));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ByUri {
    pub(super) headers: Arc<[HeaderName]>,
}

impl ByUri {
    /// By these headers, too: each of their values adds a line `name: value`.
    pub fn vary(headers: impl IntoIterator<Item = HeaderName>) -> Self {
        let mut headers: Vec<_> = headers.into_iter().collect();
        headers.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        headers.dedup();
        Self { headers: headers.into() }
    }

    fn key<B: Body>(&self, request: &Request<B>) -> Option<String> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) || !request.body().is_end_stream() {
            return None;
        }
        let uri = request.uri();
        let mut key = format!("{} ", request.method());
        if let Some(scheme) = uri.scheme() {
            let _ = write!(key, "{scheme}://");
        }
        match uri.authority() {
            Some(authority) => key.push_str(authority.as_str()),
            None => key.push_str(host(request.headers())?),
        }
        key.make_ascii_lowercase();
        key.replace_range(..request.method().as_str().len(), request.method().as_str());
        key.push_str(uri.path_and_query().map_or("/", |path| path.as_str()));
        for name in &*self.headers {
            for value in request.headers().get_all(name) {
                let _ = write!(key, "\n{name}: {}", value.to_str().ok()?);
            }
        }
        (key.len() <= LONGEST).then_some(key)
    }
}

/// The one host that is asked, if it is one: it must not write a part of another's path, and so of another's key.
fn host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().filter(|_| hosts.next().is_none())?.to_str().ok()?;
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]%".contains(&byte);
    (!host.is_empty() && host.bytes().all(is_host)).then_some(host)
}

impl<B: Body> KeyOf<Request<B>> for ByUri {
    type Key = str;

    fn with_key<R>(&self, request: &Request<B>, then: impl FnOnce(Option<&str>) -> R) -> R {
        then(self.key(request).as_deref())
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::Empty;

    use super::*;

    fn key(by: &ByUri, request: ::http::request::Builder) -> Option<String> {
        by.with_key(&request.body(Empty::<&[u8]>::new()).unwrap(), |key| key.map(str::to_owned))
    }

    #[test]
    fn tells_apart_what_differs_and_nothing_else() {
        let by = ByUri::default();
        let get = |uri: &str| key(&by, Request::get(uri)).unwrap();
        assert_eq!(get("http://A.example/X"), get("http://a.EXAMPLE/X"));
        assert_ne!(get("http://a.example/X"), get("http://a.example/x"));
        assert_ne!(get("http://a.example/x"), get("https://a.example/x"));
        assert_ne!(get("http://a.example/x?1"), get("http://a.example/x"));
        assert_ne!(get("http://a.example/"), key(&by, Request::head("http://a.example/")).unwrap());
    }

    #[test]
    fn on_a_server_the_host_is_in_a_header() {
        let by = ByUri::default();
        let request = || Request::get("/x").header("host", "A.example");
        assert_eq!(key(&by, request()).as_deref(), Some("GET a.example/x"));
        assert_eq!(key(&by, Request::get("/x")), None, "of nobody knows whom");
    }

    #[test]
    fn headers_are_told_apart() {
        let by = ByUri::vary([header::ACCEPT, header::ACCEPT_ENCODING]);
        let of = |headers: &[(&str, &str)]| {
            let request = Request::get("http://a/");
            key(&by, headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
        };
        assert_ne!(of(&[("accept", "a")]), of(&[("accept", "b")]));
        assert_ne!(of(&[("accept", "a")]), of(&[("accept-encoding", "a")]));
        assert_eq!(of(&[("accept", "a"), ("cookie", "x")]), of(&[("accept", "a")]));
    }

    #[test]
    fn no_key_is_too_long() {
        let uri = format!("http://a/{}", "x".repeat(LONGEST));
        assert_eq!(key(&ByUri::default(), Request::get(uri)), None);
    }
}
