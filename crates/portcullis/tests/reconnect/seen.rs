//! What a registry and listeners see, and bad settings.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::FutureExt;

use portcullis::{
    Level, PolicyKind, Reconnect, Registry,
    event::{EventKind, Interest},
    retry::Backoff,
};
use tower::ServiceExt;

use super::support::{Dependency, ms, reconnect};

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

/// A listener may do what it likes: also ask for the connection it is told of.
#[tokio::test(start_paused = true)]
async fn events_are_told_outside_of_every_lock() {
    let registry = Registry::new();
    let policy = Reconnect::builder("inventory").registry(&registry).build().unwrap();
    let dependency = Dependency::default();
    let service = policy.service(dependency.connector(), 80);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = heard.clone();
    let asked = Mutex::new(service.clone());
    let _subscription = registry.events().listen(Interest::All, move |event| {
        let answer = asked.try_lock().ok().map(|asked| asked.clone().oneshot(1).now_or_never().is_some());
        told.lock().unwrap().push((event.what.clone(), answer));
    });
    service.clone().oneshot(1).await.unwrap();
    let connected = EventKind::Connection { connected: true, failures: 0 };
    assert_eq!(*heard.lock().unwrap(), [(connected, Some(true))]);
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
    let unstable = portcullis::reconnect::Config {
        stable_after: Duration::MAX,
        ..portcullis::reconnect::Config::default()
    };
    assert_eq!(reconnect.reconfigure(unstable).unwrap_err().field(), "reconnect.stable_after");
    let backoff = Backoff::fixed(Duration::MAX);
    Reconnect::builder("inventory").backoff(backoff).build().unwrap_err();
    assert_eq!(reconnect.config().connect_timeout, Duration::from_secs(5));
}

/// Who is woken by a connection may look at once: there is one, and not one less than none when it breaks again.
#[tokio::test(start_paused = true)]
async fn a_connection_is_counted_before_anybody_is_told() {
    struct Looks(Reconnect, Mutex<Vec<u64>>);

    impl std::task::Wake for Looks {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0.status().connected);
        }
    }

    let policy = reconnect().build().unwrap();
    let dependency = Dependency::shut();
    let mut waits = Box::pin(policy.service(dependency.connector(), 80).oneshot(1));
    let looks = Arc::new(Looks(policy.clone(), Mutex::default()));
    let waker = looks.clone().into();
    let mut cx = std::task::Context::from_waker(&waker);
    assert!(waits.as_mut().poll(&mut cx).is_pending());
    dependency.let_in(1);
    looks.1.lock().unwrap().clear();
    // It polls on what it was woken for, and its own waker is rung by the end of the attempt.
    assert!(waits.as_mut().poll(&mut cx).is_ready());
    assert_eq!(*looks.1.lock().unwrap(), [1]);
}

/// A waker may hold anything, also somebody else who waits.
#[tokio::test(start_paused = true)]
async fn wakers_are_dropped_outside_of_every_lock() {
    struct Holds<F>(Mutex<Option<F>>);

    impl<F: Send> std::task::Wake for Holds<F> {
        fn wake(self: Arc<Self>) {}
    }

    let dependency = Dependency::shut();
    let service = reconnect().build().unwrap().service(dependency.connector(), 80);
    for replaced in [true, false] {
        let mut held = Box::pin(service.clone().oneshot(1));
        assert!(held.as_mut().now_or_never().is_none());
        let mut waits = Box::pin(service.clone().oneshot(2));
        let waker = Arc::new(Holds(Mutex::new(Some(held)))).into();
        assert!(waits.as_mut().poll(&mut std::task::Context::from_waker(&waker)).is_pending());
        drop(waker);
        if replaced {
            assert!(waits.as_mut().now_or_never().is_none());
        }
        drop(waits);
    }
    assert_eq!(dependency.attempts(), 2);
}
