//! Who may change something.

use reqwest::Method;
use serde_json::json;

use crate::support::{SECRET, Shop, problem, raw, status};

const ISOLATE: &str = "api/policies/inventory/isolate";
const CHANGES: [&str; 4] = [ISOLATE, "api/stop", "api/release", "api/reset"];

#[tokio::test]
async fn without_a_token_nothing_can_be_changed() {
    let shop = Shop::open().await;
    for path in CHANGES {
        let answer = shop.post(path, json!({ "kind": "breaker", "why": "x" })).await;
        let told = problem(answer, 403).await;
        assert!(told["detail"].as_str().unwrap().contains(".token("), "it says how");
    }
    let answer =
        shop.request(Method::PUT, "api/config").bearer_auth(SECRET).json(&json!({})).send().await.unwrap();
    problem(answer, 403).await;
    assert!(!shop.breaker.is_refusing());
}

#[tokio::test]
async fn a_change_needs_the_token() {
    let shop = Shop::new().await;
    for path in CHANGES {
        let body = json!({ "kind": "breaker", "why": "x" });
        let none = shop.request(Method::POST, path).json(&body).send().await.unwrap();
        problem(none, 401).await;
        let basic = shop
            .request(Method::POST, path)
            .basic_auth("ops", Some(SECRET))
            .json(&body)
            .send()
            .await
            .unwrap();
        problem(basic, 401).await;
        let in_query = format!("{path}?token={SECRET}&access_token={SECRET}");
        let answer = shop.request(Method::POST, &in_query).json(&body).send().await.unwrap();
        problem(answer, 401).await;
        let cookie = format!("token={SECRET}");
        let answer =
            shop.request(Method::POST, path).header("cookie", cookie).json(&body).send().await.unwrap();
        problem(answer, 401).await;
    }
    assert!(!shop.breaker.is_refusing());
}

/// What a form of any page can send.
#[tokio::test]
async fn a_change_is_json_and_nothing_else() {
    let shop = Shop::new().await;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-8",
        "text/json",
        "",
    ] {
        let post = shop.request(Method::POST, ISOLATE).bearer_auth(SECRET).header("content-type", kind);
        problem(post.body(r#"{"kind":"breaker"}"#).send().await.unwrap(), 415).await;
    }
    let none = shop.request(Method::POST, ISOLATE).bearer_auth(SECRET).body(r#"{"kind":"breaker"}"#);
    problem(none.send().await.unwrap(), 415).await;
    assert!(!shop.breaker.is_refusing());
}

#[tokio::test]
async fn a_page_of_elsewhere_changes_nothing() {
    let shop = Shop::new().await;
    let here = shop.server.url().trim_end_matches('/').to_owned();
    let near = format!("{}0", &here[..here.len() - 1]);
    for (header, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:1"),
        ("origin", &format!("{here}.evil.example")),
        ("origin", &here.replace("http:", "https:").replace(&format!(":{}", shop.address().port()), "")),
        ("origin", &near.replace("127.0.0.1", "127.0.0.2")),
    ] {
        let post = shop.request(Method::POST, ISOLATE).bearer_auth(SECRET).header(header, value);
        let answer = post.json(&json!({ "kind": "breaker", "why": "x" })).send().await.unwrap();
        problem(answer, 403).await;
    }
    assert!(!shop.breaker.is_refusing());
    for (header, value) in [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none"), ("origin", &here)]
    {
        let post = shop.request(Method::POST, ISOLATE).bearer_auth(SECRET).header(header, value);
        let answer = post.json(&json!({ "kind": "breaker", "why": "x" })).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{header}: {value}");
    }
}

/// No other page is told that it may ask.
#[tokio::test]
async fn a_question_in_advance_is_not_answered() {
    let shop = Shop::new().await;
    let options = shop.request(Method::OPTIONS, ISOLATE).header("origin", "https://evil.example");
    let answer = options.header("access-control-request-method", "POST").send().await.unwrap();
    assert!(answer.headers().keys().all(|name| !name.as_str().starts_with("access-control")));
    problem(answer, 401).await;
}

#[tokio::test]
async fn a_body_too_large_is_refused() {
    let shop = Shop::new().await;
    let large = json!({ "kind": "breaker", "why": "x".repeat(300 * 1024) });
    problem(shop.post(ISOLATE, large).await, 413).await;
    // In pieces, so that nobody knows in advance.
    let head = format!(
        "POST /{ISOLATE} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {SECRET}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    );
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let request = head + &chunk.repeat(6) + "0\r\n\r\n";
    assert_eq!(status(&raw(shop.address(), request.as_bytes()).await), 413);
    assert!(!shop.breaker.is_refusing());
}

#[tokio::test]
async fn changes_without_end_are_too_many() {
    let shop = Shop::new().await;
    let mut refused = 0;
    for _ in 0..60 {
        refused += u32::from(shop.act("reset", "").await.status() == 429);
    }
    assert!(refused > 0, "none of 60 changes was too many");
}

#[tokio::test]
async fn a_body_that_says_nothing_sensible_changes_nothing() {
    let shop = Shop::new().await;
    for body in [
        "",
        "{",
        "[]",
        "null",
        "1",
        r#"{"kind":1}"#,
        r#"{"kind":"breaker","other":1}"#,
        "\u{0}",
        "\"\\ud800\"",
    ] {
        let post = shop
            .request(Method::POST, ISOLATE)
            .bearer_auth(SECRET)
            .header("content-type", "application/json");
        problem(post.body(body).send().await.unwrap(), 400).await;
    }
    let deep = "[".repeat(100_000);
    let post =
        shop.request(Method::POST, ISOLATE).bearer_auth(SECRET).header("content-type", "application/json");
    problem(post.body(deep).send().await.unwrap(), 400).await;
    assert!(!shop.breaker.is_refusing());
}
