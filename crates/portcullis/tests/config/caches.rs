//! The settings of a cache.

use std::time::Duration;

use portcullis::{FailureKind, Mode, config};
use serde_json::json;

fn read(text: &str) -> config::Cache {
    toml::from_str(text).unwrap()
}

#[test]
fn what_is_given_is_what_is_built() {
    let given = json!({
        "ttl": "1m 30s",
        "jitter": 0.25,
        "stale_while_revalidate": "10s",
        "stale_if_error": "1h",
        "stale_kinds": ["timeout", "unavailable"],
        "stale_on_refusal": false,
        "negative_ttl": "5s",
        "max_entries": 500,
        "max_weight": 4_294_967_295u64,
        "refresh_timeout": "2s",
        "max_refreshes": 3,
        "mode": "shadow",
    });
    let settings: config::Cache = serde_json::from_value(given).unwrap();
    let config = settings.build().unwrap();
    assert_eq!((config.ttl, config.jitter), (Duration::from_secs(90), 0.25));
    assert!(config.stale_kinds.iter().eq(&[FailureKind::Timeout, FailureKind::Unavailable]));
    assert_eq!(
        (config.negative_ttl, config.max_weight),
        (Some(Duration::from_secs(5)), Some(u64::from(u32::MAX)))
    );
    assert_eq!((config.max_refreshes, config.mode, config.stale_on_refusal), (3, Mode::Shadow, false));
    let again: config::Cache = serde_json::from_value(serde_json::to_value(&settings).unwrap()).unwrap();
    assert_eq!(again, settings);
    let toml: config::Cache = read(&toml::to_string(&config::Cache::from(&config)).unwrap());
    assert_eq!(toml.build().unwrap(), config);
}

#[test]
fn a_preset_is_what_the_rest_starts_from() {
    let config = read("preset = \"micro\"\nmax_entries = 7").build().unwrap();
    assert_eq!((config.ttl, config.max_entries), (Duration::from_secs(1), 7));
    let over = read("ttl = \"5s\"").over(&config).unwrap();
    assert_eq!((over.ttl, over.max_entries), (Duration::from_secs(5), 7));
    assert_eq!(read("").reload(&config).unwrap().max_entries, 10_000);
}

#[test]
fn what_cannot_be_is_told() {
    let error = read("ttl = \"0s\"").build().unwrap_err();
    assert_eq!(error.field(), "cache.ttl");
    let unknown = toml::from_str::<config::Cache>("size = 1").unwrap_err();
    assert!(unknown.message().contains("unknown field"), "{unknown}");
    let wrong = toml::from_str::<config::Cache>("max_entries = \"many\"").unwrap_err();
    assert!(wrong.message().contains("cache.max_entries"), "{wrong}");
}
