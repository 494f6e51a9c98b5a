//! What is told of a pipeline, and by whom.

use portcullis::{
    Breaker, Bulkhead, KeyedRateLimit, Mode, Pipeline, RateLimitLayer, Registry, Timeout, keyed::by,
    pipeline::Side, timeout::Config,
};

use crate::support::{call, ms};

#[test]
fn the_explanation_follows_the_settings() {
    let registry = Registry::new();
    let attempt = Timeout::builder("shop", ms(100)).registry(&registry).build().unwrap();
    let pipeline =
        Pipeline::client("shop").attempt_timeout(attempt.clone()).deadline(ms(1000)).registry(&registry);
    let pipeline = pipeline.build().unwrap();
    assert_eq!(pipeline.explain().latency.call, Some(ms(100)));
    assert_eq!(pipeline.explain().never, []);
    attempt.reconfigure(Config { limit: ms(2000), ..(*attempt.config()).clone() }).unwrap();
    assert_eq!(pipeline.explain().latency.call, Some(ms(1000)));
    let never = pipeline.explain().never.clone();
    assert_eq!(never.len(), 1);
    assert_eq!(
        never[0].to_string(),
        "attempt_timeout 'shop': its 2s are never over before the 1s of the deadline"
    );
    attempt.set_mode(Mode::Disabled).unwrap();
    assert_eq!(pipeline.explain().never, []);
}

#[test]
fn standard_pipelines_are_explained() {
    let registry = Registry::new();
    let client = Pipeline::client("shop").standard().registry(&registry).http_client().build().unwrap();
    assert_eq!(
        client.explain().to_string(),
        "pipeline 'shop', client, from the outside to the inside:\n\
         \x20 1. observe          'shop': spans, counts\n\
         \x20 2. deadline         'shop': 10s\n\
         \x20 3. retry            'shop': 3 attempts, waits of 150ms in all, budget 20% of calls and 10 a second\n\
         \x20 4. attempts         'shop': spans, counts\n\
         \x20 5. breaker          'shop': opens after 5 failures in a row or at 50% of the last 100 calls, for 5s\n\
         \x20 6. bulkhead         'shop': 100 at a time\n\
         \x20 7. attempt_timeout  'shop': 3s\n\
         longest call: 10s, where the deadline ends it; without it 69.15s\n\
         attempts: one call is at most 3 attempts; all together are at most 1.2 times as many, and 10 a second"
    );
    let server = Pipeline::server("shop").standard().registry(&registry).http_server().build().unwrap();
    let told = server.explain().to_string();
    assert!(
        told.ends_with(
            "longest call: 10s, where the deadline ends it\nattempts: none: each call is one attempt"
        ),
        "{told}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_registry_knows_pipelines_while_anything_of_them_lives() {
    let registry = Registry::new();
    let build = |name: &'static str| {
        let breaker = Breaker::builder(name).registry(&registry).build().unwrap();
        Pipeline::client(name).breaker(breaker).registry(&registry).build().unwrap()
    };
    let (a, b) = (build("a"), build("b"));
    let names = || registry.pipelines().iter().map(|plan| plan.name().to_string()).collect::<Vec<_>>();
    assert_eq!(names(), ["a", "b"]);
    assert_eq!(registry.pipeline("b").unwrap().side(), Side::Client);
    assert_eq!(registry.pipeline("b").unwrap().explain(), b.explain());
    assert!(registry.pipeline("c").is_none());
    // A service alone keeps it.
    let service =
        tower::Layer::layer(&a, tower::service_fn(|n: u32| async move { Ok::<_, portcullis::BoxError>(n) }));
    drop(a);
    assert_eq!(names(), ["a", "b"]);
    drop((service, b));
    assert_eq!(names(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_is_by_key_bounds_each_key_and_not_the_whole() {
    let registry = Registry::new();
    let limits: KeyedRateLimit = KeyedRateLimit::builder("k").registry(&registry).build().unwrap();
    let keyed = RateLimitLayer::by(limits.by(by::header(http::header::HOST)));
    let bulkhead = Bulkhead::builder("b").registry(&registry).build().unwrap();
    let pipeline =
        Pipeline::client("shop").bulkhead(bulkhead).rate_limit(keyed).registry(&registry).http_client();
    let explained = pipeline.build().unwrap().explain();
    assert_eq!(explained.order[0].settings, "for each key 100 in 1s, 100 at once");
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_is_its_layers() {
    let registry = Registry::new();
    let bulkhead = Bulkhead::builder("b").registry(&registry).build().unwrap();
    let pipeline = Pipeline::client("x").bulkhead(bulkhead.clone()).registry(&registry).build().unwrap();
    let permit = bulkhead.try_admit().unwrap();
    bulkhead.resize(1).unwrap();
    assert!(call(&pipeline).await.is_err());
    drop(permit);
    assert_eq!(call(&pipeline.clone()).await.unwrap(), 2);
}
