//! A limit per key.

use portcullis::{
    BoxError, KeyedRateLimit, Mode, PolicyKind, RateLimitLayer, Registry,
    event::Interest,
    keyed::by,
    rate::{Config, KeyedRateLimitBuilder},
};
use tokio::time::{advance, sleep};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::support::{SECOND, ms, rejection};

/// One in a second for each key.
fn builder() -> KeyedRateLimitBuilder {
    KeyedRateLimit::builder("tenants").rate(1, SECOND).registry(&Registry::new())
}

#[tokio::test(start_paused = true)]
async fn a_key_spends_no_others_permits() {
    let tenants = builder().build().unwrap();
    let service = ServiceBuilder::new()
        .layer(RateLimitLayer::by(tenants.by(by::text(|tenant: &String| Some(tenant)))))
        .service(service_fn(|tenant: String| async move { Ok::<_, BoxError>(tenant) }));
    for tenant in ["a", "b"] {
        service.clone().oneshot(tenant.to_owned()).await.unwrap();
        let refused = rejection(service.clone().oneshot(tenant.to_owned()).await);
        assert_eq!(&**refused.policy(), format!("tenants/{tenant}"));
        assert_eq!(refused.retry_after(), Some(SECOND));
    }
    assert_eq!((tenants.len(), tenants.status().rejected), (2, 2));
}

/// What a flood of keys could otherwise do: give who spent his permits new ones.
#[tokio::test(start_paused = true)]
async fn a_key_stays_until_all_its_permits_are_there() {
    let tenants = builder().max_keys(1).idle_after(ms(1)).build().unwrap();
    tenants.limit("a").try_admit().unwrap();
    sleep(ms(500)).await;
    assert_eq!(&**tenants.limit("b").name(), "tenants/(other)");
    assert!(tenants.limit("a").try_admit().is_err());
    assert_eq!((tenants.sweep(), tenants.status().overflows), (0, 1));
    sleep(ms(500)).await;
    assert_eq!(&**tenants.limit("b").name(), "tenants/b");
    assert_eq!((tenants.len(), tenants.get("a").is_none()), (1, true));
}

#[tokio::test(start_paused = true)]
async fn who_waits_keeps_its_key() {
    let tenants = builder().queue(1, 9 * SECOND).idle_after(ms(1)).build().unwrap();
    tenants.limit("a").try_admit().unwrap();
    let limit = tenants.limit("a");
    let call = tokio::spawn(async move { limit.admit(1).await });
    sleep(ms(500)).await;
    assert_eq!(tenants.sweep(), 0);
    call.await.unwrap().unwrap();
    advance(SECOND).await;
    assert_eq!(tenants.sweep(), 1);
}

#[tokio::test(start_paused = true)]
async fn settings_reach_every_key() {
    let registry = Registry::new();
    let tenants = builder().registry(&registry).build().unwrap();
    tenants.limit("a").try_admit().unwrap();
    tenants.reconfigure(Config { permits: 10, ..(*tenants.config()).clone() }).unwrap();
    assert_eq!(tenants.limit("a").status().burst, 10);
    tenants.limit("b").try_admit_many(10).unwrap();
    assert_eq!(tenants.limit("b").try_admit().unwrap_err().retry_after(), Some(ms(100)));
    tenants.set_mode(Mode::Disabled).unwrap();
    for key in ["a", "b", "c"] {
        tenants.limit(key).try_admit_many(99).unwrap();
    }
    tenants.overflow().try_admit_many(99).unwrap();
    assert_eq!(tenants.recent_events().len(), 2);
    let names: Vec<_> = registry.snapshot().iter().map(|one| (one.kind, one.name.to_string())).collect();
    let kind = PolicyKind::RateLimit;
    assert_eq!(names, [(kind, "tenants".to_owned()), (kind, "tenants/(other)".to_owned())]);
}

#[test]
fn a_key_costs_little_and_a_known_one_nothing() {
    const KEYS: usize = 10_000;
    let mut kept = None;
    let counts = allocation_counter::measure(|| {
        let tenants = builder().build().unwrap();
        (0..KEYS).for_each(|n| drop(tenants.limit(format!("tenant-{n:09}").as_str())));
        kept = Some(tenants);
    });
    let tenants = kept.unwrap();
    let each = counts.bytes_current as usize / KEYS;
    println!("{each} bytes a key of 16 bytes");
    assert!(each <= 1024, "{each} bytes a key");
    let known = allocation_counter::measure(|| {
        let _ = tenants.limit("tenant-000000001").try_admit();
    });
    assert_eq!(known.count_total, 0);
}

/// Nothing is held while it is told: the listener would wait for itself.
#[test]
fn who_hears_of_a_change_may_change_it_and_make_keys() {
    let registry = Registry::new();
    let tenants = KeyedRateLimit::builder("tenants").rate(1, SECOND).registry(&registry).build().unwrap();
    let within = tenants.clone();
    let _subscription = registry.events().listen(Interest::All, move |_| {
        if within.config().mode == Mode::Shadow {
            within.set_mode(Mode::Disabled).unwrap();
            let _ = within.limit("a").status();
        }
    });
    let (done, is_done) = std::sync::mpsc::channel();
    let changed = tenants.clone();
    std::thread::spawn(move || done.send(changed.set_mode(Mode::Shadow)).unwrap());
    is_done.recv_timeout(ms(10_000)).expect("it does not wait for itself").unwrap();
    assert_eq!((tenants.config().mode, tenants.overflow().config().mode), (Mode::Disabled, Mode::Disabled));
}

/// It has the settings of all keys: others alone would have been told of one key only.
#[tokio::test(start_paused = true)]
async fn one_key_alone_does_not_take_other_settings() {
    let tenants = builder().build().unwrap();
    let (one, other) = (tenants.limit("a"), tenants.limit("b"));
    let error = one.reconfigure(Config { permits: 5, ..(*one.config()).clone() }).unwrap_err();
    assert_eq!(error.field(), "rate_limit.key");
    assert!(one.set_mode(Mode::Disabled).is_err());
    assert_eq!((tenants.config().permits, tenants.config().mode), (1, Mode::Enforce));
    tenants.reconfigure(Config { permits: 5, ..(*tenants.config()).clone() }).unwrap();
    assert_eq!((one.status().burst, other.status().burst), (5, 5));
}
