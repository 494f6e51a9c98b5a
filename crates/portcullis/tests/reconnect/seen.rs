//! What a registry and listeners see, and bad settings.

use std::time::Duration;

use portcullis::{Level, PolicyKind, Reconnect, Registry, event::EventKind, retry::Backoff};
use tower::ServiceExt;

use super::support::{Dependency, ms};

#[tokio::test(start_paused = true)]
async fn connections_come_and_go() {
    let registry = Registry::new();
    let backoff = Backoff::fixed(ms(100));
    let reconnect = Reconnect::builder("inventory").backoff(backoff).registry(&registry).build().unwrap();
    let seen = || {
        let seen = registry.get(PolicyKind::Reconnect, "inventory").unwrap().snapshot();
        (seen.state, seen.level)
    };
    assert_eq!(seen(), ("idle", Level::Healthy));
    let dependency = Dependency::default();
    let service = reconnect.service(dependency.connector(), 80);
    service.clone().oneshot(1).await.unwrap();
    assert_eq!(seen(), ("connected", Level::Healthy));
    dependency.break_all();
    dependency.refuse(true);
    for _ in 0..3 {
        service.clone().oneshot(1).await.unwrap_err();
        tokio::time::advance(ms(100)).await;
    }
    assert_eq!(seen(), ("failing", Level::Degraded));
    let status = reconnect.status();
    assert_eq!((status.connected, status.succeeded, status.failed, status.broken), (0, 1, 3, 1));
    let told = reconnect.recent_events().into_iter().map(|event| event.what).collect::<Vec<_>>();
    let event = |connected, failures| EventKind::Connection { connected, failures };
    assert_eq!(told, [event(true, 0), event(false, 0), event(false, 1)]);
    dependency.refuse(false);
    service.clone().oneshot(1).await.unwrap();
    assert_eq!((seen().0, reconnect.status().connected), ("connected", 1));
    drop(service);
    assert_eq!((seen().0, reconnect.status().connected), ("idle", 0));
}

#[test]
fn what_cannot_work_names_its_field() {
    let reconnect = Reconnect::new("inventory");
    let too_long = portcullis::reconnect::Config {
        connect_timeout: Duration::MAX,
        ..portcullis::reconnect::Config::default()
    };
    let error = reconnect.reconfigure(too_long).unwrap_err();
    assert_eq!(error.field(), "reconnect.connect_timeout");
    let backoff = Backoff::fixed(Duration::MAX);
    Reconnect::builder("inventory").backoff(backoff).build().unwrap_err();
    assert_eq!(reconnect.config().connect_timeout, Duration::from_secs(5));
}
