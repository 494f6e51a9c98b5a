//! What a file says of a keyed bulkhead is what it gets.

use std::time::Duration;

use portcullis::{
    Mode,
    bulkhead::{
        MAX_PERMITS,
        keyed::{Config, Preset},
    },
    config,
};
use proptest::{prelude::*, sample::select};
use serde_json::json;

use crate::values::{mode, tables, value};

fn settings(text: &str) -> config::KeyedBulkhead {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn everything() -> Config {
    Config {
        overall: 200,
        per_key: Some(50),
        max_queued: 100,
        max_wait: Duration::from_millis(250),
        mode: Mode::EnforcePercent(25),
    }
}

#[test]
fn every_field_is_read() {
    let given = json!({
        "overall": 200,
        "per_key": 50,
        "max_queued": 100,
        "max_wait": "250ms",
        "mode": { "enforce_percent": 25 },
    });
    let settings: config::KeyedBulkhead = serde_json::from_value(given.clone()).unwrap();
    assert_eq!(settings.build(), Ok(everything()));
    assert_eq!(serde_json::to_value(&settings).unwrap(), given);
    assert_eq!(serde_json::to_value(config::KeyedBulkhead::from(&everything())).unwrap(), given);
}

#[test]
fn what_was_not_given_is_the_presets_or_the_bases() {
    assert_eq!(settings("").build(), Ok(Config::default()));
    for preset in Preset::ALL {
        assert_eq!(settings(&format!("preset = \"{preset}\"")).build(), Ok(preset.config()));
    }
    let given = settings("preset = \"hosts\"\nper_key = \"off\"");
    assert_eq!(given.over(&everything()), Ok(Config { per_key: None, ..Preset::Hosts.config() }));
    let given = settings("max_queued = 0").over(&everything());
    assert_eq!(given, Ok(Config { max_queued: 0, ..everything() }));
}

#[test]
fn what_is_wrong_is_named() {
    let said = |text: &str| toml::from_str::<config::KeyedBulkhead>(text).unwrap_err().message().to_owned();
    assert!(said("permits = 5").starts_with("unknown field `permits`"));
    assert!(said("per_key = -1").contains("expected bulkhead.per_key to be"));
    assert!(said("preset = \"database\"").contains("one of tenants, hosts, production, development"));
    let refused = |text: &str| settings(text).build().unwrap_err().to_string();
    assert_eq!(refused("overall = 5\nper_key = 6"), "bulkhead.per_key is 6: allowed is 1 to 5");
}

/// Any valid configuration.
fn configs() -> impl Strategy<Value = Config> {
    let wait = (1_000_000..=3_600_000_000_000_u64).prop_map(Duration::from_nanos);
    (1..=MAX_PERMITS, prop::option::of(1..=MAX_PERMITS), 0..=MAX_PERMITS, wait, mode()).prop_map(
        |(overall, per_key, max_queued, max_wait, mode)| {
            let per_key = per_key.map(|most| most.min(overall));
            Config { overall, per_key, max_queued, max_wait, mode }
        },
    )
}

fn keys() -> Vec<String> {
    let table = toml::Table::try_from(config::KeyedBulkhead::from(&everything())).unwrap();
    table.keys().cloned().chain(["preset".to_owned()]).collect()
}

proptest! {
    #[test]
    fn what_is_written_is_read_the_same(config in configs()) {
        let written = config::KeyedBulkhead::from(&config);
        let toml: config::KeyedBulkhead = toml::from_str(&toml::to_string(&written).unwrap()).unwrap();
        prop_assert_eq!(toml.build(), Ok(config.clone()));
        let json = serde_json::from_value::<config::KeyedBulkhead>(serde_json::to_value(&written).unwrap());
        prop_assert_eq!(json.unwrap().build(), Ok(config));
    }

    #[test]
    fn nothing_panics(
        table in tables(keys()),
        key in select(keys()),
        value in value(keys()),
        base in configs(),
    ) {
        for table in [table, toml::Table::from_iter([(key, value)])] {
            let Ok(settings) = table.try_into::<config::KeyedBulkhead>() else { continue };
            for built in [settings.build(), settings.over(&base)] {
                match built {
                    Ok(config) => prop_assert_eq!(config.check(), Ok(())),
                    Err(error) => prop_assert!(error.field().starts_with("bulkhead."), "{}", error),
                }
            }
        }
    }
}
