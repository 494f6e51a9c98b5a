//! What a file says of a bulkhead is what it gets.

use std::time::Duration;

use portcullis::{
    Bulkhead, Mode, Priority, Registry,
    bulkhead::{Codel, Config, MAX_PERMITS, Order, Preset},
    config,
};
use proptest::{collection, option, prelude::*, sample::select};
use serde_json::json;

use crate::values::{mode, tables, value};

fn settings(text: &str) -> config::Bulkhead {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn everything() -> Config {
    Config {
        max_in_flight: 20,
        max_queued: 50,
        max_wait: Duration::from_millis(250),
        order: Order::Priority,
        codel: Some(Codel { target: Duration::from_millis(20), interval: Duration::from_secs(1) }),
        reserved: [0, 0, 1, 5, 2],
        mode: Mode::EnforcePercent(25),
    }
}

#[test]
fn every_field_is_read() {
    let given = json!({
        "max_in_flight": 20,
        "max_queued": 50,
        "max_wait": "250ms",
        "order": "priority",
        "mode": { "enforce_percent": 25 },
        "codel": { "target": "20ms", "interval": "1s" },
        "reserved": { "normal": 1, "high": 5, "highest": 2 },
    });
    let settings: config::Bulkhead = serde_json::from_value(given.clone()).unwrap();
    assert_eq!(settings.build(), Ok(everything()));
    assert_eq!(serde_json::to_value(&settings).unwrap(), given);
    assert_eq!(serde_json::to_value(config::Bulkhead::from(&everything())).unwrap(), given);
}

#[test]
fn nothing_said_is_the_default() {
    assert_eq!(settings("").build(), Ok(Config::default()));
    assert_eq!(settings("codel = \"off\"\nreserved = \"off\"").build(), Ok(Config::default()));
    assert_eq!(settings("codel = {}").build().unwrap().codel, Some(Codel::default()));
}

#[test]
fn a_preset_is_what_other_fields_start_from() {
    for preset in Preset::ALL {
        assert_eq!(settings(&format!("preset = \"{preset}\"")).build(), Ok(preset.config()));
    }
    let config = settings("preset = \"critical_service\"\nreserved = { highest = 9 }").build();
    assert_eq!(config, Ok(Config { reserved: [0, 0, 0, 0, 9], ..Preset::CriticalService.config() }));
}

#[test]
fn over_changes_what_was_given_alone() {
    let config = settings("max_in_flight = 30\ncodel = false").over(&everything());
    assert_eq!(config, Ok(Config { max_in_flight: 30, codel: None, ..everything() }));
    assert_eq!(settings("").over(&everything()), Ok(everything()));
    let written = config::Bulkhead::from(&everything());
    assert_eq!(written.over(&Preset::Database.config()), Ok(everything()));
}

#[test]
fn a_bulkhead_that_runs_takes_new_settings() {
    let builder = Bulkhead::builder("reloaded").registry(&Registry::new()).preset(Preset::Database);
    let bulkhead = builder.build().unwrap();
    let running = bulkhead.try_admit().unwrap();
    bulkhead.reconfigure(settings("max_in_flight = 1").build().unwrap()).unwrap();
    assert!(bulkhead.is_refusing());
    drop(running);
    assert_eq!(bulkhead.config(), Config { max_in_flight: 1, ..Config::default() });
}

#[test]
fn what_is_wrong_is_named() {
    let said = |text: &str| toml::from_str::<config::Bulkhead>(text).unwrap_err().message().to_owned();
    assert_eq!(
        said("order = \"random\""),
        "invalid value: string \"random\", expected bulkhead.order to be one of fifo, lifo, priority"
    );
    assert_eq!(
        said("codel = \"5ms\""),
        "invalid value: string \"5ms\", expected bulkhead.codel to be a table, such as { target = \"5ms\", \
         interval = \"100ms\" }; or \"off\""
    );
    assert_eq!(
        said("reserved = { urgent = 5 }"),
        "invalid value: string \"urgent\", expected bulkhead.reserved to be of priorities, each one of lowest, \
         low, normal, high, highest"
    );
    assert!(said("reserved = { high = -1 }").starts_with("invalid value: integer `-1`, expected"));
    assert!(said("reserved = 5").contains("expected bulkhead.reserved to be a table of whole numbers"));
    assert!(said("permits = 5").starts_with("unknown field `permits`"));
    let twice = serde_json::from_str::<config::Bulkhead>(r#"{"reserved":{"high":1,"high":2}}"#).unwrap_err();
    assert!(twice.to_string().starts_with("duplicate field `high`"));
    let refused = |text: &str| settings(text).build().unwrap_err().to_string();
    assert_eq!(refused("reserved = { high = 100 }"), "bulkhead.reserved is 100: allowed is 0 to 99");
    assert_eq!(refused("reserved = { lowest = 1 }"), "bulkhead.reserved.lowest is 1: allowed is 0 to 0");
    assert!(refused("codel = { target = \"1s\" }").starts_with("bulkhead.codel.interval is 100ms"));
}

/// Any valid configuration.
fn configs() -> impl Strategy<Value = Config> {
    let day = |from: u64, to: u64| (from..=to).prop_map(Duration::from_nanos);
    let codel = (day(100_000, 60_000_000_000), day(100_000, 60_000_000_000))
        .prop_map(|(one, other)| Codel { target: one.min(other), interval: one.max(other) });
    let reserved = (0..=1000_u32, 0..=1000_u32, 0..=1000_u32, 0..=1000_u32);
    let permits = (4001..=MAX_PERMITS, 0..=MAX_PERMITS, day(1_000_000, 3_600_000_000_000));
    (permits, select(Order::ALL.to_vec()), option::of(codel), reserved, mode()).prop_map(
        |((max_in_flight, max_queued, max_wait), order, codel, (low, normal, high, highest), mode)| Config {
            max_in_flight,
            max_queued,
            max_wait,
            order,
            codel,
            reserved: [0, low, normal, high, highest],
            mode,
        },
    )
}

fn keys() -> Vec<String> {
    let table = toml::Table::try_from(config::Bulkhead::from(&Config::default())).unwrap();
    let others = ["preset", "target", "interval", Priority::High.as_str(), "lowest"];
    table.keys().cloned().chain(others.map(str::to_owned)).collect()
}

/// Whatever was read can be built or refused, put on top of anything valid, and written.
fn use_it(settings: &config::Bulkhead, base: &Config) {
    for built in [settings.build(), settings.over(base)] {
        match built {
            Ok(config) => assert_eq!(config.check(), Ok(())),
            Err(error) => assert!(error.field().starts_with("bulkhead."), "{error}"),
        }
    }
    let _ = toml::to_string(settings).unwrap();
    let _ = serde_json::to_string(settings).unwrap();
}

proptest! {
    #[test]
    fn what_is_written_is_read_the_same(config in configs()) {
        prop_assert_eq!(config.check(), Ok(()));
        let written = config::Bulkhead::from(&config);
        let toml: config::Bulkhead = toml::from_str(&toml::to_string(&written).unwrap()).unwrap();
        prop_assert_eq!(toml.build(), Ok(config.clone()));
        let json = serde_json::from_value::<config::Bulkhead>(serde_json::to_value(&written).unwrap());
        prop_assert_eq!(json.unwrap().build(), Ok(config));
    }

    #[test]
    fn no_table_panics(table in tables(keys()), base in configs()) {
        if let Ok(settings) = table.try_into::<config::Bulkhead>() {
            use_it(&settings, &base);
        }
    }

    /// One field at a time, so that its value is reached whatever the others would have been.
    #[test]
    fn no_value_panics(key in select(keys()), value in value(keys()), base in configs()) {
        if let Ok(settings) = toml::Table::from_iter([(key, value)]).try_into::<config::Bulkhead>() {
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
        let mut table = toml::Table::try_from(config::Bulkhead::from(&given)).unwrap();
        table.retain(|key, _| picked.contains(key));
        if let Some(preset) = preset {
            table.insert("preset".to_owned(), preset.as_str().into());
        }
        let settings: config::Bulkhead = table.clone().try_into().unwrap();
        prop_assert_eq!(toml::Table::try_from(&settings).unwrap(), table.clone());

        let below = preset.map_or(base.clone(), Preset::config);
        let mut expected = toml::Table::try_from(config::Bulkhead::from(&below)).unwrap();
        expected.extend(table);
        expected.remove("preset");
        match settings.over(&base) {
            Ok(built) => {
                prop_assert_eq!(toml::Table::try_from(config::Bulkhead::from(&built)).unwrap(), expected);
            }
            // The only limit that depends on another field: what is kept, of few permits.
            Err(error) => prop_assert_eq!(error.field(), "bulkhead.reserved"),
        }
    }
}
