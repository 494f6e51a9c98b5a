//! What a file says of a hedge is what it gets.

use std::{collections::BTreeSet, time::Duration};

use portcullis::{
    FailureKind, Hedge, Mode, Registry, config,
    hedge::{Config, Delay, Percentile, Preset},
    retry::BudgetConfig,
};
use proptest::{collection, prelude::*, sample::select};
use serde_json::json;

use crate::values::{mode, tables, time};

fn settings(text: &str) -> config::Hedge {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn everything() -> Config {
    Config {
        delay: Delay::Percentile(Percentile {
            quantile: 0.99,
            at_least: Duration::from_millis(1),
            at_most: Duration::from_millis(250),
            initial: Duration::from_millis(100),
        }),
        max_attempts: 3,
        max_retry_after: Duration::from_secs(60),
        fatal: BTreeSet::from([FailureKind::Internal]),
        mode: Mode::EnforcePercent(25),
        budget: BudgetConfig::throttle(100, 0.5),
    }
}

#[test]
fn every_field_is_read() {
    let given = json!({
        "max_attempts": 3,
        "max_retry_after": "1m",
        "fatal": ["internal"],
        "mode": { "enforce_percent": 25 },
        "delay": { "quantile": 0.99, "at_least": "1ms", "at_most": "250ms", "initial": "100ms" },
        "budget": { "kind": "throttle", "max_tokens": 100, "token_ratio": 0.5 },
    });
    let settings: config::Hedge = serde_json::from_value(given.clone()).unwrap();
    assert_eq!(settings.build(), Ok(everything()));
    assert_eq!(serde_json::to_value(&settings).unwrap(), given);
    assert_eq!(serde_json::to_value(config::Hedge::from(&everything())).unwrap(), given);
}

#[test]
fn nothing_said_is_the_default() {
    assert_eq!(settings("").build(), Ok(Config::default()));
    assert_eq!(settings("delay = {}\nbudget = {}").build(), Ok(Config::default()));
}

#[test]
fn a_delay_may_be_always_the_same() {
    let config = settings("delay = \"20ms\"").build().unwrap();
    assert_eq!(config.delay, Delay::Fixed(Duration::from_millis(20)));
    assert_eq!(config::Hedge::from(&config).build(), Ok(config));
}

#[test]
fn a_preset_is_what_other_fields_start_from() {
    for preset in Preset::ALL {
        assert_eq!(settings(&format!("preset = \"{preset}\"")).build(), Ok(preset.config()));
    }
    let config = settings("preset = \"critical_service\"\nfatal = \"off\"").build();
    assert_eq!(config, Ok(Config { fatal: BTreeSet::new(), ..Preset::CriticalService.config() }));
}

#[test]
fn a_function_stays_until_another_delay_is_given() {
    let delay = Delay::function(|_| None);
    let base = Config { delay: delay.clone(), max_attempts: 5, ..Config::default() };
    assert_eq!(settings("max_attempts = 4").over(&base), Ok(Config { max_attempts: 4, ..base.clone() }));
    assert_eq!(settings("").reload(&base), Ok(Config { delay: delay.clone(), ..Config::default() }));
    assert_eq!(settings("delay = {}").reload(&base), Ok(Config::default()));
    let config = settings("preset = \"database\"").over(&base);
    assert_eq!(config, Ok(Config { delay, ..Preset::Database.config() }));
    // It cannot be written, and all else is.
    let written = toml::to_string(&config::Hedge::from(&base)).unwrap();
    assert_eq!(settings(&written).over(&base), Ok(base));
}

#[test]
fn a_budget_can_be_shared_with_retries() {
    let registry = Registry::new();
    let text = "budget = { shared = \"upstream\" }";
    let of_hedge = settings(text).budget().unwrap().in_registry(&registry).unwrap().unwrap();
    let of_retry = crate::retry(text).budget().unwrap().in_registry(&registry).unwrap().unwrap();
    assert!(of_hedge.is_same(&of_retry));
    let hedge = Hedge::builder("hedge").registry(&registry).budget(&of_hedge).build().unwrap();
    assert!(hedge.budget().is_same(&of_retry));
}

#[test]
fn what_is_wrong_is_named() {
    let said = |text: &str| toml::from_str::<config::Hedge>(text).unwrap_err().message().to_owned();
    assert_eq!(
        said("delay = 20"),
        "invalid value: integer `20`, expected hedge.delay to be a table, such as { quantile = 0.95 }; or a \
         time with its unit, hours at most, such as \"250ms\" or \"1m 30s\""
    );
    assert_eq!(
        said("delay = { quantile = \"p95\" }"),
        "invalid value: string \"p95\", expected hedge.delay.quantile to be a number"
    );
    assert!(
        said("delay = { fixed = \"1s\" }").starts_with("unknown field `fixed`, expected one of `quantile`")
    );
    let error = settings("delay = { at_least = \"6s\" }").build().unwrap_err();
    assert_eq!(error.to_string(), "hedge.delay.at_least is 6s: allowed is 0ns to 5s");
}

/// Any valid configuration.
fn configs() -> impl Strategy<Value = Config> {
    let percentile = (0.5..=0.999, time(), time(), time()).prop_map(|(quantile, one, other, initial)| {
        let (at_least, at_most) = (one.min(other), one.max(other));
        Delay::Percentile(Percentile { quantile, at_least, at_most, initial })
    });
    let delay = prop_oneof![time().prop_map(Delay::Fixed), percentile];
    let kinds = collection::btree_set(select(FailureKind::ALL.to_vec()), 0..5);
    (delay, 2..=5_u32, time(), kinds, mode()).prop_map(
        |(delay, max_attempts, max_retry_after, fatal, mode)| Config {
            delay,
            max_attempts,
            max_retry_after,
            fatal,
            mode,
            ..Config::default()
        },
    )
}

fn keys() -> Vec<String> {
    let table = toml::Table::try_from(config::Hedge::from(&Config::default())).unwrap();
    table.keys().cloned().chain(["preset", "quantile", "at_least"].map(str::to_owned)).collect()
}

proptest! {
    #[test]
    fn what_is_written_is_read_the_same(config in configs()) {
        let written = config::Hedge::from(&config);
        let toml: config::Hedge = toml::from_str(&toml::to_string(&written).unwrap()).unwrap();
        prop_assert_eq!(toml.build(), Ok(config.clone()));
        let json = serde_json::from_value::<config::Hedge>(serde_json::to_value(&written).unwrap());
        prop_assert_eq!(json.unwrap().build(), Ok(config));
    }

    #[test]
    fn no_table_panics(table in tables(keys()), base in configs()) {
        let Ok(settings) = table.try_into::<config::Hedge>() else { return Ok(()) };
        for built in [settings.build(), settings.over(&base), settings.reload(&base)] {
            match built {
                Ok(config) => prop_assert_eq!(config.check(), Ok(())),
                Err(error) => prop_assert!(error.field().starts_with("hedge.") || error.field().starts_with("budget.")),
            }
        }
        let _ = toml::to_string(&settings).unwrap();
    }
}
