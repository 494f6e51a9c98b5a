//! Settings, read and written.

use portcullis::{Breaker, Bulkhead, Registry};
use portcullis_config::{Format, Live, Settings};
use reqwest::{Method, Response};
use serde_json::{Value as Json, json};

use crate::support::{SECRET, Shop, problem};

const TEXT: &str = "
[defaults.bulkhead]
max_in_flight = 10
[bulkhead.db]
[breaker.\"a.b\"]
failure_ratio = 0.5
";

struct Set {
    shop: Shop,
    bulkhead: Bulkhead,
    breaker: Breaker,
}

async fn set() -> Set {
    let mut live = Live::new(Settings::builder().text("shop.toml", Format::Toml, TEXT)).unwrap();
    let registry = Registry::new();
    let bulkhead = Bulkhead::builder("db").registry(&registry).build().unwrap();
    let breaker = Breaker::builder("a.b").registry(&registry).build().unwrap();
    live.follow(&bulkhead).unwrap();
    live.follow(&breaker).unwrap();
    let shop = Shop::with(|console| console.token("ops", SECRET).config(live)).await;
    Set { shop, bulkhead, breaker }
}

impl Set {
    async fn put(&self, body: Json) -> Response {
        self.shop.request(Method::PUT, "api/config").bearer_auth(SECRET).json(&body).send().await.unwrap()
    }
}

#[tokio::test]
async fn settings_are_shown_with_all_that_they_inherit() {
    let set = set().await;
    let shown = set.shop.json("api/config").await;
    let expected = json!({ "bulkhead": { "db": { "max_in_flight": 10 } }, "breaker": { "a.b": { "failure_ratio": 0.5 } } });
    assert_eq!(shown["settings"], expected);
    assert_eq!(set.shop.json("api/policies").await["config"], true);
}

#[tokio::test]
async fn other_settings_are_given_and_told() {
    let set = set().await;
    let mut shown = set.shop.json("api/config").await;
    shown["settings"]["bulkhead"]["db"]["max_in_flight"] = json!(20);
    let answer = set.put(shown.clone()).await;
    assert_eq!(answer.status(), 200);
    let answer: Json = answer.json().await.unwrap();
    assert_eq!(answer["changed"], json!(["bulkhead.db"]));
    assert_eq!((set.bulkhead.config().max_in_flight, set.breaker.config().failure_ratio), (20, Some(0.5)));
    let told = set.shop.registry.events().recent().pop().unwrap().to_string();
    assert_eq!(told, "registry 'all' was given other settings of bulkhead.db by ops");
    problem(set.put(shown).await, 409).await;
    assert_eq!(set.shop.json("api/config").await["version"], answer["version"]);
}

#[tokio::test]
async fn whole_or_nothing_and_each_error_names_its_field() {
    let set = set().await;
    let wrong = json!({ "settings": {
        "bulkhead": { "db": { "max_in_flight": 30, "max_in_fligth": 1 } },
        "breaker": { "a.b": { "failure_ratio": 3, "permits": 1 } },
    } });
    let told = problem(set.put(wrong).await, 422).await;
    let fields: Vec<_> =
        told["errors"].as_array().unwrap().iter().map(|error| error["field"].clone()).collect();
    assert_eq!(fields, ["breaker.a.b.failure_ratio", "bulkhead.db.max_in_fligth"]);
    assert_eq!(set.bulkhead.config().max_in_flight, 10);
    for (wrong, field) in [
        (json!({ "bulkhead": {} }), "breaker.a.b"),
        (json!({ "nothing": {} }), "nothing"),
        (json!({ "bulkhead": { "db": 1 } }), "bulkhead.db"),
        (
            json!({ "bulkhead": { "db": { "max_in_flight": "many" } }, "breaker": { "a.b": {} } }),
            "bulkhead.db.max_in_flight",
        ),
    ] {
        let told = problem(set.put(json!({ "settings": wrong })).await, 422).await;
        let fields: Vec<_> =
            told["errors"].as_array().unwrap().iter().map(|error| error["field"].clone()).collect();
        assert!(fields.contains(&json!(field)), "{told}");
    }
    assert_eq!(set.bulkhead.config().max_in_flight, 10);
}

#[tokio::test]
async fn what_is_no_table_is_refused() {
    let set = set().await;
    for wrong in [json!([]), json!(1), json!("x"), json!([[[[]]]])] {
        problem(set.put(json!({ "settings": wrong })).await, 422).await;
    }
    problem(set.put(json!({})).await, 400).await;
    assert_eq!(set.bulkhead.config().max_in_flight, 10);
}

#[tokio::test]
async fn without_settings_there_are_none_to_read() {
    let shop = Shop::new().await;
    problem(shop.get("api/config").await, 404).await;
    let put = shop.request(Method::PUT, "api/config").bearer_auth(SECRET).json(&json!({ "settings": {} }));
    problem(put.send().await.unwrap(), 404).await;
}
