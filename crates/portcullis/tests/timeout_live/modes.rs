//! Settings that change while calls flow.

use portcullis::{
    Mode, Registry, Rejection, Timeout, TimeoutLayer,
    event::{EventKind, Interest},
    registry::Value,
    timeout::Config,
};
use tokio::time::Instant;
use tower::{Layer, Service, ServiceExt};

use crate::support::{limit_of, ms, takes, timeout};

#[tokio::test(start_paused = true)]
async fn shadow_counts_what_would_have_been_late_and_lets_it_go_on() {
    let timeout = timeout(Config { mode: Mode::Shadow, ..ms(100).into() });
    let service = TimeoutLayer::new(timeout.clone()).layer(takes());
    let before = Instant::now();
    assert_eq!(service.clone().oneshot(300).await.unwrap(), 300);
    assert_eq!(service.oneshot(50).await.unwrap(), 50);
    assert_eq!(before.elapsed(), ms(350));
    assert_eq!(timeout.call(|| async { takes().oneshot(300).await }).await.unwrap(), 300);
    let status = timeout.status();
    assert_eq!((status.expired, status.shadowed, status.mode), (0, 2, Mode::Shadow));
}

/// A call that waits for its turn goes on waiting, and is woken.
#[tokio::test(start_paused = true)]
async fn shadow_lets_a_call_wait_for_readiness() {
    let timeout = timeout(Config { mode: Mode::Shadow, ..ms(100).into() });
    let limited = tower::limit::ConcurrencyLimit::new(takes(), 1);
    let service = TimeoutLayer::new(timeout.clone()).layer(limited);
    let calls = [150, 150, 150].map(|millis| tokio::spawn(service.clone().oneshot(millis)));
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), 150);
    }
    assert_eq!(timeout.status().shadowed, 3);
}

#[tokio::test(start_paused = true)]
async fn a_share_of_the_late_calls_is_ended() {
    let config = Config { mode: Mode::EnforcePercent(30), ..ms(100).into() };
    let timeout = Timeout::builder("shop", config).seed(7).registry(&Registry::new()).build().unwrap();
    let service = TimeoutLayer::new(timeout.clone()).layer(takes());
    for _ in 0..1000 {
        let _ = service.clone().oneshot(200).await;
    }
    let status = timeout.status();
    assert_eq!(status.expired + status.shadowed, 1000);
    assert!((250..350).contains(&status.expired), "{status:?}");
}

#[tokio::test(start_paused = true)]
async fn disabled_arms_no_timer() {
    let timeout = timeout(ms(100));
    timeout.set_mode(Mode::Disabled).unwrap();
    let service = TimeoutLayer::new(timeout.clone()).layer(takes());
    assert_eq!(service.oneshot(300).await.unwrap(), 300);
    assert_eq!(timeout.call(|| async { takes().oneshot(300).await }).await.unwrap(), 300);
    assert_eq!((timeout.status().expired, timeout.status().shadowed), (0, 0));
    assert!(timeout.set_mode(Mode::EnforcePercent(101)).is_err());
}

/// A call that has begun keeps its limit, and the next has the new one.
#[tokio::test(start_paused = true)]
async fn a_limit_that_changes_is_that_of_the_next_call() {
    let timeout = timeout(ms(100));
    let mut service = TimeoutLayer::new(timeout.clone()).layer(takes());
    let begun = service.ready().await.unwrap().call(1000);
    timeout.reconfigure(Config { limit: ms(200), ..(*timeout.config()).clone() }).unwrap();
    assert_eq!(limit_of(begun.await), Some(ms(100)));
    assert_eq!(limit_of(service.ready().await.unwrap().call(1000).await), Some(ms(200)));
    assert_eq!((timeout.limit(), timeout.expired()), (ms(200), 2));
    let error = timeout.reconfigure(ms(0).into()).unwrap_err();
    assert_eq!((error.field(), timeout.limit()), ("timeout.limit", ms(200)));
}

/// What is told, and by which method of the policy a listener may look meanwhile: by every one.
#[tokio::test(start_paused = true)]
async fn events_tell_of_changes_and_of_late_calls() {
    let registry = Registry::new();
    let timeout = Timeout::builder("shop", ms(100)).registry(&registry).build().unwrap();
    let (send, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let asked = timeout.clone();
    let _heard = registry.events().listen(Interest::All, move |event| {
        let _ = (asked.status(), asked.recent_events(), asked.config());
        let _ = send.send(event.what.clone());
    });
    let service = TimeoutLayer::new(timeout.clone()).layer(takes());
    service.clone().oneshot(500).await.unwrap_err();
    timeout.set_mode(Mode::Shadow).unwrap();
    service.oneshot(500).await.unwrap();
    let late: Result<(), Rejection> = timeout.call(|| async { Ok(()) }).await;
    late.unwrap();
    let mut told = Vec::new();
    while let Ok(what) = seen.try_recv() {
        told.push(match what {
            EventKind::Rejected { rejection, enforced } => format!("{rejection}, {enforced}"),
            EventKind::ConfigChanged => "changed".to_owned(),
            other => panic!("{other:?}"),
        });
    }
    let late = "timeout 'shop' had no answer within 100ms (total)";
    assert_eq!(told, [format!("{late}, true"), "changed".to_owned(), format!("{late}, false")]);
    assert_eq!(timeout.recent_events().len(), 1, "single late calls are not kept");
}

#[tokio::test(start_paused = true)]
async fn what_is_seen_says_all() {
    let registry = Registry::new();
    let timeout = Timeout::builder("shop", ms(100)).registry(&registry).build().unwrap();
    TimeoutLayer::new(timeout.clone()).layer(takes()).oneshot(500).await.unwrap_err();
    let [seen] = &registry.snapshot()[..] else { panic!("one policy") };
    let value = |name| seen.values.iter().find(|value| value.0 == name).map(|value| value.1.clone());
    assert_eq!(value("mode"), Some(Value::Word("enforce")));
    assert_eq!(["limit_ms", "expired", "shadowed"].map(value), [100, 1, 0].map(|n| Some(Value::Count(n))));
}
