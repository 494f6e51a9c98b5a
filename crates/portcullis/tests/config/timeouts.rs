//! What a file says of a timeout is what it gets.

use std::time::Duration;

use portcullis::{
    Mode, Registry, Timeout, TimeoutScope, config,
    timeout::{Adaptive, Config, Preset},
};
use proptest::{option, prelude::*, sample::select};
use serde_json::json;

use crate::values::{mode, tables};

fn settings(text: &str) -> config::Timeout {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn everything() -> Config {
    let second = Duration::from_secs(1);
    Config {
        limit: second,
        scope: TimeoutScope::Attempt,
        whole_response: true,
        body: Some(30 * second),
        body_idle: Some(5 * second),
        mode: Mode::EnforcePercent(25),
        adaptive: Some(Adaptive { quantile: 0.95, factor: 3.0, at_least: second / 20, min_calls: 50 }),
    }
}

#[test]
fn every_field_is_read() {
    let given = json!({
        "limit": "1s",
        "scope": "attempt",
        "whole_response": true,
        "body": "30s",
        "body_idle": "5s",
        "mode": { "enforce_percent": 25 },
        "adaptive": { "quantile": 0.95, "factor": 3.0, "at_least": "50ms", "min_calls": 50 },
    });
    let settings: config::Timeout = serde_json::from_value(given.clone()).unwrap();
    assert_eq!(settings.build(), Ok(everything()));
    assert_eq!(serde_json::to_value(&settings).unwrap(), given);
    assert_eq!(serde_json::to_value(config::Timeout::from(&everything())).unwrap(), given);
}

#[test]
fn nothing_said_is_the_default() {
    assert_eq!(settings("").build(), Ok(Config::default()));
    assert_eq!(settings("adaptive = {}").build().unwrap().adaptive, Some(Adaptive::default()));
    let off = settings("body = \"off\"\nadaptive = false").over(&everything()).unwrap();
    assert_eq!((off.body, off.adaptive), (None, None));
}

#[test]
fn a_preset_is_what_other_fields_start_from() {
    for preset in Preset::ALL {
        assert_eq!(settings(&format!("preset = \"{preset}\"")).build(), Ok(preset.config()));
    }
    let config = settings("preset = \"database\"\nlimit = \"2s\"").build();
    assert_eq!(config, Ok(Config { limit: Duration::from_secs(2), ..Preset::Database.config() }));
    let registry = Registry::new();
    let preset = Timeout::builder("preset", Preset::SlowApi).registry(&registry).build().unwrap();
    assert_eq!(*preset.config(), Preset::SlowApi.config());
}

#[test]
fn over_changes_what_was_given_alone() {
    let config = settings("body = \"1m\"").over(&everything());
    assert_eq!(config, Ok(Config { body: Some(Duration::from_secs(60)), ..everything() }));
    assert_eq!(settings("").over(&everything()), Ok(everything()));
}

#[test]
fn what_is_wrong_is_named() {
    let said = |text: &str| toml::from_str::<config::Timeout>(text).unwrap_err().message().to_owned();
    assert!(
        said("limit = 30").starts_with("invalid value: integer `30`, expected timeout.limit to be a time")
    );
    assert_eq!(
        said("scope = \"body\""),
        "invalid value: string \"body\", expected timeout.scope to be one of total, attempt",
    );
    assert!(
        said("adaptive = { share = 1 }").starts_with("unknown field `share`, expected one of `quantile`")
    );
    assert!(
        said("timeout = \"2s\"").starts_with("unknown field `timeout`, expected one of `preset`, `limit`")
    );
    let error = settings("adaptive = { factor = 1 }").build().unwrap_err();
    assert_eq!(error.to_string(), "timeout.adaptive.factor is 1.0: allowed is 1.5 to 100.0");
}

fn time(least: u64, most: u64) -> impl Strategy<Value = Duration> {
    (least * 1_000_000..=most * 1_000_000).prop_map(Duration::from_nanos)
}

/// Any valid configuration.
fn configs() -> impl Strategy<Value = Config> {
    let adaptive = (0.5..=0.999, 1.5..=100.0, time(1, 100), 1..=1_000_000_u32).prop_map(
        |(quantile, factor, at_least, min_calls)| Adaptive { quantile, factor, at_least, min_calls },
    );
    let body = || option::of(time(1, 86_400_000));
    let scope = select(&[TimeoutScope::Total, TimeoutScope::Attempt]);
    (time(100, 86_400_000), scope, any::<bool>(), body(), body(), mode(), option::of(adaptive)).prop_map(
        |(limit, scope, whole_response, body, body_idle, mode, adaptive)| Config {
            limit,
            scope,
            whole_response,
            body,
            body_idle,
            mode,
            adaptive,
        },
    )
}

fn keys() -> Vec<String> {
    let table = toml::Table::try_from(config::Timeout::from(&Config::default())).unwrap();
    table.keys().cloned().chain(["preset".to_owned()]).collect()
}

/// Whatever was read can be built or refused, put on top of anything valid, and written.
fn use_it(settings: &config::Timeout, base: &Config) {
    for built in [settings.build(), settings.over(base)] {
        match built {
            Ok(config) => assert_eq!(config.check(), Ok(())),
            Err(error) => assert!(error.field().starts_with("timeout."), "{error}"),
        }
    }
    let _ = toml::to_string(settings).unwrap();
    let _ = serde_json::to_string(settings).unwrap();
}

proptest! {
    #[test]
    fn what_is_written_is_read_the_same(config in configs()) {
        prop_assert_eq!(config.check(), Ok(()));
        let written = config::Timeout::from(&config);
        let toml: config::Timeout = toml::from_str(&toml::to_string(&written).unwrap()).unwrap();
        prop_assert_eq!(toml.build(), Ok(config.clone()));
        let json = serde_json::from_value::<config::Timeout>(serde_json::to_value(&written).unwrap());
        prop_assert_eq!(json.unwrap().build(), Ok(config));
    }

    #[test]
    fn no_table_panics(table in tables(keys()), base in configs()) {
        if let Ok(settings) = table.try_into::<config::Timeout>() {
            use_it(&settings, &base);
        }
    }
}
