//! What a file says of a fallback is what it gets.

use std::collections::BTreeSet;

use portcullis::{FailureKind, Fallback, Mode, Registry, config, fallback::Config};
use proptest::{collection, prelude::*, sample::select};
use serde_json::json;

use crate::values::{mode, tables, value};

fn settings(text: &str) -> config::Fallback {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

#[test]
fn every_field_is_read() {
    let everything =
        Config { kinds: [FailureKind::Timeout].into(), refusals: false, mode: Mode::EnforcePercent(25) };
    let given = json!({ "kinds": ["timeout"], "refusals": false, "mode": { "enforce_percent": 25 } });
    let settings: config::Fallback = serde_json::from_value(given.clone()).unwrap();
    assert_eq!(settings.build(), Ok(everything.clone()));
    assert_eq!(serde_json::to_value(&settings).unwrap(), given);
    assert_eq!(serde_json::to_value(config::Fallback::from(&everything)).unwrap(), given);
}

#[test]
fn nothing_said_is_the_default() {
    assert_eq!(settings("").build(), Ok(Config::default()));
}

#[test]
fn a_fallback_that_runs_takes_new_settings() {
    let fallback = Fallback::builder("f").refusals(false).registry(&Registry::new()).build().unwrap();
    fallback.reconfigure(settings("kinds = [\"panic\"]").over(&fallback.config()).unwrap()).unwrap();
    assert_eq!((fallback.config().refusals, fallback.config().kinds.len()), (false, 1));
    fallback.reconfigure(settings("kinds = [\"other\"]").reload(&fallback.config()).unwrap()).unwrap();
    assert!(fallback.config().refusals && fallback.config().covers_kind(FailureKind::Other));
}

#[test]
fn what_is_wrong_is_named() {
    let said = |text: &str| toml::from_str::<config::Fallback>(text).unwrap_err().message().to_owned();
    assert!(said("refusals = 1").contains("expected fallback.refusals to be true or false"));
    assert!(said("kinds = [\"rain\"]").contains("expected fallback.kinds to be of kinds of failure"));
    assert!(said("preset = \"production\"").starts_with("unknown field `preset`"));
    let nothing = settings("kinds = \"off\"\nrefusals = false").build().unwrap_err();
    assert_eq!(nothing.field(), "fallback.kinds");
}

/// Any valid configuration.
fn configs() -> impl Strategy<Value = Config> {
    (collection::btree_set(select(FailureKind::ALL.to_vec()), 1..5), any::<bool>(), mode())
        .prop_map(|(kinds, refusals, mode): (BTreeSet<_>, _, _)| Config { kinds, refusals, mode })
}

fn keys() -> Vec<String> {
    ["kinds", "refusals", "mode"].map(str::to_owned).to_vec()
}

proptest! {
    #[test]
    fn what_is_written_is_read_the_same(config in configs()) {
        let written = config::Fallback::from(&config);
        let toml: config::Fallback = toml::from_str(&toml::to_string(&written).unwrap()).unwrap();
        prop_assert_eq!(toml.build(), Ok(config.clone()));
        let json = serde_json::from_value::<config::Fallback>(serde_json::to_value(&written).unwrap());
        prop_assert_eq!(json.unwrap().build(), Ok(config));
    }

    #[test]
    fn no_table_panics(table in tables(keys()), base in configs()) {
        if let Ok(settings) = table.try_into::<config::Fallback>() {
            let _ = (settings.build(), settings.over(&base), toml::to_string(&settings).unwrap());
        }
    }

    #[test]
    fn no_value_panics(key in select(keys()), value in value(keys()), base in configs()) {
        if let Ok(settings) = toml::Table::from_iter([(key, value)]).try_into::<config::Fallback>() {
            let _ = (settings.build(), settings.over(&base), toml::to_string(&settings).unwrap());
        }
    }
}
