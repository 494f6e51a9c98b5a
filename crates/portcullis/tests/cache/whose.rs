//! For whom a response of HTTP is.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use portcullis::{CacheLayer, cache::ByUri, keyed::KeyOf};
use tokio::time::advance;
use tower::{Layer, ServiceExt, service_fn};

use crate::{
    http::{Site, get, pages},
    support::ms,
};

/// What was answered to somebody unknown, such as that he must say who he is, is not for who has said so.
#[tokio::test(start_paused = true)]
async fn who_is_somebody_does_not_wait_for_what_is_for_nobody() {
    for name in ["authorization", "cookie"] {
        let layer = CacheLayer::http(pages().build().unwrap()).honour_headers();
        let service = layer.layer(service_fn(move |request: Request<Full<Bytes>>| async move {
            tokio::time::sleep(ms(10)).await;
            let status = if request.headers().contains_key(name) { 200 } else { 401 };
            Ok::<_, Infallible>(Response::builder().status(status).body(Full::<Bytes>::default()).unwrap())
        }));
        let ask = async |request: http::request::Builder| {
            service.clone().oneshot(request.body(Full::default()).unwrap()).await.unwrap().status().as_u16()
        };
        let (nobody, somebody) = tokio::join!(ask(get()), ask(get().header(name, "x")));
        assert_eq!((nobody, somebody), (401, 200), "{name}");
    }
}

/// What covers for one who waits does not cover for another who asked for something else.
#[tokio::test(start_paused = true)]
async fn what_is_stale_and_varies_is_not_shared_with_others_who_wait() {
    let down = Arc::new(AtomicBool::new(false));
    let is_down = down.clone();
    let cache = pages().ttl(ms(100)).stale_if_error(ms(1000)).build().unwrap();
    let service =
        CacheLayer::http(cache).honour_headers().layer(service_fn(move |request: Request<Full<Bytes>>| {
            let body = Bytes::copy_from_slice(request.headers()["accept"].as_bytes());
            let status = if is_down.load(Relaxed) { 503 } else { 200 };
            async move {
                tokio::time::sleep(ms(10)).await;
                let response = Response::builder().status(status).header("vary", "accept");
                Ok::<_, Infallible>(response.body(Full::new(body)).unwrap())
            }
        }));
    let ask = async |kind: &'static str| {
        let request = get().header("accept", kind).body(Full::default()).unwrap();
        let response = service.clone().oneshot(request).await.unwrap();
        (response.status().as_u16(), response.into_body().collect().await.unwrap().to_bytes())
    };
    ask("a").await;
    down.store(true, Relaxed);
    advance(ms(150)).await;
    let ((one, a), (another, b)) = tokio::join!(ask("a"), ask("b"));
    assert_eq!((one, &*a, another, &*b), (200, &b"a"[..], 503, &b"b"[..]));
}

/// Unless it says for how long, or by which cookies.
#[tokio::test(start_paused = true)]
async fn what_says_nothing_is_not_kept_for_who_has_cookies() {
    let with = || get().header("cookie", "user=1");
    let silent = Site::new(&[]).honouring();
    assert!(!silent.keeps(with).await);
    assert!(silent.keeps(get).await);
    let before = silent.calls.count();
    silent.send(with()).await;
    assert_eq!(silent.calls.count(), before + 1, "what is for nobody");
    for said in [("cache-control", "max-age=60"), ("cache-control", "public"), ("vary", "cookie")] {
        assert!(Site::new(&[said]).honouring().keeps(with).await, "{said:?}");
    }
    let mut keyed = Site::new(&[]).honouring();
    keyed.layer = keyed.layer.vary([header::COOKIE]);
    assert!(keyed.keeps(with).await);
}

/// As the response says also where that says that there is nothing.
#[tokio::test(start_paused = true)]
async fn how_long_there_is_nothing_is_told_by_headers_too() {
    for (control, kept) in [("max-age=0", 0), ("max-age=5", 5), ("public", 60)] {
        let negative = pages().negative_ttl(Duration::from_secs(60));
        let site =
            Site::of(negative, &[("cache-control", control)]).honouring().status(StatusCode::NOT_FOUND);
        site.get().await;
        advance(Duration::from_secs(kept).saturating_sub(ms(1))).await;
        assert_eq!(site.get().await == "page 1", kept > 0, "{control}");
        advance(ms(1)).await;
        assert_ne!(site.get().await, "page 1", "{control}");
    }
}

/// A search by `GET` says in its body what for.
#[test]
fn what_has_a_body_has_no_key() {
    let by = ByUri::default();
    let request = |body: &'static str| get().body(Full::<Bytes>::from(body)).unwrap();
    assert!(by.with_key(&request(""), |key| key.is_some()));
    assert!(by.with_key(&request("text"), |key| key.is_none()));
}

/// Who asks chooses the host, and must not so write another's path.
#[test]
fn a_host_with_a_path_has_no_key() {
    let by = ByUri::default();
    let key = |host: &'static str, path: &'static str| {
        let request = Request::get(path).header("host", host).body(Full::<Bytes>::default()).unwrap();
        by.with_key(&request, |key| key.map(str::to_owned))
    };
    assert_eq!(key("shop:80", "/prices/").as_deref(), Some("GET shop:80/prices/"));
    for host in ["shop:80/prices", "shop:80/prices?", "shop#", "a@shop", "a shop", ""] {
        assert_eq!(key(host, "/"), None, "{host}");
    }
}
