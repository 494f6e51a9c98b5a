//! That everything follows of which a file can say something.
#![expect(clippy::unwrap_used, reason = "a policy that cannot be built fails the test")]

use std::{fs, time::Duration};

use portcullis::{
    BoxError, Breaker, Chaos, Coalesce, Drain, Fallback, HealthMonitor, KeyedAdaptiveLimit, KeyedBreaker,
    KeyedBulkhead, KeyedHedge, KeyedRateLimit, KeyedRetry, KeyedThrottle, Outliers, Probe, Reconnect,
    Registry, Timeout, fallback::Failover,
};
use portcullis_config::{Follow, Live, Settings};

/// Follows a file with this setting, then with another; what it had, and has then.
fn follow<P: Follow, T>(policy: &P, kind: &str, fields: [&str; 2], see: impl Fn(&P) -> T) -> [T; 2] {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shop.toml");
    let write = |field: &str| fs::write(&path, format!("[{kind}.a]\n{field}\n")).unwrap();
    write(fields[0]);
    let mut live = Live::new(Settings::builder().file(&path)).unwrap();
    live.follow(policy).unwrap();
    let first = see(policy);
    write(fields[1]);
    assert_eq!(live.reload().unwrap(), [format!("{kind}.a")]);
    [first, see(policy)]
}

#[test]
fn policies_by_key_follow_the_table_of_their_kind() {
    let registry = &Registry::new();
    let permits = ["permits = 2", "permits = 3"];
    let breaker = KeyedBreaker::builder("a").registry(registry).build().unwrap();
    assert_eq!(follow(&breaker, "breaker", permits, |it| it.config().permits), [2, 3]);
    let rate = KeyedRateLimit::builder("a").registry(registry).build().unwrap();
    assert_eq!(follow(&rate, "rate_limit", permits, |it| it.config().permits), [2, 3]);

    let attempts = ["max_attempts = 2", "max_attempts = 3"];
    let retry = KeyedRetry::builder("a").registry(registry).build().unwrap();
    assert_eq!(follow(&retry, "retry", attempts, |it| it.config().max_attempts), [2, 3]);
    let hedge = KeyedHedge::builder("a").registry(registry).build().unwrap();
    assert_eq!(follow(&hedge, "hedge", attempts, |it| it.config().max_attempts), [2, 3]);

    let adaptive = KeyedAdaptiveLimit::builder("a").registry(registry).build().unwrap();
    let initial = ["initial = 2", "initial = 3"];
    assert_eq!(follow(&adaptive, "adaptive_limit", initial, |it| it.config().initial), [2, 3]);
    let throttle = KeyedThrottle::builder("a").registry(registry).build().unwrap();
    let least = ["min_requests = 2", "min_requests = 3"];
    assert_eq!(follow(&throttle, "throttle", least, |it| it.config().min_requests), [2, 3]);
    let bulkhead = KeyedBulkhead::builder("a").registry(registry).build().unwrap();
    let queue = ["max_queued = 2", "max_queued = 3"];
    assert_eq!(follow(&bulkhead, "keyed_bulkhead", queue, |it| it.config().max_queued), [2, 3]);
}

#[test]
fn what_stands_around_calls_follows() {
    let registry = &Registry::new();
    let seconds = |n| [Duration::from_secs(n), Duration::from_secs(n + 1)];
    let timeout = Timeout::builder("a", Duration::from_secs(9)).registry(registry).build().unwrap();
    let limit = ["limit = \"2s\"", "limit = \"3s\""];
    assert_eq!(follow(&timeout, "timeout", limit, |it| it.config().limit), seconds(2));
    let reconnect = Reconnect::builder("a").registry(registry).build().unwrap();
    let stable = ["stable_after = \"2s\"", "stable_after = \"3s\""];
    assert_eq!(follow(&reconnect, "reconnect", stable, |it| it.config().stable_after), seconds(2));
    let drain = Drain::builder("a").registry(registry).build().unwrap();
    let grace = ["grace = \"2s\"", "grace = \"3s\""];
    assert_eq!(follow(&drain, "drain", grace, |it| it.config().grace), seconds(2));
    let outliers = Outliers::builder("a").registry(registry).build().unwrap();
    let interval = ["interval = \"2s\"", "interval = \"3s\""];
    assert_eq!(follow(&outliers, "outlier", interval, |it| it.config().interval), seconds(2));
    let coalesce = Coalesce::builder("a").registry(registry).build().unwrap();
    let keys = ["max_keys = 2", "max_keys = 3"];
    assert_eq!(follow(&coalesce, "coalesce", keys, |it| it.config().max_keys), [2, 3]);
    let chaos = Chaos::builder("a").registry(registry).build().unwrap();
    let enabled = ["enabled = true", "enabled = false"];
    assert_eq!(follow(&chaos, "chaos", enabled, |it| it.config().enabled), [true, false]);
    let fallback = Fallback::builder("a").registry(registry).build().unwrap();
    let refusals = ["refusals = false", "refusals = true"];
    assert_eq!(follow(&fallback, "fallback", refusals, |it| it.config().refusals), [false, true]);
    let failover = Failover::<()>::builder("a").provider("first", ()).registry(registry).build().unwrap();
    assert_eq!(follow(&failover, "fallback", refusals, |it| it.config().refusals), [false, true]);
}

#[cfg(feature = "cache")]
#[test]
fn a_cache_follows() {
    let cache = portcullis::Cache::<u32, u32>::builder("a").registry(&Registry::new()).build().unwrap();
    let ttl = ["ttl = \"2s\"", "ttl = \"3s\""];
    let seen = follow(&cache, "cache", ttl, |it| it.config().ttl);
    assert_eq!(seen, [Duration::from_secs(2), Duration::from_secs(3)]);
}

#[tokio::test]
async fn a_check_of_a_monitor_follows_by_its_name() {
    let monitor = HealthMonitor::new(&Registry::new());
    monitor.check("a").spawn(|| async { Ok::<_, BoxError>(()) }).unwrap();
    let history = ["history = 2", "history = 3"];
    let check = (monitor, "a".to_owned());
    let seen =
        follow(&check, "health_check", history, |(monitor, name)| monitor.config(name).unwrap().history);
    assert_eq!(seen, [2, 3]);
}

#[test]
fn a_probe_follows() {
    let probe = Probe::builder("a").registry(&Registry::new());
    let probe = probe.build().unwrap();
    let seen = follow(&probe, "probe", ["down_after = 2", "down_after = 4"], |it| it.config().down_after);
    assert_eq!(seen, [2, 4]);
}

/// A policy that was built from the file told that it had new settings, when nothing had changed.
#[test]
fn what_is_as_the_file_says_is_not_told_to_have_changed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shop.toml");
    let write = |text: &str| fs::write(&path, text).unwrap();
    write("[breaker.a]\npermits = 2\n[timeout.a]\nlimit = \"2s\"\n");
    let registry = &Registry::new();
    let mut live = Live::new(Settings::builder().file(&path)).unwrap();
    let breaker = Breaker::builder("a").config(live.settings().breaker("a").unwrap());
    let breaker = breaker.registry(registry).build().unwrap();
    let limit = live.settings().timeout("a").unwrap();
    let timeout = Timeout::builder("a", Duration::from_secs(9)).config(limit).registry(registry);
    let timeout = timeout.build().unwrap();
    live.follow(&breaker).unwrap();
    live.follow(&timeout).unwrap();
    assert_eq!(registry.events().recent(), []);
    // In other words, and of the same meaning.
    write("[breaker.a]\npermits = 2\n[timeout.a]\nlimit = \"2000ms\"\n");
    assert!(live.reload().unwrap().is_empty());
    assert_eq!(registry.events().recent(), []);
    write("[breaker.a]\npermits = 3\n[timeout.a]\nlimit = \"2s\"\n");
    assert_eq!(live.reload().unwrap(), ["breaker.a"]);
    assert_eq!((registry.events().recent().len(), breaker.config().permits), (1, 3));
}
