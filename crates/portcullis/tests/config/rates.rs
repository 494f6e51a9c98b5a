//! What a file says of a rate limit is what it gets.

use std::time::Duration;

use portcullis::{
    Mode, RateLimit, Registry, config,
    rate::{Algorithm, Config, KeyedRateLimit, MAX_QUEUED, Preset, Warmup},
};
use proptest::{collection, option, prelude::*, sample::select};
use serde_json::json;

use crate::values::{mode, tables, value};

fn settings(text: &str) -> config::RateLimit {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn everything() -> Config {
    Config {
        permits: 600,
        period: Duration::from_secs(60),
        burst: Some(20),
        algorithm: Algorithm::Gcra,
        warmup: Some(Warmup { from: 0.25, time: Duration::from_secs(30) }),
        max_queued: 50,
        max_wait: Duration::from_millis(250),
        mode: Mode::Shadow,
    }
}

#[test]
fn every_field_is_read() {
    let given = json!({
        "permits": 600,
        "period": "1m",
        "burst": 20,
        "algorithm": "gcra",
        "max_queued": 50,
        "max_wait": "250ms",
        "mode": "shadow",
        "warmup": { "from": 0.25, "time": "30s" },
    });
    let settings: config::RateLimit = serde_json::from_value(given.clone()).unwrap();
    assert_eq!(settings.build(), Ok(everything()));
    assert_eq!(serde_json::to_value(&settings).unwrap(), given);
    let written = serde_json::to_value(config::RateLimit::from(&everything())).unwrap();
    assert_eq!(serde_json::from_value::<config::RateLimit>(written).unwrap().build(), Ok(everything()));
}

#[test]
fn nothing_said_is_the_default() {
    assert_eq!(settings("").build(), Ok(Config::default()));
    assert_eq!(settings("burst = \"off\"\nwarmup = false").build(), Ok(Config::default()));
}

#[test]
fn a_sliding_window_has_no_burst_of_its_own() {
    let config = settings("permits = 5\nalgorithm = \"sliding_window\"").build().unwrap();
    assert_eq!((config.algorithm, config.burst()), (Algorithm::SlidingWindow, 5));
    let error = settings("algorithm = \"sliding_window\"\nwarmup = { from = 0.5, time = \"1s\" }").build();
    assert!(error.unwrap_err().to_string().starts_with("rate.warmup is Warmup"));
}

#[test]
fn a_preset_is_what_other_fields_start_from() {
    for preset in Preset::ALL {
        assert_eq!(settings(&format!("preset = \"{preset}\"")).build(), Ok(preset.config()));
    }
    let config = settings("preset = \"database\"\nwarmup = \"off\"").build();
    assert_eq!(config, Ok(Config { warmup: None, ..Preset::Database.config() }));
}

#[test]
fn over_changes_what_was_given_alone() {
    let config = settings("permits = 30\nburst = \"off\"").over(&everything());
    assert_eq!(config, Ok(Config { permits: 30, burst: None, ..everything() }));
    assert_eq!(settings("").over(&everything()), Ok(everything()));
    let written = config::RateLimit::from(&everything());
    assert_eq!(written.over(&Preset::SlowApi.config()), Ok(everything()));
}

#[test]
fn one_limit_and_one_per_key_read_the_same() {
    let registry = Registry::new();
    let config = settings("permits = 3\nperiod = \"1h\"").build().unwrap();
    let one = RateLimit::builder("one").registry(&registry).config(config.clone()).build().unwrap();
    let keyed = KeyedRateLimit::builder("keyed").registry(&registry).config(config).build().unwrap();
    assert_eq!((one.status().available, keyed.limit("a").status().available), (3, 3));

    keyed.reconfigure(settings("preset = \"fast_api\"").build().unwrap()).unwrap();
    assert_eq!(keyed.limit("b").status().burst, 200);
    let preset =
        KeyedRateLimit::builder("preset").registry(&registry).preset(Preset::FastApi).build().unwrap();
    assert_eq!(preset.config(), keyed.config());
}

#[test]
fn what_is_wrong_is_named() {
    let said = |text: &str| toml::from_str::<config::RateLimit>(text).unwrap_err().message().to_owned();
    assert_eq!(
        said("algorithm = \"leaky_bucket\""),
        "invalid value: string \"leaky_bucket\", expected rate.algorithm to be one of gcra, sliding_window"
    );
    assert!(said("period = 1").starts_with("invalid value: integer `1`, expected rate.period to be a time"));
    assert_eq!(said("warmup = { from = 0.5 }"), "rate.warmup.time is missing");
    assert_eq!(said("warmup = {}"), "rate.warmup.from is missing");
    assert_eq!(
        said("warmup = \"30s\""),
        "invalid value: string \"30s\", expected rate.warmup to be a table, such as { from = 0.2, time = \
         \"30s\" }; or \"off\""
    );
    assert!(said("rate = 5").starts_with("unknown field `rate`, expected one of `preset`, `permits`"));
    let refused = |text: &str| settings(text).build().unwrap_err().to_string();
    assert_eq!(refused("burst = 0"), "rate.burst is 0: allowed is 1 to 1000000");
    assert_eq!(refused("permits = 1001\nperiod = \"1ms\""), "rate.permits is 1001: allowed is 1 to 1000");
}

/// Any valid configuration.
fn configs() -> impl Strategy<Value = Config> {
    let time = |to: u64| (1_000_000..=to).prop_map(Duration::from_nanos);
    let hour = 3_600_000_000_000;
    let rate = (1..=1000_u32, time(24 * hour), option::of(1..=300_u32));
    let warmup = (0.01..=1.0, time(hour)).prop_map(|(from, time)| Warmup { from, time });
    let queue = (0..=MAX_QUEUED, time(hour));
    (rate, select(Algorithm::ALL.to_vec()), option::of(warmup), queue, mode()).prop_map(
        |((permits, period, burst), algorithm, warmup, (max_queued, max_wait), mode)| Config {
            permits,
            period,
            burst,
            algorithm,
            warmup: warmup.filter(|_| algorithm == Algorithm::Gcra),
            max_queued,
            max_wait,
            mode,
        },
    )
}

fn keys() -> Vec<String> {
    let table = toml::Table::try_from(config::RateLimit::from(&Config::default())).unwrap();
    table.keys().cloned().chain(["preset", "from", "time"].map(str::to_owned)).collect()
}

/// Whatever was read can be built or refused, put on top of anything valid, and written.
fn use_it(settings: &config::RateLimit, base: &Config) {
    for built in [settings.build(), settings.over(base)] {
        match built {
            Ok(config) => assert_eq!(config.check(), Ok(())),
            Err(error) => assert!(error.field().starts_with("rate."), "{error}"),
        }
    }
    let _ = toml::to_string(settings).unwrap();
    let _ = serde_json::to_string(settings).unwrap();
}

proptest! {
    #[test]
    fn what_is_written_is_read_the_same(config in configs()) {
        prop_assert_eq!(config.check(), Ok(()));
        let written = config::RateLimit::from(&config);
        let toml: config::RateLimit = toml::from_str(&toml::to_string(&written).unwrap()).unwrap();
        prop_assert_eq!(toml.build(), Ok(config.clone()));
        let json = serde_json::from_value::<config::RateLimit>(serde_json::to_value(&written).unwrap());
        prop_assert_eq!(json.unwrap().build(), Ok(config));
    }

    #[test]
    fn no_table_panics(table in tables(keys()), base in configs()) {
        if let Ok(settings) = table.try_into::<config::RateLimit>() {
            use_it(&settings, &base);
        }
    }

    /// One field at a time, so that its value is reached whatever the others would have been.
    #[test]
    fn no_value_panics(key in select(keys()), value in value(keys()), base in configs()) {
        if let Ok(settings) = toml::Table::from_iter([(key, value)]).try_into::<config::RateLimit>() {
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
        let mut table = toml::Table::try_from(config::RateLimit::from(&given)).unwrap();
        table.retain(|key, _| picked.contains(key));
        if let Some(preset) = preset {
            table.insert("preset".to_owned(), preset.as_str().into());
        }
        let settings: config::RateLimit = table.clone().try_into().unwrap();
        prop_assert_eq!(toml::Table::try_from(&settings).unwrap(), table.clone());

        let below = preset.map_or(base.clone(), Preset::config);
        let mut expected = toml::Table::try_from(config::RateLimit::from(&below)).unwrap();
        expected.extend(table);
        expected.remove("preset");
        match settings.over(&base) {
            Ok(built) => {
                prop_assert_eq!(toml::Table::try_from(config::RateLimit::from(&built)).unwrap(), expected);
            }
            // Limits that depend on another field: how fast, how much at once, and no warm-up of a window.
            Err(error) => {
                prop_assert!(["rate.permits", "rate.burst", "rate.warmup"].contains(&error.field()), "{error}");
            }
        }
    }
}
