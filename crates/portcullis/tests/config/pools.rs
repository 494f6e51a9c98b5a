//! What a file says of a pool of threads is what it gets.

use std::time::Duration;

use portcullis::{
    Mode, Registry, ThreadPool, config,
    pool::{Config, MAX_QUEUED, MAX_THREADS, Preset},
};
use proptest::{collection, option, prelude::*, sample::select};
use serde_json::json;

use crate::values::{mode, tables, value};

fn settings(text: &str) -> config::ThreadPool {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn everything() -> Config {
    Config {
        threads: 4,
        max_queued: 16,
        max_wait: Duration::from_millis(250),
        newest_first: true,
        keep_alive: Duration::from_secs(60),
        mode: Mode::EnforcePercent(25),
    }
}

#[test]
fn every_field_is_read() {
    let given = json!({
        "threads": 4,
        "max_queued": 16,
        "max_wait": "250ms",
        "newest_first": true,
        "keep_alive": "1m",
        "mode": { "enforce_percent": 25 },
    });
    let settings: config::ThreadPool = serde_json::from_value(given.clone()).unwrap();
    assert_eq!(settings.build(), Ok(everything()));
    assert_eq!(serde_json::to_value(&settings).unwrap(), given);
    assert_eq!(serde_json::to_value(config::ThreadPool::from(&everything())).unwrap(), given);
}

#[test]
fn nothing_said_is_the_default() {
    assert_eq!(settings("").build(), Ok(Config::default()));
}

#[test]
fn a_preset_is_what_other_fields_start_from() {
    for preset in Preset::ALL {
        assert_eq!(settings(&format!("preset = \"{preset}\"")).build(), Ok(preset.config()));
    }
    let config = settings("preset = \"database\"\nthreads = 3").over(&everything());
    assert_eq!(config, Ok(Config { threads: 3, ..Preset::Database.config() }));
}

#[test]
fn a_pool_that_runs_takes_new_settings() {
    let pool =
        ThreadPool::builder("reloaded").config(everything()).registry(&Registry::new()).build().unwrap();
    pool.reconfigure(settings("threads = 2").over(&pool.config()).unwrap()).unwrap();
    assert_eq!(pool.config(), Config { threads: 2, ..everything() });
}

#[test]
fn what_is_wrong_is_named() {
    let said = |text: &str| toml::from_str::<config::ThreadPool>(text).unwrap_err().message().to_owned();
    assert_eq!(
        said("keep_alive = 5"),
        "invalid value: integer `5`, expected thread_pool.keep_alive to be a time with its unit, hours at \
         most, such as \"250ms\" or \"1m 30s\""
    );
    assert!(said("newest_first = 1").contains("expected thread_pool.newest_first to be"));
    assert!(said("max_threads = 5").starts_with("unknown field `max_threads`"));
    let refused = |text: &str| settings(text).build().unwrap_err().to_string();
    assert_eq!(refused("threads = 10001"), "thread_pool.threads is 10001: allowed is 1 to 10000");
}

/// Any valid configuration.
fn configs() -> impl Strategy<Value = Config> {
    let time = |from: u64, hours: u64| (from..=hours * 3_600_000_000_000).prop_map(Duration::from_nanos);
    (1..=MAX_THREADS, 0..=MAX_QUEUED, time(1_000_000, 1), any::<bool>(), time(0, 24), mode()).prop_map(
        |(threads, max_queued, max_wait, newest_first, keep_alive, mode)| Config {
            threads,
            max_queued,
            max_wait,
            newest_first,
            keep_alive,
            mode,
        },
    )
}

fn keys() -> Vec<String> {
    let table = toml::Table::try_from(config::ThreadPool::from(&Config::default())).unwrap();
    table.keys().cloned().chain(["preset".to_owned()]).collect()
}

/// Whatever was read can be built or refused, put on top of anything valid, and written.
fn use_it(settings: &config::ThreadPool, base: &Config) {
    for built in [settings.build(), settings.over(base)] {
        match built {
            Ok(config) => assert_eq!(config.check(), Ok(())),
            Err(error) => assert!(error.field().starts_with("thread_pool."), "{error}"),
        }
    }
    let _ = toml::to_string(settings).unwrap();
    let _ = serde_json::to_string(settings).unwrap();
}

proptest! {
    #[test]
    fn what_is_written_is_read_the_same(config in configs()) {
        prop_assert_eq!(config.check(), Ok(()));
        let written = config::ThreadPool::from(&config);
        let toml: config::ThreadPool = toml::from_str(&toml::to_string(&written).unwrap()).unwrap();
        prop_assert_eq!(toml.build(), Ok(config.clone()));
        let json = serde_json::from_value::<config::ThreadPool>(serde_json::to_value(&written).unwrap());
        prop_assert_eq!(json.unwrap().build(), Ok(config));
    }

    #[test]
    fn no_table_panics(table in tables(keys()), base in configs()) {
        if let Ok(settings) = table.try_into::<config::ThreadPool>() {
            use_it(&settings, &base);
        }
    }

    /// One field at a time, so that its value is reached whatever the others would have been.
    #[test]
    fn no_value_panics(key in select(keys()), value in value(keys()), base in configs()) {
        if let Ok(settings) = toml::Table::from_iter([(key, value)]).try_into::<config::ThreadPool>() {
            use_it(&settings, &base);
        }
    }

    #[test]
    fn what_was_not_given_comes_from_the_base(
        given in configs(),
        base in configs(),
        preset in option::of(select(Preset::ALL.to_vec())),
        picked in collection::hash_set(select(keys()), 0..7),
    ) {
        let mut table = toml::Table::try_from(config::ThreadPool::from(&given)).unwrap();
        table.retain(|key, _| picked.contains(key));
        if let Some(preset) = preset {
            table.insert("preset".to_owned(), preset.as_str().into());
        }
        let settings: config::ThreadPool = table.clone().try_into().unwrap();
        prop_assert_eq!(toml::Table::try_from(&settings).unwrap(), table.clone());

        let below = preset.map_or(base.clone(), Preset::config);
        let mut expected = toml::Table::try_from(config::ThreadPool::from(&below)).unwrap();
        expected.extend(table);
        expected.remove("preset");
        let built = settings.over(&base).unwrap();
        prop_assert_eq!(toml::Table::try_from(config::ThreadPool::from(&built)).unwrap(), expected);
    }
}
