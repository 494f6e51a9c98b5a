//! What is shown of policies.

use std::time::Duration;

use portcullis::{Bulkhead, Failure, FailureKind, Observer, Pipeline, RateLimit, Ticket, protocol::Attempt};
use serde_json::{Value as Json, json};

use crate::support::{Shop, encoded, problem};

const SCRIPT: &str = "<script>alert(1)</script>";
const ODD: [&str; 9] = [
    SCRIPT,
    "a/b",
    "a b",
    "%2F",
    "../../api/stop",
    "größe 🦀",
    "\"quotes\" and \\",
    "line\nend\u{0}\u{2028}",
    "?x=1#y",
];

fn ids(whole: &Json) -> Vec<String> {
    let policies = whole["policies"].as_array().unwrap();
    policies.iter().map(|policy| policy["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn all_that_is_promised_is_there() {
    let shop = Shop::new().await;
    shop.breaker.isolate();
    shop.breaker.try_admit().unwrap_err();
    let whole = shop.json("api/policies?history=1").await;
    assert_eq!((&whole["service"], &whole["overall"]), (&json!("shop"), &json!("degraded")));
    assert_eq!(
        (&whole["ready"], &whole["writable"], &whole["config"]),
        (&json!(true), &json!(true), &json!(false))
    );
    assert_eq!(ids(&whole), ["breaker/inventory", "bulkhead/inventory"]);
    let breaker = &whole["policies"][0];
    assert_eq!((&breaker["state"], &breaker["mode"]), (&json!("isolated"), &json!("enforce")));
    assert_eq!(breaker["actions"], json!(["trip", "reset", "isolate", "release", "mode"]));
    assert_eq!(breaker["totals"]["calls"]["rejected"], 1);
    assert_eq!(breaker["totals"]["rejections"]["isolated"], 1);
    assert_eq!(breaker["recent"][0]["to"], "isolated");
    assert_eq!(breaker["history"]["step_s"], 2);
    let refusal = &breaker["last_refusal"];
    assert_eq!((&refusal["reason"], &refusal["enforced"]), (&json!("isolated"), &json!(true)));
    assert_eq!(refusal["record"]["state"], "isolated");
    let bulkhead = &whole["policies"][1];
    assert_eq!((&bulkhead["rates"]["limit"], &bulkhead["rates"]["in_flight"]), (&json!(2.0), &json!(0.0)));
    assert_eq!(bulkhead["last_refusal"], Json::Null);
    assert_eq!(bulkhead["rates"]["calls_per_s"], Json::Null, "it counts only what it refuses");
}

#[tokio::test]
async fn why_a_breaker_opened_is_told() {
    let shop = Shop::new().await;
    for _ in 0..2 {
        shop.breaker.try_admit().unwrap().settle(Failure::new(FailureKind::Timeout).into());
    }
    shop.breaker.try_admit().unwrap_err();
    let refusal = shop.policy("breaker").await["last_refusal"].clone();
    let record = &refusal["record"];
    assert_eq!(
        (&record["failures"], &record["calls"], &record["last_failure"]),
        (&json!(2), &json!(2), &json!("timeout"))
    );
    assert!(
        refusal["text"].as_str().unwrap().starts_with("breaker 'inventory' is open: 2 of 2 calls failed")
    );
    assert!(record["retry_after_ms"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn two_of_one_name_are_told_apart() {
    let shop = Shop::new().await;
    let _second = portcullis::Breaker::builder("inventory").registry(&shop.registry).build().unwrap();
    let whole = shop.json("api/policies").await;
    assert_eq!(ids(&whole), ["breaker/inventory", "breaker/inventory#2", "bulkhead/inventory"]);
    let named = shop.json("api/policies/inventory?kind=breaker").await;
    assert_eq!(ids(&named), ["breaker/inventory", "breaker/inventory#2"]);
}

#[tokio::test]
async fn a_name_may_be_anything() {
    let shop = Shop::new().await;
    let odd: Vec<_> =
        ODD.map(|name| RateLimit::builder(name).registry(&shop.registry).build().unwrap()).into();
    let answer = shop.get("api/policies").await;
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    let whole: Json = answer.json().await.unwrap();
    for name in ODD {
        assert!(ids(&whole).contains(&format!("rate_limit/{name}")), "{name:?}");
        let url = shop.url(&format!("api/policies/{}", encoded(name)));
        let get = shop.client.get(url).bearer_auth(crate::support::SECRET).send().await.unwrap();
        assert_eq!(get.status(), 200, "{name:?}");
        let named: Json = get.json().await.unwrap();
        assert_eq!(named["policies"][0]["name"], name);
    }
    drop(odd);
    assert_eq!(ids(&shop.json("api/policies").await).len(), 2);
}

#[tokio::test]
async fn a_text_finds_by_kind_and_name() {
    let shop = Shop::new().await;
    let _other = Bulkhead::builder("Prices").registry(&shop.registry).build().unwrap();
    assert_eq!(ids(&shop.json("api/policies?q=prices").await), ["bulkhead/Prices"]);
    assert_eq!(ids(&shop.json("api/policies?q=breaker/").await), ["breaker/inventory"]);
    assert!(ids(&shop.json("api/policies?q=%00").await).is_empty());
}

#[tokio::test]
async fn who_is_not_there_is_not_found() {
    let shop = Shop::new().await;
    for path in
        ["api/policies/nobody", "api/policies/%FF", "api/pipelines/nobody/explain", "api", "api/", "nothing"]
    {
        let answer = shop.get(path).await;
        let status = answer.status().as_u16();
        assert!([400, 404].contains(&status), "{path}: {status}");
        problem(answer, status).await;
    }
    let answer = shop.get("metrics").await;
    assert!(problem(answer, 404).await["detail"].as_str().unwrap().contains("exporter"));
    let answer = shop.post("api/policies", json!({})).await;
    problem(answer, 405).await;
}

#[tokio::test]
async fn pipelines_are_explained() {
    let shop = Shop::new().await;
    let pipeline =
        Pipeline::client("stock").registry(&shop.registry).standard().http_client().build().unwrap();
    let pipelines = shop.json("api/pipelines").await;
    let stock = &pipelines["pipelines"][0];
    assert_eq!((&stock["name"], &stock["side"]), (&json!("stock"), &json!("client")));
    let parts = stock["parts"].as_array().unwrap();
    let deadline = parts.iter().find(|part| part["kind"] == "deadline").unwrap();
    assert_eq!(deadline["id"], "timeout/stock");
    let ids_there = ids(&shop.json("api/policies").await);
    assert!(
        parts.iter().all(|part| ids_there.contains(&part["id"].as_str().unwrap().to_owned())),
        "{parts:?}"
    );
    let told = shop.json("api/pipelines/stock/explain").await;
    assert_eq!(told["text"], pipeline.explain().to_string());
    assert_eq!(told["order"].as_array().unwrap().len(), parts.len());
}

/// Such as a server's and a client's.
#[tokio::test]
async fn pipelines_of_one_name_are_told_apart_by_a_number() {
    let shop = Shop::new().await;
    let server = Pipeline::server("stock").registry(&shop.registry).deadline(Duration::from_secs(3));
    let client = Pipeline::client("stock").registry(&shop.registry).breaker(shop.breaker.clone());
    let (server, client) = (server.build().unwrap(), client.build().unwrap());
    let pipelines = shop.json("api/pipelines").await;
    for (pipeline, (side, text)) in pipelines["pipelines"]
        .as_array()
        .unwrap()
        .iter()
        .zip([("server", server.explain().to_string()), ("client", client.explain().to_string())])
    {
        assert_eq!(pipeline["side"], side);
        let told = shop.json(&format!("api/pipelines/stock/explain?number={}", pipeline["number"])).await;
        assert_eq!(told["text"], text);
    }
    assert_eq!(shop.json("api/pipelines/stock/explain").await["side"], "client", "the youngest");
    problem(shop.get("api/pipelines/stock/explain?number=0").await, 404).await;
    problem(shop.get("api/pipelines/stock/explain?number=3").await, 404).await;
    problem(shop.get("api/pipelines/stock/explain?number=-1").await, 400).await;
}

#[tokio::test]
async fn rates_are_of_the_last_seconds() {
    let shop = Shop::new().await;
    let rates = async || shop.policy("breaker").await["rates"].clone();
    let start = tokio::time::Instant::now();
    while rates().await["calls_per_s"].as_f64().is_none_or(|rate| rate == 0.0) {
        let mut ticket = shop.breaker.try_admit().unwrap();
        ticket.settle(portcullis::Verdict::Success);
        drop(ticket);
        assert!(start.elapsed() < crate::support::PATIENCE, "no rate yet");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(rates().await["failure_ratio"], 0.0);
    let history = shop.json("api/policies?history=1").await["policies"][0]["history"].clone();
    let calls: u64 = history["calls"].as_array().unwrap().iter().filter_map(Json::as_u64).sum();
    assert!(calls > 0, "{history}");
}

/// Of the calls that an observer of the same name sees, each once, and not of their attempts.
#[tokio::test]
async fn percentiles_are_those_of_the_observer_of_that_name() {
    let shop = Shop::new().await;
    let observer = Observer::builder("inventory").durations(true).registry(&shop.registry).build().unwrap();
    let rates = async || shop.policy("breaker").await["rates"].clone();
    let start = tokio::time::Instant::now();
    while rates().await["p99_ms"].is_null() {
        let mut call = observer.begin();
        drop((observer.begin_attempt(Attempt::FIRST), observer.begin_attempt(Attempt::FIRST)));
        call.settle(portcullis::Verdict::Success);
        drop(call);
        assert!(start.elapsed() < crate::support::PATIENCE, "no percentiles yet");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let seen = shop.policy("observer").await;
    assert_eq!(seen["totals"]["calls"]["success"], observer.status().calls.successes);
    assert_eq!(seen["totals"]["calls"]["abandoned"], 0);
    let (p50, p99) = (seen["rates"]["p50_ms"].as_f64().unwrap(), seen["rates"]["p99_ms"].as_f64().unwrap());
    assert!(0.0 < p50 && p50 <= p99, "{p50} {p99}");
}

#[tokio::test]
async fn health_is_told_as_by_the_health_layer() {
    let shop = Shop::new().await;
    let document = shop.json("health").await;
    assert_eq!(document["policies"]["inventory"]["kind"], "breaker");
    let text = shop.get("health?format=text").await.text().await.unwrap();
    assert!(text.starts_with("healthy\n"), "{text}");
}
