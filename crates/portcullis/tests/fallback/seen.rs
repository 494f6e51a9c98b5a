//! What a registry and listeners see.

use std::{
    io::ErrorKind::TimedOut,
    sync::{Arc, Mutex},
};

use portcullis::{
    FailureKind, Fallback, FallbackLayer, PolicyKind, Registry,
    event::{EventKind, Interest},
    fallback::Failover,
    registry::Value,
};
use portcullis_testkit::script::Step;
use tower::{Layer, ServiceExt};

use super::support::{dependency, io};

#[tokio::test]
async fn a_registry_and_listeners_see_what_is_answered_instead() {
    let registry = Registry::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = heard.clone();
    let _subscription = registry.events().listen(Interest::All, move |event| {
        told.lock().unwrap().push((event.to_string(), event.what.clone()));
    });
    let fallback = Fallback::builder("prices").registry(&registry).build().unwrap();
    let service = FallbackLayer::value(fallback.clone(), |_| 99).layer(dependency([io(TimedOut)]).0);
    service.oneshot(7).await.unwrap();
    fallback.reconfigure((*fallback.config()).clone()).unwrap();
    let heard = heard.lock().unwrap();
    assert_eq!(heard[0].0, "fallback 'prices' answers something else, after timeout");
    assert_eq!(heard[0].1, EventKind::Fallback { after: Some(FailureKind::Timeout) });
    assert_eq!(heard[1].1, EventKind::ConfigChanged);
    assert_eq!(fallback.recent_events().len(), 1);
    let seen = registry.get(PolicyKind::Fallback, "prices").unwrap().snapshot();
    assert!(seen.values.contains(&("used", Value::Count(1))), "{seen:?}");
}

#[tokio::test]
async fn a_registry_sees_a_failover() {
    let registry = Registry::new();
    let service = Failover::builder("ai")
        .registry(&registry)
        .provider("one", dependency([io(TimedOut)]).0)
        .provider("two", dependency([Step::ok(2)]).0)
        .build()
        .unwrap();
    service.clone().oneshot(7).await.unwrap();
    let seen = registry.get(PolicyKind::Failover, "ai").unwrap().snapshot();
    assert!(seen.values.contains(&("passed_on", Value::Text("one: 1, two: 0".to_owned()))), "{seen:?}");
    drop(service);
    assert!(registry.get(PolicyKind::Failover, "ai").is_none());
}
