//! Whatever stands in a file.

use std::{collections::BTreeMap, time::Duration};

use portcullis::{
    FailureKind,
    breaker::{Config, Preset, SlowRule, TimeRule},
    config,
};
use proptest::{collection, option, prelude::*, sample::select};
use serde_json::{Map, Value};

use crate::values::{mode, share, tables, time, value};

fn kind_limits() -> impl Strategy<Value = BTreeMap<FailureKind, u32>> {
    collection::btree_map(select(FailureKind::ALL.to_vec()), 1..=1_000_000_u32, 0..5)
}

fn rules() -> impl Strategy<Value = Config> {
    let time_rule = (time(), 1..=1000_u32, share(), 1..=1_000_000_u32).prop_map(
        |(span, buckets, failure_ratio, minimum_calls)| TimeRule {
            span,
            buckets,
            failure_ratio,
            minimum_calls,
        },
    );
    let slow_rule = (time(), share()).prop_map(|(after, ratio)| SlowRule { after, ratio });
    let window = (1..=1_000_000_u32).prop_flat_map(|window| (Just(window), 1..=window));
    let limits = (option::of(1..=1_000_000_u32), option::of(share()), window);
    (limits, option::of(time_rule), option::of(slow_rule), kind_limits()).prop_map(
        |((consecutive_failures, failure_ratio, (window, minimum_calls)), time_window, slow_calls, kinds)| {
            Config {
                consecutive_failures,
                failure_ratio,
                window,
                minimum_calls,
                time_window,
                slow_calls,
                kind_limits: kinds,
                ..Config::default()
            }
        },
    )
}

fn open_time() -> impl Strategy<Value = Config> {
    (time(), 1.0..=10.0, time(), 0.0..=1.0, prop_oneof![time(), Just(Duration::ZERO)]).prop_map(
        |(open_for, open_factor, open_cap, open_jitter, open_reset_after)| Config {
            open_for,
            open_factor,
            open_cap,
            open_jitter,
            open_reset_after,
            ..Config::default()
        },
    )
}

/// Any valid configuration.
fn configs() -> impl Strategy<Value = Config> {
    let probes = (1..=1000_u32, 1..=1000_u32, option::of(share()), 0.01..=1.0, time());
    let times = (option::of(time()), option::of(time()), option::of(time()));
    (rules(), open_time(), probes, times, (any::<bool>(), any::<bool>(), mode())).prop_map(
        |(rules, open, probes, times, (only_retries, automatic, mode))| Config {
            open_for: open.open_for,
            open_factor: open.open_factor,
            open_cap: open.open_cap,
            open_jitter: open.open_jitter,
            open_reset_after: open.open_reset_after,
            permits: probes.0,
            successes: probes.1,
            probe_ratio: probes.2,
            probe_chance: probes.3,
            lease: probes.4,
            max_half_open: times.0,
            ramp: times.1,
            hung_after: times.2,
            only_retries,
            automatic,
            mode,
            ..rules
        },
    )
}

fn keys() -> Vec<String> {
    let config = Config { time_window: Some(TimeRule::default()), ..Config::default() };
    let table = toml::Table::try_from(config::Breaker::from(&config)).unwrap();
    table.keys().cloned().chain(["preset".to_owned(), "rule".to_owned()]).collect()
}

/// Whatever was read can be built or refused, put on top of anything valid, and written.
fn use_it(settings: &config::Breaker, base: &Config) {
    for built in [settings.build(), settings.over(base), settings.reload(base)] {
        match built {
            Ok(config) => assert_eq!(config.check(), Ok(())),
            Err(error) => assert!(error.field().starts_with("breaker."), "{error}"),
        }
    }
    let _ = toml::to_string(settings).unwrap();
    let _ = serde_json::to_string(settings).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn no_table_panics(table in tables(keys()), base in configs()) {
        if let Ok(settings) = toml::from_str::<config::Breaker>(&toml::to_string(&table).unwrap()) {
            use_it(&settings, &base);
        }
        let json = serde_json::to_string(&table).unwrap();
        if let Ok(settings) = serde_json::from_str::<config::Breaker>(&json) {
            use_it(&settings, &base);
        }
    }

    /// One field at a time, so that its value is reached whatever the others would have been.
    #[test]
    fn no_value_panics(key in select(keys()), value in value(keys()), base in configs()) {
        let table = toml::Table::from_iter([(key.clone(), value.clone())]);
        if let Ok(settings) = table.try_into::<config::Breaker>() {
            use_it(&settings, &base);
        }
        let json = Value::Object(Map::from_iter([(key, serde_json::to_value(value).unwrap())]));
        if let Ok(settings) = serde_json::from_value::<config::Breaker>(json) {
            use_it(&settings, &base);
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = toml::from_str::<config::Breaker>(&text);
        let _ = serde_json::from_str::<config::Breaker>(&text);
    }

    #[test]
    fn what_is_written_is_read_the_same(config in configs()) {
        prop_assert_eq!(config.check(), Ok(()));
        let settings = config::Breaker::from(&config);

        let toml: config::Breaker = toml::from_str(&toml::to_string(&settings).unwrap()).unwrap();
        prop_assert_eq!(&toml, &settings);
        prop_assert_eq!(toml.build(), Ok(config.clone()));

        // As a value: serde_json's text keeps the last digit of a number only with `float_roundtrip`.
        let json = serde_json::from_value::<config::Breaker>(serde_json::to_value(&settings).unwrap());
        prop_assert_eq!(json.unwrap().build(), Ok(config));
    }

    #[test]
    fn what_was_not_given_comes_from_the_base(
        given in configs(),
        base in configs(),
        preset in option::of(select(Preset::ALL.to_vec())),
        picked in collection::hash_set(select(keys()), 0..10),
    ) {
        let mut table = toml::Table::try_from(config::Breaker::from(&given)).unwrap();
        table.retain(|key, _| picked.contains(key));
        if let Some(preset) = preset {
            table.insert("preset".to_owned(), preset.as_str().into());
        }
        let settings: config::Breaker = table.clone().try_into().unwrap();
        prop_assert_eq!(toml::Table::try_from(&settings).unwrap(), table.clone());

        let below = preset.map_or(base.clone(), Preset::config);
        let mut expected = toml::Table::try_from(config::Breaker::from(&below)).unwrap();
        let is_lowered = table.contains_key("window") && !table.contains_key("minimum_calls");
        expected.extend(table);
        expected.remove("preset");
        if let Ok(built) = settings.over(&base) {
            if is_lowered {
                let lowered = below.minimum_calls.min(built.window);
                expected.insert("minimum_calls".to_owned(), i64::from(lowered).into());
            }
            prop_assert_eq!(toml::Table::try_from(config::Breaker::from(&built)).unwrap(), expected);
        } else {
            // The only limit that depends on another field: a minimum without its window.
            prop_assert!(expected["minimum_calls"].as_integer() > expected["window"].as_integer());
        }
    }
}
