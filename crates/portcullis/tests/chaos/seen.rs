//! What a registry and listeners see.

use std::sync::{Arc, Mutex};

use portcullis::{
    Chaos, ChaosLayer, FailureKind, Level, PolicyKind, Registry,
    chaos::{Config, Fault, FaultKind, Latency},
    event::{EventKind, Interest},
    registry::Value,
};
use tower::{Layer, ServiceExt};

use super::support::{chaos, ms, well};

#[tokio::test]
async fn a_registry_and_listeners_see_it() {
    let registry = Registry::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = heard.clone();
    let _subscription =
        registry.events().listen(Interest::All, move |event| told.lock().unwrap().push(event.to_string()));
    let chaos = Chaos::builder("inventory").error(1.0, FailureKind::Internal).registry(&registry).build();
    let chaos = chaos.unwrap();
    let seen = || registry.get(PolicyKind::Chaos, "inventory").unwrap().snapshot();
    assert_eq!((seen().state, seen().level), ("off", Level::Healthy));
    chaos.set_enabled(true);
    ChaosLayer::new(chaos.clone()).layer(well().0).oneshot(7).await.unwrap_err();
    assert_eq!((seen().state, seen().level), ("enabled", Level::Warning));
    assert!(seen().values.contains(&("error", Value::Count(1))));
    let told = ["chaos 'inventory' has new settings", "chaos 'inventory' lets a call meet error"];
    assert_eq!(*heard.lock().unwrap(), told);
    assert!(matches!(chaos.recent_events()[..], [ref event] if event.what == EventKind::ConfigChanged));
}

#[test]
fn what_cannot_work_changes_nothing() {
    let chaos = chaos().hang(0.5).build().unwrap();
    let faults = vec![Fault { share: -1.0, what: FaultKind::Latency(Latency::Fixed(ms(1))) }];
    let error = chaos.reconfigure(Config { faults, ..chaos.config() }).unwrap_err();
    assert_eq!(error.to_string(), "chaos.share is -1.0: allowed is 0.0 to 1.0");
    assert_eq!(chaos.config().faults[0].what, FaultKind::Hang);
}
