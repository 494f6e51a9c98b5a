//! What is done does what it says, and is told.

use portcullis::Mode;
use serde_json::{Value as Json, json};

use crate::support::{OTHER, Shop, problem};

async fn done(shop: &Shop, action: &str, why: &str) -> Json {
    let answer = shop.act(action, why).await;
    assert_eq!(answer.status(), 200, "{action}");
    let answer: Json = answer.json().await.unwrap();
    answer["policies"][0].clone()
}

/// The sentence of the last audit event.
fn audited(shop: &Shop) -> String {
    let events = shop.registry.events().recent();
    let last = events.iter().rev().find(|event| event.what.as_str() == "audit");
    last.map(ToString::to_string).unwrap_or_default()
}

#[tokio::test]
async fn isolate_refuses_and_release_lets_through() {
    let shop = Shop::new().await;
    let policy = done(&shop, "isolate", "the vault is open").await;
    assert_eq!(policy["state"], "isolated");
    assert!(shop.breaker.try_admit().is_err());
    assert_eq!(audited(&shop), "breaker 'inventory' was isolated by ops: the vault is open");
    let policy = done(&shop, "release", "").await;
    assert_eq!(policy["state"], "closed");
    assert!(shop.breaker.try_admit().is_ok());
    assert_eq!(audited(&shop), "breaker 'inventory' was released by ops");
}

#[tokio::test]
async fn trip_opens_and_reset_closes() {
    let shop = Shop::new().await;
    assert_eq!(done(&shop, "trip", "a look").await["state"], "open");
    assert!(shop.breaker.is_refusing());
    assert_eq!(done(&shop, "reset", "").await["state"], "closed");
    assert_eq!(audited(&shop), "breaker 'inventory' was reset by ops");
}

#[tokio::test]
async fn a_mode_is_given_and_shown() {
    let shop = Shop::new().await;
    for (mode, shown) in [
        (json!("shadow"), "shadow"),
        (json!({ "enforce_percent": 50 }), "enforce 50%"),
        (json!("disabled"), "disabled"),
        (json!("enforce"), "enforce"),
    ] {
        let body = json!({ "kind": "bulkhead", "mode": mode, "why": "a look" });
        let answer: Json = shop.post("api/policies/inventory/mode", body).await.json().await.unwrap();
        assert_eq!(answer["policies"][0]["mode"], shown);
    }
    assert_eq!(shop.bulkhead.config().mode, Mode::Enforce);
    for wrong in
        [json!("shadows"), json!({ "enforce_percent": 101 }), json!({ "enforce_percent": -1 }), json!(null)]
    {
        let body = json!({ "kind": "bulkhead", "mode": wrong });
        problem(shop.post("api/policies/inventory/mode", body).await, 400).await;
    }
}

#[tokio::test]
async fn an_isolation_can_have_an_end() {
    let shop = Shop::new().await;
    let body = json!({ "kind": "breaker", "why": "an hour", "for_ms": 3_600_000 });
    let answer = shop.post("api/policies/inventory/isolate", body).await;
    assert_eq!(answer.status(), 200);
    assert!(shop.breaker.is_refusing());
    assert_eq!(audited(&shop), "breaker 'inventory' was isolated for 1h by ops: an hour");
    let body = json!({ "kind": "bulkhead", "for_ms": 1000 });
    problem(shop.post("api/policies/inventory/isolate", body).await, 409).await;
    for wrong in [0, 86_400_001] {
        let body = json!({ "kind": "breaker", "for_ms": wrong });
        let told = problem(shop.post("api/policies/inventory/isolate", body).await, 400).await;
        assert_eq!(told["field"], "for_ms");
    }
}

#[tokio::test]
async fn a_stop_stops_all_and_needs_a_reason() {
    let shop = Shop::new().await;
    problem(shop.post("api/stop", json!({})).await, 400).await;
    assert_eq!(shop.post("api/stop", json!({ "why": "the vault is open" })).await.status(), 200);
    assert!(shop.breaker.try_admit().is_err() && shop.bulkhead.try_admit().is_err());
    assert_eq!(audited(&shop), "registry 'all' was stopped by ops: the vault is open");
    assert_eq!(shop.json("api/policies").await["stopped"], "the vault is open");
    assert_eq!(shop.post("api/release", json!({})).await.status(), 200);
    assert!(shop.breaker.try_admit().is_ok() && shop.bulkhead.try_admit().is_ok());
    assert_eq!(shop.json("api/policies").await["stopped"], Json::Null);
}

#[tokio::test]
async fn everything_is_reset_at_once() {
    let shop = Shop::new().await;
    done(&shop, "trip", "").await;
    assert_eq!(shop.post("api/reset", json!({})).await.status(), 200);
    assert!(!shop.breaker.is_refusing());
    assert_eq!(audited(&shop), "registry 'all' was reset by ops");
}

#[tokio::test]
async fn the_audit_says_whose_token_it_was() {
    let shop = Shop::new().await;
    let request = shop.request(reqwest::Method::POST, "api/policies/inventory/trip").bearer_auth(OTHER);
    let answer = request.json(&json!({ "kind": "breaker" })).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(audited(&shop), "breaker 'inventory' was tripped by ci");
    let policy = shop.policy("breaker").await;
    let told = policy["recent"].as_array().unwrap().last().unwrap();
    assert_eq!((&told["what"], &told["by"]), (&json!("audit"), &json!("ci")));
}

#[tokio::test]
async fn what_cannot_be_done_is_refused() {
    let shop = Shop::new().await;
    problem(shop.act("explode", "").await, 404).await;
    problem(shop.post("api/policies/nobody/trip", json!({ "kind": "breaker" })).await, 404).await;
    problem(shop.post("api/policies/inventory/trip", json!({ "kind": "retry" })).await, 404).await;
    problem(shop.post("api/policies/inventory/trip", json!({ "kind": "bulkhead" })).await, 409).await;
    let told = problem(shop.post("api/policies/inventory/reset", json!({})).await, 400).await;
    assert_eq!((&told["field"], &told["allowed"]), (&json!("kind"), &json!("breaker, bulkhead")));
    let long = json!({ "kind": "breaker", "why": "x".repeat(501) });
    problem(shop.post("api/policies/inventory/trip", long).await, 400).await;
    assert!(!shop.breaker.is_refusing());
    assert_eq!(audited(&shop), "");
}

/// All of a kind and name: nobody outside knows them apart.
#[tokio::test]
async fn two_of_one_name_are_changed_together() {
    let shop = Shop::new().await;
    let second = portcullis::Breaker::builder("inventory").registry(&shop.registry).build().unwrap();
    let answer: Json = shop.act("isolate", "").await.json().await.unwrap();
    assert_eq!(answer["policies"].as_array().unwrap().len(), 2);
    assert!(second.is_refusing() && shop.breaker.is_refusing());
}
