//! Settings that change while calls flow.

use portcullis::{BoxError, ObserveLayer, Observer, Registry, event::EventKind, observe::Config};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::observer;

#[tokio::test]
async fn it_can_be_switched_off_and_on_while_calls_flow() {
    let observer = observer(&Registry::new());
    let service =
        ObserveLayer::calls(observer.clone()).layer(service_fn(|()| async { Ok::<_, BoxError>(()) }));
    service.clone().oneshot(()).await.unwrap();
    observer.reconfigure(Config { enabled: false, ..Config::default() }).unwrap();
    service.clone().oneshot(()).await.unwrap();
    assert_eq!(observer.status().calls.successes, 1, "what was counted stays");
    observer.reconfigure(Config::default()).unwrap();
    service.oneshot(()).await.unwrap();
    assert_eq!(observer.status().calls.successes, 2);
    let told: Vec<_> = observer.recent_events().into_iter().map(|event| event.what).collect();
    assert!(matches!(told[..], [EventKind::ConfigChanged, EventKind::ConfigChanged]), "{told:?}");
}

/// A call that has begun ends as it began.
#[tokio::test]
async fn calls_in_flight_are_counted_though_it_is_switched_off_meanwhile() {
    let observer = observer(&Registry::new());
    let call = observer.begin();
    observer.reconfigure(Config { enabled: false, ..Config::default() }).unwrap();
    drop(call);
    assert_eq!((observer.status().calls.abandoned, observer.status().calls.in_flight), (1, 0));
}

#[test]
fn the_builder_takes_what_there_is_to_say() {
    let registry = Registry::new();
    let observer =
        Observer::builder("shop").enabled(false).durations(true).registry(&registry).build().unwrap();
    assert_eq!(observer.config(), Config { enabled: false, durations: true });
    assert_eq!(
        Observer::builder("shop").config(Config::default()).build().unwrap().config(),
        Config::default()
    );
}
