//! What a file says of coalescing is what it gets.

use portcullis::{
    Mode,
    coalesce::{Config, MAX_BODY, MAX_KEYS, MAX_WAITING, OnFailure},
    config,
};
use proptest::{collection, prelude::*, sample::select};
use serde_json::json;

use crate::values::{mode, tables, value};

fn everything() -> Config {
    Config {
        max_keys: 5,
        max_waiting: 7,
        max_body: 9,
        on_failure: OnFailure::Promote,
        mode: Mode::EnforcePercent(25),
    }
}

#[test]
fn every_field_is_read() {
    let given = json!({
        "max_keys": 5,
        "max_waiting": 7,
        "max_body": 9,
        "on_failure": "promote",
        "mode": { "enforce_percent": 25 },
    });
    let settings: config::Coalesce = serde_json::from_value(given.clone()).unwrap();
    assert_eq!(settings.build(), Ok(everything()));
    assert_eq!(serde_json::to_value(&settings).unwrap(), given);
    assert_eq!(serde_json::to_value(config::Coalesce::from(&everything())).unwrap(), given);
}

#[test]
fn nothing_said_is_the_default() {
    let settings: config::Coalesce = toml::from_str("").unwrap();
    assert_eq!(settings.build(), Ok(Config::default()));
}

#[test]
fn what_is_wrong_is_named() {
    let said = |text: &str| toml::from_str::<config::Coalesce>(text).unwrap_err().message().to_owned();
    assert!(said("on_failure = \"both\"").contains("expected coalesce.on_failure to be"));
    assert!(said("max_bodies = 5").starts_with("unknown field `max_bodies`"));
    let settings: config::Coalesce = toml::from_str("max_waiting = 0").unwrap();
    assert_eq!(
        settings.build().unwrap_err().to_string(),
        "coalesce.max_waiting is 0: allowed is 1 to 1000000"
    );
}

/// Any valid configuration.
fn configs() -> impl Strategy<Value = Config> {
    let on_failure = select(OnFailure::ALL.to_vec());
    (1..=MAX_KEYS, 1..=MAX_WAITING, 0..=MAX_BODY, on_failure, mode()).prop_map(
        |(max_keys, max_waiting, max_body, on_failure, mode)| Config {
            max_keys,
            max_waiting,
            max_body,
            on_failure,
            mode,
        },
    )
}

fn keys() -> Vec<String> {
    let table = toml::Table::try_from(config::Coalesce::from(&Config::default())).unwrap();
    table.keys().cloned().collect()
}

proptest! {
    #[test]
    fn what_is_written_is_read_the_same(config in configs()) {
        prop_assert_eq!(config.check(), Ok(()));
        let written = config::Coalesce::from(&config);
        let toml: config::Coalesce = toml::from_str(&toml::to_string(&written).unwrap()).unwrap();
        prop_assert_eq!(toml.build(), Ok(config.clone()));
        let json = serde_json::from_value::<config::Coalesce>(serde_json::to_value(&written).unwrap());
        prop_assert_eq!(json.unwrap().build(), Ok(config));
    }

    /// Whatever was read can be built or refused, put on top of anything valid, and written.
    #[test]
    fn nothing_panics(
        table in tables(keys()), key in select(keys()), one in value(keys()), base in configs(),
    ) {
        for table in [table, toml::Table::from_iter([(key, one)])] {
            let Ok(settings) = table.try_into::<config::Coalesce>() else { continue };
            for built in [settings.build(), settings.over(&base)] {
                match built {
                    Ok(config) => assert_eq!(config.check(), Ok(())),
                    Err(error) => assert!(error.field().starts_with("coalesce."), "{error}"),
                }
            }
            let _ = toml::to_string(&settings).unwrap();
        }
    }

    #[test]
    fn what_was_not_given_comes_from_the_base(
        given in configs(), base in configs(), picked in collection::hash_set(select(keys()), 0..5),
    ) {
        let mut table = toml::Table::try_from(config::Coalesce::from(&given)).unwrap();
        table.retain(|key, _| picked.contains(key));
        let settings: config::Coalesce = table.clone().try_into().unwrap();
        let mut expected = toml::Table::try_from(config::Coalesce::from(&base)).unwrap();
        expected.extend(table);
        let built = settings.over(&base).unwrap();
        prop_assert_eq!(toml::Table::try_from(config::Coalesce::from(&built)).unwrap(), expected);
    }
}
