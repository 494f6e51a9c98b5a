//! Whatever stands in a file of a retry.

use std::{collections::BTreeSet, time::Duration};

use portcullis::{
    FailureKind, GrpcCode, config,
    retry::{Backoff, BudgetConfig, Config, Curve, Jitter, Preset},
};
use proptest::{collection, option, prelude::*, sample::select};
use serde_json::{Map, Value};

use crate::values::{mode, share, tables, time, value};

fn backoff() -> impl Strategy<Value = Backoff> {
    let curve = prop_oneof![
        select(vec![Curve::Exponential, Curve::Linear, Curve::Fixed, Curve::Fibonacci]),
        collection::vec(time(), 1..5).prop_map(Curve::list),
    ];
    let jitter = prop_oneof![
        select(vec![Jitter::Full, Jitter::Equal, Jitter::Exponential, Jitter::Decorrelated, Jitter::None]),
        share().prop_map(Jitter::Uniform),
    ];
    let backoff = (curve, time(), 1.0..=10.0, time(), jitter)
        .prop_map(|(curve, base, factor, cap, jitter)| Backoff { curve, base, factor, cap, jitter });
    backoff.prop_filter("more than the base", |backoff| backoff.check().is_ok())
}

fn budget() -> impl Strategy<Value = BudgetConfig> {
    let million = 1_000_000_u32;
    prop_oneof![
        Just(BudgetConfig::Unlimited),
        (0.0..=1.0, 0..=million).prop_map(|(ratio, floor)| BudgetConfig::share(ratio, floor)),
        (0.0..=1.0, 0..=million).prop_map(|(ratio, floor)| BudgetConfig::concurrent(ratio, floor)),
        (1..=1000_u32, 0.001..=1000.0).prop_map(|(max, ratio)| BudgetConfig::throttle(max, ratio)),
        (0..=million, 1..=million, 1..=million, 0..=million).prop_map(
            |(capacity, retry, timeout, success)| BudgetConfig::Cost { capacity, retry, timeout, success }
        ),
    ]
}

/// Any valid configuration.
fn configs() -> impl Strategy<Value = Config> {
    let kinds = collection::btree_set(select(FailureKind::ALL.to_vec()), 0..5);
    let codes = collection::vec(select(GrpcCode::ALL.to_vec()), 0..5);
    let times = (option::of(time()), prop_oneof![time(), Just(Duration::ZERO)]);
    let rest = (any::<bool>(), mode(), backoff(), budget());
    (1..=100_u32, times, kinds, option::of(codes), rest).prop_map(
        |(max_attempts, times, not_retried, codes, (retry_refusals, mode, backoff, budget))| Config {
            max_attempts,
            backoff,
            total_time: times.0,
            max_retry_after: times.1,
            not_retried: BTreeSet::from_iter(not_retried),
            grpc_codes: codes.map(FromIterator::from_iter),
            retry_refusals,
            mode,
            budget,
        },
    )
}

fn keys() -> Vec<String> {
    let table = toml::Table::try_from(config::Retry::from(&Config::default())).unwrap();
    table.keys().cloned().chain(["preset", "waits", "kind", "base"].map(str::to_owned)).collect()
}

/// Whatever was read can be built or refused, put on top of anything valid, and written.
fn use_it(settings: &config::Retry, base: &Config) {
    for built in [settings.build(), settings.over(base), settings.reload(base)] {
        match built {
            Ok(config) => assert_eq!(config.check(), Ok(())),
            Err(error) => {
                let place = error.field().split('.').next();
                assert!(matches!(place, Some("retry" | "budget")), "{error}");
            }
        }
    }
    let _ = toml::to_string(settings).unwrap();
    let _ = serde_json::to_string(settings).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn no_table_panics(table in tables(keys()), base in configs()) {
        if let Ok(settings) = toml::from_str::<config::Retry>(&toml::to_string(&table).unwrap()) {
            use_it(&settings, &base);
        }
        let json = serde_json::to_string(&table).unwrap();
        if let Ok(settings) = serde_json::from_str::<config::Retry>(&json) {
            use_it(&settings, &base);
        }
    }

    /// One field at a time, so that its value is reached whatever the others would have been.
    #[test]
    fn no_value_panics(key in select(keys()), value in value(keys()), base in configs()) {
        let table = toml::Table::from_iter([(key.clone(), value.clone())]);
        if let Ok(settings) = table.try_into::<config::Retry>() {
            use_it(&settings, &base);
        }
        let json = Value::Object(Map::from_iter([(key, serde_json::to_value(value).unwrap())]));
        if let Ok(settings) = serde_json::from_value::<config::Retry>(json) {
            use_it(&settings, &base);
        }
    }

    #[test]
    fn what_is_written_is_read_the_same(config in configs()) {
        prop_assert_eq!(config.check(), Ok(()));
        let settings = config::Retry::from(&config);

        let toml: config::Retry = toml::from_str(&toml::to_string(&settings).unwrap()).unwrap();
        prop_assert_eq!(&toml, &settings);
        prop_assert_eq!(toml.build(), Ok(config.clone()));

        let json = serde_json::from_value::<config::Retry>(serde_json::to_value(&settings).unwrap());
        prop_assert_eq!(json.unwrap().build(), Ok(config));
    }

    #[test]
    fn what_was_not_given_comes_from_the_base(
        given in configs(),
        base in configs(),
        preset in option::of(select(Preset::ALL.to_vec())),
        picked in collection::hash_set(select(keys()), 0..10),
    ) {
        let mut table = toml::Table::try_from(config::Retry::from(&given)).unwrap();
        table.retain(|key, _| picked.contains(key));
        if let Some(preset) = preset {
            table.insert("preset".to_owned(), preset.as_str().into());
        }
        let settings: config::Retry = table.clone().try_into().unwrap();
        prop_assert_eq!(toml::Table::try_from(&settings).unwrap(), table.clone());

        let below = preset.map_or(base.clone(), Preset::config);
        let mut expected = toml::Table::try_from(config::Retry::from(&below)).unwrap();
        expected.extend(table);
        expected.remove("preset");
        let built = settings.over(&base).unwrap();
        prop_assert_eq!(toml::Table::try_from(config::Retry::from(&built)).unwrap(), expected);
    }
}
