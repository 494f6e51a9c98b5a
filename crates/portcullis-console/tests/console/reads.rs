//! Who may look.

use reqwest::{Method, StatusCode};

use crate::support::{OTHER, SECRET, Shop, problem, raw, status};

const READS: [&str; 7] = [
    "api/policies",
    "api/policies/inventory",
    "api/events",
    "api/pipelines",
    "api/config",
    "health",
    "metrics",
];

#[tokio::test]
async fn without_a_token_this_machine_may_look() {
    let shop = Shop::open().await;
    for path in ["", "index.html", "api/policies", "health", "livez", "readyz"] {
        let answer = shop.request(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn without_a_token_nobody_looks_in_through_a_proxy() {
    let shop = Shop::open().await;
    for header in ["x-forwarded-for", "forwarded", "via", "x-real-ip"] {
        for path in READS.into_iter().chain([""]) {
            let answer = shop.request(Method::GET, path).header(header, "127.0.0.1").send().await.unwrap();
            let told = problem(answer, 403).await;
            assert!(told["detail"].as_str().unwrap().contains(".token("), "it says how");
        }
    }
}

/// DNS rebinding: a page of elsewhere lets its own name point here.
#[tokio::test]
async fn without_a_token_nobody_looks_in_by_another_name() {
    let shop = Shop::open().await;
    for host in ["evil.example", "127.0.0.1.evil.example", "localhost.", "10.0.0.1", "[::2]", ""] {
        let request = format!("GET /api/policies HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        assert_eq!(status(&raw(shop.address(), request.as_bytes()).await), 421, "{host}");
    }
    let two =
        "GET /api/policies HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    assert!(status(&raw(shop.address(), two.as_bytes()).await) >= 400);
    let none = "GET /api/policies HTTP/1.1\r\nconnection: close\r\n\r\n";
    assert!(status(&raw(shop.address(), none.as_bytes()).await) >= 400);
    let told = Shop::with(|console| console.host("console.shop")).await;
    let request = "GET /api/policies HTTP/1.1\r\nhost: console.shop:9090\r\nconnection: close\r\n\r\n";
    assert_eq!(status(&raw(told.address(), request.as_bytes()).await), 200);
}

#[tokio::test]
async fn with_a_token_whoever_looks_needs_one() {
    let shop = Shop::new().await;
    for path in READS {
        let answer = shop.request(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.headers()["www-authenticate"], "Bearer realm=\"portcullis\"");
        problem(answer, 401).await;
    }
    for wrong in ["", "0123456789abcdef-op", "0123456789abcdef-opsx", "0123456789ABCDEF-OPS"] {
        let answer = shop.request(Method::GET, "api/policies").bearer_auth(wrong).send().await.unwrap();
        problem(answer, 401).await;
    }
    for right in [SECRET, OTHER] {
        let answer = shop.request(Method::GET, "api/policies").bearer_auth(right).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }
    for open in ["", "livez", "readyz"] {
        let answer = shop.request(Method::GET, open).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{open} tells nothing of the service");
    }
}

#[tokio::test]
async fn on_loopback_reads_can_be_left_open() {
    let shop = Shop::with(|console| console.token("ops", SECRET).open_on_loopback(true)).await;
    let get = || shop.request(Method::GET, "api/policies");
    assert_eq!(get().send().await.unwrap().status(), StatusCode::OK);
    problem(get().header("x-forwarded-for", "10.0.0.1").send().await.unwrap(), 401).await;
    problem(get().bearer_auth("wrong").send().await.unwrap(), 401).await;
    let post = shop.request(Method::POST, "api/reset").json(&serde_json::json!({})).send().await.unwrap();
    problem(post, 401).await;
}

/// Guessing is slow, and does not keep out who knows.
#[tokio::test]
async fn wrong_tokens_are_counted_and_the_right_one_still_works() {
    let shop = Shop::new().await;
    let mut refused = 0;
    for _ in 0..60 {
        let answer = shop.request(Method::GET, "api/policies").bearer_auth("guess").send().await.unwrap();
        refused += u32::from(answer.status() == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(refused > 0, "none of 60 guesses was too many");
    assert_eq!(shop.get("api/policies").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn every_answer_tells_browsers_to_load_nothing_else() {
    let shop = Shop::new().await;
    for path in ["", "api/policies", "nothing", "api/events", "livez"] {
        let answer = shop.request(Method::GET, path).send().await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap();
        let policy = header("content-security-policy");
        for rule in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        assert!(answer.headers().get("access-control-allow-origin").is_none());
    }
    let data = shop.get("api/policies").await;
    assert_eq!(data.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn no_secret_is_shown() {
    let shop = Shop::new().await;
    shop.act("isolate", "a look").await;
    for path in READS.iter().filter(|path| **path != "api/events").chain(&[""]) {
        let text = shop.get(path).await.text().await.unwrap();
        assert!(!text.contains(SECRET) && !text.contains(OTHER), "{path}");
    }
    let console = portcullis_console::Console::builder(&shop.registry).token("ops", SECRET);
    assert!(!format!("{console:?}").contains(SECRET));
    let console = console.build().unwrap();
    assert!(!format!("{console:?} {:?} {:?}", console.router(), shop.server).contains(SECRET));
}

#[tokio::test]
async fn requests_without_end_are_too_many() {
    let shop = Shop::with(|console| console.requests_per_second(5)).await;
    let mut refused = 0;
    for _ in 0..60 {
        let answer = shop.request(Method::GET, "api/policies").send().await.unwrap();
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            assert!(answer.headers().contains_key("retry-after"));
            refused += 1;
        }
    }
    assert!(refused > 0, "none of 60 requests was too many");
}

#[tokio::test]
async fn an_address_too_long_is_refused() {
    let shop = Shop::new().await;
    let answer = shop.get(&format!("api/policies?q={}", "x".repeat(9000))).await;
    problem(answer, 414).await;
}
