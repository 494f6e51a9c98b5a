//! What a file says of a throttle is what it gets.

use std::{collections::BTreeSet, time::Duration};

use portcullis::{
    FailureKind, KeyedThrottle, Mode, Registry, Throttle, config,
    throttle::{Config, Preset},
};
use proptest::{collection, option, prelude::*, sample::select};
use serde_json::json;

use crate::values::{mode, tables, value};

fn settings(text: &str) -> config::Throttle {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn everything() -> Config {
    Config {
        k: 1.1,
        window: Duration::from_secs(30),
        max_share: 0.75,
        min_requests: 5,
        refused_by: BTreeSet::from([FailureKind::Unavailable, FailureKind::RateLimited]),
        mode: Mode::EnforcePercent(25),
    }
}

#[test]
fn every_field_is_read() {
    let given = json!({
        "k": 1.1,
        "window": "30s",
        "max_share": 0.75,
        "min_requests": 5,
        "refused_by": ["unavailable", "rate_limited"],
        "mode": { "enforce_percent": 25 },
    });
    let settings: config::Throttle = serde_json::from_value(given.clone()).unwrap();
    assert_eq!(settings.build(), Ok(everything()));
    assert_eq!(serde_json::to_value(&settings).unwrap(), given);
    assert_eq!(serde_json::to_value(config::Throttle::from(&everything())).unwrap(), given);
}

#[test]
fn nothing_said_is_the_default() {
    assert_eq!(settings("").build(), Ok(Config::default()));
    assert_eq!(settings("refused_by = \"off\"").build().unwrap().refused_by, BTreeSet::new());
}

#[test]
fn a_preset_is_what_other_fields_start_from() {
    for preset in Preset::ALL {
        assert_eq!(settings(&format!("preset = \"{preset}\"")).build(), Ok(preset.config()));
    }
    let config = settings("preset = \"critical_service\"\nk = 2").build();
    assert_eq!(config, Ok(Config { k: 2.0, ..Preset::CriticalService.config() }));
}

#[test]
fn over_changes_what_was_given_alone() {
    let config = settings("min_requests = 50").over(&everything());
    assert_eq!(config, Ok(Config { min_requests: 50, ..everything() }));
    assert_eq!(settings("").over(&everything()), Ok(everything()));
}

#[test]
fn one_throttle_and_one_per_key_read_the_same() {
    let registry = Registry::new();
    let config = settings("k = 4").build().unwrap();
    let one = Throttle::builder("one").registry(&registry).config(config.clone()).build().unwrap();
    let keyed = KeyedThrottle::builder("keyed").registry(&registry).config(config).build().unwrap();
    assert_eq!((one.config().k, keyed.throttle("a").config().k), (4.0, 4.0));
    let preset = Throttle::builder("preset").registry(&registry).preset(Preset::Database).build().unwrap();
    assert_eq!(*preset.config(), Preset::Database.config());
}

#[test]
fn what_is_wrong_is_named() {
    let said = |text: &str| toml::from_str::<config::Throttle>(text).unwrap_err().message().to_owned();
    assert_eq!(said("k = \"2\""), "invalid value: string \"2\", expected throttle.k to be a number");
    assert!(said("window = 30").starts_with("invalid value: integer `30`, expected throttle.window to be a"));
    assert!(
        said("refused_by = [\"full\"]").contains("expected throttle.refused_by to be of kinds of failure")
    );
    assert!(said("ratio = 2").starts_with("unknown field `ratio`, expected one of `preset`, `k`"));
    let error = settings("max_share = 0").build().unwrap_err();
    assert_eq!(error.to_string(), "throttle.max_share is 0.0: allowed is 0.01 to 1.0");
}

/// Any valid configuration.
fn configs() -> impl Strategy<Value = Config> {
    let window = (1_000_000_000..=3_600_000_000_000_u64).prop_map(Duration::from_nanos);
    let kinds = collection::btree_set(select(FailureKind::ALL.to_vec()), 0..5);
    (1.1..=100.0, window, 0.01..=1.0, 1..=1_000_000_u32, kinds, mode()).prop_map(
        |(k, window, max_share, min_requests, refused_by, mode)| Config {
            k,
            window,
            max_share,
            min_requests,
            refused_by,
            mode,
        },
    )
}

fn keys() -> Vec<String> {
    let table = toml::Table::try_from(config::Throttle::from(&Config::default())).unwrap();
    table.keys().cloned().chain(["preset".to_owned()]).collect()
}

/// Whatever was read can be built or refused, put on top of anything valid, and written.
fn use_it(settings: &config::Throttle, base: &Config) {
    for built in [settings.build(), settings.over(base)] {
        match built {
            Ok(config) => assert_eq!(config.check(), Ok(())),
            Err(error) => assert!(error.field().starts_with("throttle."), "{error}"),
        }
    }
    let _ = toml::to_string(settings).unwrap();
    let _ = serde_json::to_string(settings).unwrap();
}

proptest! {
    #[test]
    fn what_is_written_is_read_the_same(config in configs()) {
        prop_assert_eq!(config.check(), Ok(()));
        let written = config::Throttle::from(&config);
        let toml: config::Throttle = toml::from_str(&toml::to_string(&written).unwrap()).unwrap();
        prop_assert_eq!(toml.build(), Ok(config.clone()));
        let json = serde_json::from_value::<config::Throttle>(serde_json::to_value(&written).unwrap());
        prop_assert_eq!(json.unwrap().build(), Ok(config));
    }

    #[test]
    fn no_table_panics(table in tables(keys()), base in configs()) {
        if let Ok(settings) = table.try_into::<config::Throttle>() {
            use_it(&settings, &base);
        }
    }

    /// One field at a time, so that its value is reached whatever the others would have been.
    #[test]
    fn no_value_panics(key in select(keys()), value in value(keys()), base in configs()) {
        if let Ok(settings) = toml::Table::from_iter([(key, value)]).try_into::<config::Throttle>() {
            use_it(&settings, &base);
        }
    }

    #[test]
    fn what_was_not_given_comes_from_the_base(
        given in configs(),
        base in configs(),
        preset in option::of(select(Preset::ALL.to_vec())),
        picked in collection::hash_set(select(keys()), 0..10),
    ) {
        let mut table = toml::Table::try_from(config::Throttle::from(&given)).unwrap();
        table.retain(|key, _| picked.contains(key));
        if let Some(preset) = preset {
            table.insert("preset".to_owned(), preset.as_str().into());
        }
        let settings: config::Throttle = table.clone().try_into().unwrap();
        let below = preset.map_or(base.clone(), Preset::config);
        let mut expected = toml::Table::try_from(config::Throttle::from(&below)).unwrap();
        expected.extend(table);
        expected.remove("preset");
        let built = settings.over(&base).unwrap();
        prop_assert_eq!(toml::Table::try_from(config::Throttle::from(&built)).unwrap(), expected);
    }
}
