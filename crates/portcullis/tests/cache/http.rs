//! Responses of HTTP.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{HeaderName, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use portcullis::{
    BoxError, Cache, CacheLayer, Registry,
    cache::{self, ByUri, CacheBuilder, HttpRules},
    protocol::HttpClient,
    share::SharedResponse,
};
use tokio::time::advance;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Calls, ms};

type Pages = Cache<Box<str>, SharedResponse>;
type HttpLayer = CacheLayer<Box<str>, SharedResponse, ByUri, HttpRules, HttpClient>;

pub(crate) fn pages() -> CacheBuilder<Box<str>, SharedResponse> {
    Cache::builder("pages").jitter(0.0).registry(&Registry::new())
}

/// A page that says which call it is, with these headers.
pub(crate) struct Site {
    pub(crate) cache: Pages,
    pub(crate) layer: HttpLayer,
    status: StatusCode,
    headers: Vec<(&'static str, &'static str)>,
    pub(crate) calls: Calls,
}

impl Site {
    pub(crate) fn new(headers: &[(&'static str, &'static str)]) -> Self {
        Self::of(pages(), headers)
    }

    pub(crate) fn of(
        cache: CacheBuilder<Box<str>, SharedResponse>,
        headers: &[(&'static str, &'static str)],
    ) -> Self {
        let cache = cache.build().unwrap();
        let layer = CacheLayer::http(cache.clone());
        Self { cache, layer, status: StatusCode::OK, headers: headers.to_vec(), calls: Calls::default() }
    }

    pub(crate) fn honouring(mut self) -> Self {
        self.layer = self.layer.honour_headers();
        self
    }

    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(crate) async fn send(&self, request: http::request::Builder) -> (String, http::HeaderMap) {
        let (status, headers, calls) = (self.status, self.headers.clone(), self.calls.clone());
        let service = self.layer.layer(service_fn(move |_: Request<Full<Bytes>>| {
            let mut response = Response::builder().status(status);
            for (name, value) in &headers {
                response = response.header(*name, *value);
            }
            let page = format!("page {}", calls.next());
            async move { Ok::<_, Infallible>(response.body(Full::new(Bytes::from(page))).unwrap()) }
        }));
        let response = service.oneshot(request.body(Full::default()).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        (String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap(), head.headers)
    }

    pub(crate) async fn get(&self) -> String {
        self.send(Request::get("http://shop/")).await.0
    }

    /// Whether the same request was answered once for all.
    pub(crate) async fn keeps(&self, request: impl Fn() -> http::request::Builder) -> bool {
        self.send(request()).await;
        let before = self.calls.count();
        self.send(request()).await;
        self.calls.count() == before
    }
}

pub(crate) fn get() -> http::request::Builder {
    Request::get("http://shop/")
}

#[tokio::test(start_paused = true)]
async fn a_page_is_kept_with_its_head() {
    let site = Site::new(&[("x-a", "1")]);
    assert_eq!(site.get().await, "page 1");
    let (page, headers) = site.send(get()).await;
    assert_eq!((page.as_str(), headers["x-a"].to_str().unwrap()), ("page 1", "1"));
    assert!(!headers.contains_key(header::AGE), "only if headers are honoured");
    assert!(site.keeps(|| Request::head("http://shop/")).await);
    assert_eq!(site.calls.count(), 2, "apart from GET");
    site.cache.invalidate("GET http://shop/");
    assert_eq!(site.get().await, "page 3");
}

#[tokio::test(start_paused = true)]
async fn only_get_and_head_are_kept() {
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let site = Site::new(&[("cache-control", "public, max-age=60")]);
        assert!(
            !site.keeps(|| Request::builder().method(method.clone()).uri("http://shop/")).await,
            "{method}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_private_is_never_kept() {
    let never: [&[(&str, &str)]; 7] = [
        &[("cache-control", "private")],
        &[("cache-control", "public, no-store")],
        &[("cache-control", "max-age=60"), ("cache-control", "Private=\"x\"")],
        &[("cache-control", "no-cache")],
        &[("set-cookie", "a=b")],
        &[("vary", "*")],
        &[("cache-control", "max-age=60"), ("set-cookie", "a=b")],
    ];
    for headers in never {
        assert!(!Site::new(headers).keeps(get).await, "{headers:?}");
        assert!(!Site::new(headers).honouring().keeps(get).await, "{headers:?}, honoured");
    }
    assert!(Site::new(&[("cache-control", "public")]).keeps(get).await);
}

#[tokio::test(start_paused = true)]
async fn requests_of_one_user_are_not_looked_up() {
    let with = |name: &'static str| move || get().header(name, "x");
    for name in ["authorization", "cookie", "range", "if-none-match", "upgrade"] {
        let site = Site::new(&[]);
        site.get().await;
        assert!(!site.keeps(with(name)).await, "{name}");
        assert_eq!(site.get().await, "page 1");
    }
    let authorized = with("authorization");
    assert!(!Site::new(&[("cache-control", "max-age=60")]).honouring().keeps(authorized).await);
    for allowed in ["public", "s-maxage=60", "must-revalidate, max-age=60"] {
        assert!(Site::new(&[("cache-control", allowed)]).honouring().keeps(authorized).await, "{allowed}");
    }
}

/// What one without credentials may have does not serve one with them, unless the response says so.
#[tokio::test(start_paused = true)]
async fn who_is_somebody_does_not_get_what_is_for_nobody() {
    let site = Site::new(&[("cache-control", "max-age=60")]).honouring();
    assert_eq!(site.get().await, "page 1");
    assert_eq!(site.send(get().header("authorization", "x")).await.0, "page 2");
    assert_eq!(site.get().await, "page 1");
}

#[tokio::test(start_paused = true)]
async fn what_is_partial_and_errors_are_not_kept() {
    for status in [206, 201, 302, 400, 401, 403, 404, 410, 429, 500, 503] {
        let site =
            Site::new(&[("cache-control", "max-age=60")]).status(StatusCode::from_u16(status).unwrap());
        assert!(!site.keeps(get).await, "{status}");
    }
    let negative = || pages().negative_ttl(ms(100));
    for (status, kept) in [(404, true), (410, true), (400, false), (403, false), (500, false), (503, false)] {
        let site = Site::of(negative(), &[]).status(StatusCode::from_u16(status).unwrap());
        assert_eq!(site.keeps(get).await, kept, "{status}");
        advance(ms(100)).await;
        let before = site.calls.count();
        site.get().await;
        assert_eq!(site.calls.count(), before + 1, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn headers_say_for_how_long_only_if_asked() {
    let headers = [("cache-control", "max-age=10")];
    let (usual, honouring) = (Site::new(&headers), Site::new(&headers).honouring());
    for site in [&usual, &honouring] {
        site.get().await;
        advance(Duration::from_secs(9)).await;
        assert_eq!(site.get().await, "page 1");
        advance(Duration::from_secs(1)).await;
    }
    advance(Duration::from_secs(20)).await;
    assert_eq!((usual.get().await, honouring.get().await), ("page 1".to_owned(), "page 2".to_owned()));
}

/// Seconds that a response with these headers is kept.
async fn seconds(headers: &[(&'static str, &'static str)]) -> u64 {
    let site = Site::new(headers).honouring();
    site.get().await;
    for second in 0..1000 {
        if site.get().await != "page 1" {
            return second;
        }
        advance(Duration::from_secs(1)).await;
    }
    1000
}

#[tokio::test(start_paused = true)]
async fn how_long_that_is() {
    assert_eq!(seconds(&[]).await, 60, "as the configuration has it");
    assert_eq!(seconds(&[("cache-control", "max-age=5")]).await, 5);
    assert_eq!(seconds(&[("cache-control", "max-age=5, s-maxage=7")]).await, 7);
    assert_eq!(seconds(&[("cache-control", "max-age=5"), ("age", "2")]).await, 3);
    assert_eq!(seconds(&[("cache-control", "max-age=5"), ("age", "x")]).await, 0);
    assert_eq!(seconds(&[("cache-control", "max-age=x")]).await, 0);
    let date = ("date", "Sat, 21 Nov 2026 12:00:00 GMT");
    assert_eq!(seconds(&[date, ("expires", "Sat, 21 Nov 2026 12:00:09 GMT")]).await, 9);
    assert_eq!(seconds(&[date, ("expires", "Sat, 21 Nov 2026 11:00:00 GMT")]).await, 0);
    assert_eq!(seconds(&[date, ("expires", "0")]).await, 0);
    assert_eq!(seconds(&[("cache-control", "max-age=4"), ("expires", "0")]).await, 4);
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_tells_its_age() {
    let site = Site::new(&[("cache-control", "max-age=60"), ("age", "5")]).honouring();
    assert_eq!(site.send(get()).await.1[header::AGE], "5");
    advance(ms(10_500)).await;
    assert_eq!(site.send(get()).await.1[header::AGE], "15");
}

#[tokio::test(start_paused = true)]
async fn what_must_be_revalidated_is_never_stale() {
    let windows =
        || pages().stale_while_revalidate(Duration::from_secs(100)).stale_if_error(Duration::from_secs(100));
    for (control, stale) in
        [("max-age=5", true), ("max-age=5, must-revalidate", false), ("s-maxage=5", false)]
    {
        let site = Site::of(windows(), &[("cache-control", control)]).honouring();
        site.get().await;
        advance(Duration::from_secs(5)).await;
        assert_eq!(site.get().await == "page 1", stale, "{control}");
    }
    let site = Site::new(&[("cache-control", "max-age=5, stale-while-revalidate=5")]).honouring();
    site.get().await;
    advance(Duration::from_secs(9)).await;
    assert_eq!(site.get().await, "page 1", "as the response says");
}

#[tokio::test(start_paused = true)]
async fn requests_can_ask_for_what_is_new() {
    let site = Site::new(&[("cache-control", "max-age=60")]).honouring();
    site.get().await;
    advance(Duration::from_secs(10)).await;
    let with = async |value: &'static str| site.send(get().header("cache-control", value)).await.0;
    assert_eq!(with("max-age=10").await, "page 1");
    assert_eq!(with("min-fresh=50").await, "page 1");
    assert_eq!(with("no-store").await, "page 2");
    assert_eq!(site.get().await, "page 1", "not kept");
    assert_eq!(with("no-cache").await, "page 3");
    assert_eq!(site.get().await, "page 3", "kept");
    advance(Duration::from_secs(10)).await;
    assert_eq!(with("max-age=9").await, "page 4");
    assert_eq!(with("min-fresh=61").await, "page 5");
    assert_eq!(site.send(get().header("pragma", "no-cache")).await.0, "page 6");
    let deaf = Site::new(&[]);
    assert!(deaf.keeps(|| get().header("cache-control", "no-cache")).await, "only if headers are honoured");
}

#[tokio::test(start_paused = true)]
async fn what_varies_serves_only_its_like() {
    let encoded = |encoding: &'static str| move || get().header("accept-encoding", encoding);
    let headers = [("vary", "Accept-Encoding")];
    assert!(!Site::new(&headers).keeps(encoded("gzip")).await, "nobody knows by which");

    let mut site = Site::new(&headers);
    site.layer = site.layer.vary([header::ACCEPT_ENCODING]);
    assert!(site.keeps(encoded("gzip")).await && site.keeps(encoded("br")).await);
    assert_eq!((site.send(encoded("gzip")()).await.0, site.calls.count()), ("page 1".to_owned(), 2));

    let site = Site::new(&headers).honouring();
    assert!(site.keeps(encoded("gzip")).await);
    assert_eq!(site.send(encoded("br")()).await.0, "page 2");
    assert_eq!(site.get().await, "page 3");
}

/// Those who wait for a call look for themselves whether its answer is for them.
#[tokio::test(start_paused = true)]
async fn what_varies_is_not_shared_with_others_who_wait() {
    let cache = pages().build().unwrap();
    let calls = Calls::default();
    let inner = calls.clone();
    let layer = CacheLayer::http(cache).honour_headers();
    let service = layer.layer(service_fn(move |request: Request<Full<Bytes>>| {
        inner.next();
        let body = Bytes::copy_from_slice(request.headers()["accept"].as_bytes());
        async move {
            tokio::time::sleep(ms(10)).await;
            Ok::<_, BoxError>(Response::builder().header("vary", "accept").body(Full::new(body)).unwrap())
        }
    }));
    let ask = async |kind: &'static str| {
        let request = get().header("accept", kind).body(Full::default()).unwrap();
        service.clone().oneshot(request).await.unwrap().into_body().collect().await.unwrap().to_bytes()
    };
    let (a, b, c) = tokio::join!(ask("a"), ask("b"), ask("a"));
    assert_eq!((&*a, &*b, &*c), (&b"a"[..], &b"b"[..], &b"a"[..]));
    assert_eq!(calls.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_private_is_not_shared_with_those_who_wait() {
    let site = Site::new(&[("cache-control", "private")]);
    let pages = futures_util::future::join_all((0..5).map(|_| site.get())).await;
    let different: std::collections::BTreeSet<_> = pages.into_iter().collect();
    assert_eq!(different.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_long_is_passed_on() {
    let mut site = Site::new(&[]);
    site.layer = site.layer.max_body(5);
    assert_eq!((site.get().await, site.get().await), ("page 1".to_owned(), "page 2".to_owned()));
    assert_eq!(site.cache.status().entries, 0);
}

#[tokio::test(start_paused = true)]
async fn pages_are_weighed_in_bytes() {
    let site = Site::of(pages().max_weight(100_000, cache::bytes), &[]);
    site.get().await;
    let weight = site.cache.status().weight.unwrap();
    assert!((50..5_000).contains(&weight), "{weight}");
}

/// An answer of a server that is in trouble is covered by what is stale, as an error is.
#[tokio::test(start_paused = true)]
async fn an_answer_that_is_a_failure_is_covered() {
    let mut site = Site::of(pages().ttl(ms(100)).stale_if_error(ms(1000)), &[]);
    site.get().await;
    site.status = StatusCode::SERVICE_UNAVAILABLE;
    advance(ms(100)).await;
    assert_eq!(site.get().await, "page 1");
    assert_eq!((site.cache.status().stale, site.calls.count()), (1, 2));
}

/// A unary call by a key of one's own; only what ended well is kept.
#[tokio::test(start_paused = true)]
async fn grpc_by_a_key_of_ones_own() {
    for (status, calls_made) in [("0", 1), ("5", 2)] {
        let calls = Calls::default();
        let inner = calls.clone();
        let by = |request: &Request<Full<Bytes>>| Some(Box::<str>::from(request.uri().path()));
        let layer = CacheLayer::new(pages().build().unwrap()).by(by).grpc();
        let service = layer.layer(service_fn(move |_: Request<Full<Bytes>>| {
            inner.next();
            let trailers = http::HeaderMap::from_iter([(
                HeaderName::from_static("grpc-status"),
                status.parse().unwrap(),
            )]);
            let body = Full::new(Bytes::from_static(b"message"))
                .with_trailers(std::future::ready(Some(Ok(trailers))));
            let response = Response::builder().header("content-type", "application/grpc").body(body);
            async move { Ok::<_, BoxError>(response.unwrap()) }
        }));
        for _ in 0..2 {
            let request = Request::post("/shop.Shop/Price").header("content-type", "application/grpc");
            let response = service.clone().oneshot(request.body(Full::default()).unwrap()).await.unwrap();
            let body = response.into_body().collect().await.unwrap();
            assert_eq!(body.trailers().unwrap()["grpc-status"], status);
            assert_eq!(body.to_bytes(), "message");
        }
        assert_eq!(calls.count(), calls_made, "status {status}");
    }
}
