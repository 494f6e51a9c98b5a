//! A throttle per key.

use portcullis::{
    BoxError, FailureKind, KeyedThrottle, Mode, PolicyKind, Priority, Registry, ThrottleLayer, Ticket,
    keyed::by,
    throttle::{Config, KeyedThrottleBuilder},
};
use tokio::time::sleep;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::support::{SECOND, failure, held_back, ms, refused_by_dependency};

fn builder() -> KeyedThrottleBuilder {
    KeyedThrottle::builder("backends").seed(1).registry(&Registry::new())
}

#[tokio::test(start_paused = true)]
async fn a_key_is_held_back_by_what_happens_to_its_own() {
    let backends = builder().build().unwrap();
    refused_by_dependency(&backends.throttle("a"), 50);
    let service = ServiceBuilder::new()
        .layer(ThrottleLayer::by(backends.by(by::text(|key: &String| Some(key)))))
        .service(service_fn(|key: String| async move { Ok::<_, BoxError>(key) }));
    let mut refused = [0, 0];
    for _ in 0..20 {
        for (at, key) in ["a", "b"].into_iter().enumerate() {
            refused[at] += u32::from(held_back(&service.clone().oneshot(key.to_owned()).await));
        }
    }
    assert!(refused[0] > 10 && refused[1] == 0, "{refused:?}");
    assert_eq!(backends.status().rejected, backends.throttle("a").status().rejected);
    let name = backends.get("a").unwrap().name().to_string();
    assert_eq!((name.as_str(), backends.len()), ("backends/a", 2));
}

#[tokio::test(start_paused = true)]
async fn a_key_may_be_a_priority_or_none() {
    let classes = builder().keys::<Priority>().build().unwrap();
    refused_by_dependency(&classes.throttle(&Priority::Low), 50);
    let service = ServiceBuilder::new()
        .layer(ThrottleLayer::by(classes.by(|class: &Option<Priority>| *class)))
        .service(service_fn(|_| async { Ok::<_, BoxError>(()) }));
    for _ in 0..20 {
        service.clone().oneshot(Some(Priority::High)).await.unwrap();
        service.clone().oneshot(None).await.unwrap();
        let _ = service.clone().oneshot(Some(Priority::Low)).await;
    }
    let accepted = |class| classes.throttle(&class).status().accepted;
    assert_eq!((accepted(Priority::High), classes.len()), (20, 2));
    assert!(accepted(Priority::Low) < 10);
}

/// A flood of keys would otherwise free who was held back.
#[tokio::test(start_paused = true)]
async fn a_key_stays_while_it_holds_anything_back() {
    let backends = builder().max_keys(1).idle_after(ms(1)).window(10 * SECOND).build().unwrap();
    refused_by_dependency(&backends.throttle("a"), 20);
    sleep(5 * SECOND).await;
    assert_eq!(&**backends.throttle("b").name(), "backends/(other)");
    assert_eq!((backends.sweep(), backends.status().overflows), (0, 1));
    sleep(6 * SECOND).await;
    assert_eq!(&**backends.throttle("b").name(), "backends/b");
}

#[tokio::test(start_paused = true)]
async fn a_key_in_flight_stays() {
    let backends = builder().idle_after(ms(1)).build().unwrap();
    let ticket = backends.throttle("a").try_admit().unwrap();
    sleep(SECOND).await;
    assert_eq!(backends.sweep(), 0);
    drop(ticket);
    assert_eq!(backends.sweep(), 1);
}

#[tokio::test(start_paused = true)]
async fn settings_reach_every_key() {
    let registry = Registry::new();
    let backends = builder().registry(&registry).build().unwrap();
    refused_by_dependency(&backends.throttle("a"), 50);
    backends.reconfigure(Config { max_share: 0.2, ..(*backends.config()).clone() }).unwrap();
    assert_eq!(backends.throttle("a").status().chance, 0.2);
    assert_eq!(
        (backends.overflow().config().max_share, backends.throttle("b").config().max_share),
        (0.2, 0.2)
    );
    assert!(backends.reconfigure(Config { k: 0.0, ..Config::default() }).is_err());

    backends.set_mode(Mode::Disabled).unwrap();
    for key in ["a", "b", "c"] {
        (0..50)
            .for_each(|_| backends.throttle(key).try_admit().unwrap().settle(failure(FailureKind::Timeout)));
    }
    assert_eq!(backends.throttle("c").status().requests, 0);
    assert_eq!(backends.recent_events().len(), 2);
    let names: Vec<_> = registry.snapshot().iter().map(|one| (one.kind, one.name.to_string())).collect();
    let kind = PolicyKind::Throttle;
    assert_eq!(names, [(kind, "backends".to_owned()), (kind, "backends/(other)".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn all_keys_forget_at_once() {
    let registry = Registry::new();
    let backends = builder().registry(&registry).build().unwrap();
    refused_by_dependency(&backends.throttle("a"), 50);
    registry.reset_all();
    assert_eq!(backends.throttle("a").status().requests, 0);
    let mut seen = Vec::new();
    backends.for_each(|key, throttle| seen.push((key.to_string(), throttle.status().chance)));
    assert_eq!(seen, [("a".to_owned(), 0.0)]);
}

#[test]
fn a_key_costs_little_and_a_known_one_nothing() {
    const KEYS: usize = 10_000;
    let mut kept = None;
    let counts = allocation_counter::measure(|| {
        let backends = builder().build().unwrap();
        (0..KEYS).for_each(|n| drop(backends.throttle(format!("backend-{n:08}").as_str())));
        kept = Some(backends);
    });
    let backends = kept.unwrap();
    let each = counts.bytes_current as usize / KEYS;
    println!("{each} bytes a key of 16 bytes");
    assert!(each <= 3 * 1024, "{each} bytes a key");
    let known = allocation_counter::measure(|| {
        backends.throttle("backend-00000001").try_admit().unwrap().settle(portcullis::Verdict::Success);
    });
    assert_eq!(known.count_total, 0);
}

/// It has the settings of all keys: others alone would have been told of one key only.
#[tokio::test(start_paused = true)]
async fn one_key_alone_does_not_take_other_settings() {
    let backends = builder().build().unwrap();
    let one = backends.throttle("a");
    let error = one.reconfigure(Config { k: 5.0, ..(*one.config()).clone() }).unwrap_err();
    assert_eq!(error.field(), "throttle.key");
    assert!(one.set_mode(Mode::Disabled).is_err());
    assert_eq!((backends.config().k, backends.config().mode), (2.0, Mode::Enforce));
}
