//! Events as they happen, and what was missed.

use portcullis::Breaker;
use reqwest::{Method, Response};
use serde_json::{Value as Json, json};
use tokio::time::timeout;

use crate::support::{PATIENCE, SECRET, Shop, problem};

/// A reader of events.
struct Reader {
    response: Response,
    text: String,
}

#[derive(Debug, Default, PartialEq)]
struct Told {
    id: Option<String>,
    event: String,
    data: Json,
}

impl Reader {
    async fn new(shop: &Shop, after: Option<&str>) -> Self {
        let mut request = shop.request(Method::GET, "api/events").bearer_auth(SECRET);
        if let Some(id) = after {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.unwrap().error_for_status().unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next one; `None` at the end.
    async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let told = parse(event);
                self.text = rest.to_owned();
                return Some(told);
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk.ok()??).unwrap());
        }
    }

    async fn hello(&mut self) -> String {
        let hello = self.next().await.unwrap();
        assert_eq!(hello.event, "hello");
        hello.data["epoch"].as_str().unwrap().to_owned()
    }
}

fn parse(event: &str) -> Told {
    let mut told = Told::default();
    for line in event.lines() {
        match line.split_once(": ") {
            Some(("id", id)) => told.id = Some(id.to_owned()),
            Some(("event", event)) => told.event = event.to_owned(),
            Some(("data", data)) => told.data = serde_json::from_str(data).unwrap(),
            _ => {}
        }
    }
    told
}

#[tokio::test]
async fn events_are_told_as_they_happen() {
    let shop = Shop::new().await;
    let mut reader = Reader::new(&shop, None).await;
    reader.hello().await;
    shop.act("trip", "a look").await;
    let trip = reader.next().await.unwrap();
    assert_eq!((&trip.data["what"], &trip.data["to"]), (&json!("state_change"), &json!("open")));
    assert_eq!(trip.data["level"], "warn");
    let audit = reader.next().await.unwrap();
    assert_eq!((&audit.data["what"], &audit.data["by"]), (&json!("audit"), &json!("ops")));
    assert_eq!(audit.data["text"], "breaker 'inventory' was tripped by ops: a look");
    shop.breaker.try_admit().unwrap_err();
    let refused = reader.next().await.unwrap();
    assert_eq!((&refused.data["reason"], &refused.data["enforced"]), (&json!("open"), &json!(true)));
}

#[tokio::test]
async fn who_comes_back_goes_on_where_it_left_off() {
    let shop = Shop::new().await;
    let mut reader = Reader::new(&shop, None).await;
    reader.hello().await;
    shop.breaker.isolate();
    let last = reader.next().await.unwrap().id.unwrap();
    drop(reader);
    shop.breaker.release();
    shop.breaker.trip();
    let mut reader = Reader::new(&shop, Some(&last)).await;
    reader.hello().await;
    assert_eq!(reader.next().await.unwrap().data["to"], "closed");
    assert_eq!(reader.next().await.unwrap().data["to"], "open");
}

#[tokio::test]
async fn what_was_missed_and_is_gone_is_told() {
    let shop = Shop::new().await;
    let mut reader = Reader::new(&shop, None).await;
    reader.hello().await;
    shop.breaker.isolate();
    let last = reader.next().await.unwrap().id.unwrap();
    drop(reader);
    for _ in 0..1000 {
        shop.breaker.release();
        shop.breaker.isolate();
    }
    let mut reader = Reader::new(&shop, Some(&last)).await;
    reader.hello().await;
    let lagged = reader.next().await.unwrap();
    assert_eq!((lagged.event.as_str(), &lagged.data), ("lagged", &json!({ "lost": 2000 - 1024 })));
    let mut kept = 0;
    while kept < 1024 {
        assert_eq!(reader.next().await.unwrap().event, "event");
        kept += 1;
    }
}

/// Numbers of a process that is gone mean nothing here.
#[tokio::test]
async fn after_a_restart_the_stream_begins_anew() {
    let (before, after) = (Shop::new().await, Shop::new().await);
    let mut reader = Reader::new(&before, None).await;
    let old = reader.hello().await;
    before.breaker.isolate();
    let last = reader.next().await.unwrap().id.unwrap();
    after.breaker.trip();
    let mut reader = Reader::new(&after, Some(&last)).await;
    assert_ne!(reader.hello().await, old);
    after.breaker.reset();
    assert_eq!(reader.next().await.unwrap().data["to"], "closed", "and not the trip before");
}

/// Thousands of refusals are a few events.
#[tokio::test]
async fn refusals_are_thinned_out_and_changes_are_not() {
    let shop = Shop::new().await;
    let mut reader = Reader::new(&shop, None).await;
    reader.hello().await;
    shop.breaker.isolate();
    (0..10_000).for_each(|_| drop(shop.breaker.try_admit().unwrap_err()));
    shop.breaker.release();
    let mut refused = 0;
    while reader.next().await.unwrap().data["to"] != "closed" {
        refused += 1;
    }
    assert!(refused < 5000, "{refused}");
    assert_eq!(shop.policy("breaker").await["totals"]["rejections"]["isolated"], 10_000);
}

#[tokio::test]
async fn a_name_breaks_no_line_of_the_stream() {
    let shop = Shop::new().await;
    let mut reader = Reader::new(&shop, None).await;
    reader.hello().await;
    let name = "x\n\nevent: lagged\ndata: {\"lost\":1}\r\n\u{2028}";
    let breaker = Breaker::builder(name).registry(&shop.registry).build().unwrap();
    breaker.isolate();
    let told = reader.next().await.unwrap();
    assert_eq!((told.event.as_str(), &told.data["policy"]), ("event", &json!(name)));
}

#[tokio::test]
async fn streams_are_capped() {
    let shop = Shop::with(|console| console.token("ops", SECRET).streams(2)).await;
    let first = Reader::new(&shop, None).await;
    let _second = Reader::new(&shop, None).await;
    let third = shop.get("api/events").await;
    assert_eq!(third.headers()["connection"], "close");
    problem(third, 503).await;
    drop(first);
    let start = tokio::time::Instant::now();
    while shop.get("api/events").await.status() != 200 {
        assert!(start.elapsed() < PATIENCE, "its room is free again");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_stream_ends_with_the_server() {
    let shop = Shop::new().await;
    let mut reader = Reader::new(&shop, None).await;
    reader.hello().await;
    shop.server.shutdown().await;
    assert_eq!(reader.next().await, None);
}
