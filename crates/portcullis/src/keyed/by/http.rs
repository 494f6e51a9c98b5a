//! Keys of HTTP requests.

use std::{fmt, marker::PhantomData};

use ::http::{
    Request,
    header::{AsHeaderName, HOST},
};

use crate::keyed::KeyOf;

/// By the host, with its port if one is given, in lower case: of the URI, as clients have it, or else of the
/// header `Host`.
///
/// ```
/// use portcullis::keyed::{KeyOf, by};
///
/// let request = http::Request::get("http://me@Example.com:8080/x").body(()).unwrap();
/// by::host().with_key(&request, |host| assert_eq!(host, Some("example.com:8080")));
///
/// let request = http::Request::get("/x").header("host", "example.com").body(()).unwrap();
/// by::host().with_key(&request, |host| assert_eq!(host, Some("example.com")));
/// ```
pub fn host() -> Host {
    Host(())
}

/// See [`host`].
#[derive(Clone, Copy, Debug)]
pub struct Host(());

impl<B> KeyOf<Request<B>> for Host {
    type Key = str;

    #[inline]
    fn with_key<R>(&self, request: &Request<B>, then: impl FnOnce(Option<&str>) -> R) -> R {
        let authority = request.uri().authority().map(|authority| authority.as_str());
        let given = authority.or_else(|| request.headers().get(HOST)?.to_str().ok());
        // Without who asks there.
        match given.map(|given| given.rsplit_once('@').map_or(given, |(_, host)| host)) {
            Some(host) if host.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                then(Some(&host.to_ascii_lowercase()))
            }
            host => then(host),
        }
    }
}

/// By the whole path.
///
/// ```
/// use portcullis::keyed::{KeyOf, by};
///
/// let request = http::Request::post("http://localhost/echo.Echo/Say").body(()).unwrap();
/// by::path().with_key(&request, |path| assert_eq!(path, Some("/echo.Echo/Say")));
/// ```
pub fn path() -> Path {
    Path(())
}

/// See [`path`].
#[derive(Clone, Copy, Debug)]
pub struct Path(());

impl<B> KeyOf<Request<B>> for Path {
    type Key = str;

    #[inline]
    fn with_key<R>(&self, request: &Request<B>, then: impl FnOnce(Option<&str>) -> R) -> R {
        then(Some(request.uri().path()))
    }
}

/// By the first segments of the path.
///
/// ```
/// use portcullis::keyed::{KeyOf, by};
///
/// let request = http::Request::get("/api/orders/17?x=1").body(()).unwrap();
/// by::path_prefix(2).with_key(&request, |path| assert_eq!(path, Some("/api/orders")));
/// by::path_prefix(9).with_key(&request, |path| assert_eq!(path, Some("/api/orders/17")));
/// ```
pub fn path_prefix(segments: usize) -> PathPrefix {
    PathPrefix(segments)
}

/// See [`path_prefix`].
#[derive(Clone, Copy, Debug)]
pub struct PathPrefix(usize);

impl<B> KeyOf<Request<B>> for PathPrefix {
    type Key = str;

    #[inline]
    fn with_key<R>(&self, request: &Request<B>, then: impl FnOnce(Option<&str>) -> R) -> R {
        let path = request.uri().path();
        let mut slashes = path.match_indices('/').map(|(at, _)| at);
        then(Some(slashes.nth(self.0).map_or(path, |end| &path[..end])))
    }
}

/// By a header; a request that lacks it, or has something in it that is no visible ASCII, has no key.
///
/// ```
/// use portcullis::keyed::{KeyOf, by};
///
/// let request = http::Request::get("/").header("x-tenant", "acme").body(()).unwrap();
/// by::header("x-tenant").with_key(&request, |tenant| assert_eq!(tenant, Some("acme")));
/// by::header("x-other").with_key(&request, |tenant| assert_eq!(tenant, None));
/// ```
pub fn header<N: AsHeaderName + Clone>(name: N) -> Header<N> {
    Header(name)
}

/// See [`header`].
#[derive(Clone, Copy, Debug)]
pub struct Header<N>(N);

impl<N: AsHeaderName + Clone, B> KeyOf<Request<B>> for Header<N> {
    type Key = str;

    #[inline]
    fn with_key<R>(&self, request: &Request<B>, then: impl FnOnce(Option<&str>) -> R) -> R {
        then(request.headers().get(self.0.clone()).and_then(|value| value.to_str().ok()))
    }
}

/// By an extension of the request; one that lacks it has no key.
///
/// ```
/// use portcullis::keyed::{KeyOf, by};
///
/// #[derive(Clone)]
/// struct Tenant(String);
///
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(Tenant("acme".to_owned()));
/// let by_tenant = by::extension(|tenant: &Tenant| &tenant.0);
/// by_tenant.with_key(&request, |tenant| assert_eq!(tenant, Some("acme")));
/// ```
pub fn extension<X, F>(of: F) -> Extension<X, F>
where
    X: Send + Sync + 'static,
    F: Fn(&X) -> &str,
{
    Extension(of, PhantomData)
}

/// See [`extension`].
pub struct Extension<X, F>(F, PhantomData<fn(&X)>);

impl<X, F, B> KeyOf<Request<B>> for Extension<X, F>
where
    X: Send + Sync + 'static,
    F: Fn(&X) -> &str,
{
    type Key = str;

    #[inline]
    fn with_key<R>(&self, request: &Request<B>, then: impl FnOnce(Option<&str>) -> R) -> R {
        then(request.extensions().get::<X>().map(&self.0))
    }
}

impl<X, F: Clone> Clone for Extension<X, F> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<X, F> fmt::Debug for Extension<X, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extension").field("of", &std::any::type_name::<X>()).finish_non_exhaustive()
    }
}
