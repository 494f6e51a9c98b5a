//! An adaptive limit per key.

use portcullis::{
    AdaptiveLimitLayer, BoxError, Failure, FailureKind, KeyedAdaptiveLimit, Level, Mode, PolicyKind,
    Registry, Rejection, Verdict,
    adaptive::{Config, KeyedAdaptiveLimitBuilder},
    keyed::by,
};
use tokio::time::advance;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::support::{ms, rounds};

/// Three places at first for each key.
fn builder() -> KeyedAdaptiveLimitBuilder {
    KeyedAdaptiveLimit::builder("hosts").initial(3).between(1, 100).registry(&Registry::new())
}

fn timeouts() -> Verdict {
    Failure::new(FailureKind::Timeout).into()
}

#[tokio::test(start_paused = true)]
async fn what_is_too_much_for_one_key_says_nothing_about_another() {
    let hosts = builder().initial(40).build().unwrap();
    rounds(&hosts.limit("a"), 20, ms(100), timeouts()).await;
    assert!(hosts.limit("a").status().limit < 20, "{:?}", hosts.limit("a").status());
    assert_eq!(hosts.limit("b").status().limit, 40);
    let names = ["a", "b"].map(|key| hosts.get(key).unwrap().name().to_string());
    assert_eq!((names, hosts.len()), (["hosts/a", "hosts/b"].map(str::to_owned), 2));
}

#[tokio::test(start_paused = true)]
async fn a_layer_refuses_the_calls_of_a_key_that_is_full_and_lets_those_without_a_key_pass() {
    let hosts = builder().keys::<String>().build().unwrap();
    let held: Vec<_> = (0..3).map(|_| hosts.limit("a").try_admit().unwrap()).collect();
    let service = ServiceBuilder::new()
        .layer(AdaptiveLimitLayer::by(hosts.by(|key: &Option<String>| key.clone())))
        .service(service_fn(|key: Option<String>| async move { Ok::<_, BoxError>(key) }));
    let call = |key: Option<&str>| service.clone().oneshot(key.map(str::to_owned));
    let refused = call(Some("a")).await.unwrap_err();
    let told = Rejection::find(&*refused).unwrap().to_string();
    assert_eq!(told, "adaptive_limit 'hosts/a' is at its limit: 3 of 3 in flight");
    call(Some("b")).await.unwrap();
    for _ in 0..10 {
        call(None).await.unwrap();
    }
    drop(held);
    call(Some("a")).await.unwrap();
    let status = hosts.status();
    assert_eq!((status.rejected, status.keys, hosts.limit("a").status().rejected), (1, 2, 1));
}

/// A flood of keys would otherwise give a dependency in trouble all places anew.
#[tokio::test(start_paused = true)]
async fn a_key_whose_limit_was_lowered_stays_until_it_is_idle() {
    let hosts = builder().initial(40).max_keys(1).idle_after(ms(60_000)).build().unwrap();
    rounds(&hosts.limit("a"), 20, ms(100), timeouts()).await;
    assert_eq!(&**hosts.limit("b").name(), "hosts/(other)");
    assert_eq!((hosts.sweep(), hosts.status().overflows), (0, 1));
    advance(ms(61_000)).await;
    assert_eq!(&**hosts.limit("b").name(), "hosts/b");
}

#[tokio::test(start_paused = true)]
async fn a_key_in_flight_stays() {
    let hosts = builder().idle_after(ms(1)).build().unwrap();
    let ticket = hosts.limit("a").try_admit().unwrap();
    advance(ms(1000)).await;
    assert_eq!(hosts.sweep(), 0);
    drop(ticket);
    assert_eq!(hosts.sweep(), 1);
}

#[tokio::test(start_paused = true)]
async fn settings_reach_every_key() {
    let registry = Registry::new();
    let hosts = builder().registry(&registry).build().unwrap();
    assert_eq!(hosts.limit("a").status().limit, 3);
    hosts.reconfigure(Config { min: 7, initial: 7, ..(*hosts.config()).clone() }).unwrap();
    let limits = ["a", "new"].map(|key| hosts.limit(key).status().limit);
    assert_eq!((limits, hosts.overflow().status().limit), ([7, 7], 7));
    let error = hosts.reconfigure(Config { min: 0, ..(*hosts.config()).clone() }).unwrap_err();
    assert_eq!((error.field(), hosts.limit("a").config().min), ("adaptive_limit.min", 7));
    let alone = hosts.limit("a").set_mode(Mode::Disabled).unwrap_err();
    assert_eq!((alone.field(), hosts.limit("a").status().mode), ("adaptive_limit.key", Mode::Enforce));
    hosts.set_mode(Mode::Shadow).unwrap();
    let all: Vec<_> = (0..50).map(|_| hosts.limit("a").try_admit().unwrap()).collect();
    assert_eq!((hosts.status().rejected, hosts.status().shadowed), (0, 43));
    drop(all);
    assert_eq!(hosts.recent_events().len(), 2);
    let seen = registry.get(PolicyKind::AdaptiveLimit, "hosts").unwrap().snapshot();
    assert_eq!((seen.state, seen.level), ("active", Level::Healthy));
}

#[tokio::test(start_paused = true)]
async fn a_text_of_the_request_may_be_the_key() {
    let hosts = builder().build().unwrap();
    let layer = AdaptiveLimitLayer::by(hosts.by(by::text(|host: &String| Some(host))));
    let service = ServiceBuilder::new()
        .layer(layer)
        .service(service_fn(|host: String| async move { Ok::<_, BoxError>(host) }));
    service.oneshot("a".to_owned()).await.unwrap();
    assert_eq!(hosts.get("a").unwrap().status().successes, 1);
}

#[test]
fn a_known_key_costs_no_allocation_and_a_new_one_a_few_kilobytes() {
    const KEYS: usize = 1000;
    let mut kept = None;
    let counts = allocation_counter::measure(|| {
        let hosts = builder().build().unwrap();
        (0..KEYS).for_each(|n| drop(hosts.limit(format!("host-{n:08}").as_str())));
        kept = Some(hosts);
    });
    let bytes = counts.bytes_current / KEYS as i64;
    assert!(bytes < 8 * 1024, "{bytes} bytes a key");
    let hosts = kept.unwrap();
    let known = allocation_counter::measure(|| drop(hosts.limit("host-00000007")));
    assert_eq!(known.count_total, 0);
}
