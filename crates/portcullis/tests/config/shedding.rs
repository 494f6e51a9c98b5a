//! What a file says of a load shedding is what it gets.

use std::time::Duration;

use portcullis::{
    LoadShed, Mode, Registry, config,
    shed::{Config, DEFAULT_SHARES, Preset, Pressure, PressureSource, QueueDelay},
};
use proptest::{option, prelude::*, sample::select};
use serde_json::json;

use crate::values::{mode, tables, value};

fn settings(text: &str) -> config::LoadShed {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn everything() -> Config {
    Config {
        max_in_flight: Some(500),
        shares: [0.25, 0.5, 0.75, 1.0, 1.0],
        queue_delay: Some(QueueDelay {
            target: Duration::from_millis(10),
            interval: Duration::from_millis(200),
        }),
        pressure: Some(Pressure {
            limit: 0.5,
            source: PressureSource::CpuStalls,
            cooling: Duration::from_secs(3),
        }),
        cut: 0.25,
        max_cut: 0.5,
        retry_after: Some(Duration::from_secs(10)),
        mode: Mode::Shadow,
    }
}

#[test]
fn every_field_is_read() {
    let given = json!({
        "max_in_flight": 500,
        "cut": 0.25,
        "max_cut": 0.5,
        "retry_after": "10s",
        "mode": "shadow",
        "queue_delay": { "target": "10ms", "interval": "200ms" },
        "pressure": { "limit": 0.5, "source": "cpu_stalls", "cooling": "3s" },
        "shares": { "lowest": 0.25, "low": 0.5, "normal": 0.75, "high": 1.0, "highest": 1.0 },
    });
    let settings: config::LoadShed = serde_json::from_value(given.clone()).unwrap();
    assert_eq!(settings.build(), Ok(everything()));
    assert_eq!(serde_json::to_value(&settings).unwrap(), given);
    assert_eq!(serde_json::to_value(config::LoadShed::from(&everything())).unwrap(), given);
}

#[test]
fn nothing_said_is_the_default() {
    assert_eq!(settings("").build(), Ok(Config::default()));
    assert_eq!(settings("queue_delay = {}\nshares = {}\npressure = false").build(), Ok(Config::default()));
    let some = settings("shares = { lowest = 0.1 }").build().unwrap().shares;
    assert_eq!(some, [0.1, DEFAULT_SHARES[1], DEFAULT_SHARES[2], DEFAULT_SHARES[3], DEFAULT_SHARES[4]]);
}

#[test]
fn a_preset_is_what_other_fields_start_from() {
    for preset in Preset::ALL {
        assert_eq!(settings(&format!("preset = \"{preset}\"")).build(), Ok(preset.config()));
    }
    let config = settings("preset = \"fast_api\"\nmax_in_flight = 9").build();
    assert_eq!(config, Ok(Config { max_in_flight: Some(9), ..Preset::FastApi.config() }));
}

/// A function cannot stand in a file, and is not lost by one.
#[test]
fn a_function_stays() {
    let shed = LoadShed::builder("api").registry(&Registry::new()).pressure_of(0.5, || None).build().unwrap();
    let written = config::LoadShed::from(&shed.config());
    assert!(!toml::to_string(&written).unwrap().contains("pressure"));
    let reloaded = settings("preset = \"slow_api\"").reload(&shed.config()).unwrap();
    assert_eq!(reloaded.pressure, shed.config().pressure);
    let other = settings("pressure = { limit = 0.9 }").reload(&shed.config()).unwrap();
    assert_eq!(other.pressure, Some(Pressure::of_cpu(0.9)));
    assert_eq!(settings("pressure = \"off\"").reload(&shed.config()).unwrap().pressure, None);
}

#[test]
fn what_is_wrong_is_named() {
    let said = |text: &str| toml::from_str::<config::LoadShed>(text).unwrap_err().message().to_owned();
    assert_eq!(
        said("pressure = { limit = 0.5, source = \"memory\" }"),
        "invalid value: string \"memory\", expected load_shed.pressure.source to be one of cpu, cpu_stalls"
    );
    assert_eq!(said("pressure = {}"), "load_shed.pressure.limit is missing");
    assert!(said("shares = { urgent = 1.0 }").contains("of priorities, each one of lowest"), "a word");
    assert!(
        said("limit = 5").starts_with("unknown field `limit`, expected one of `preset`, `max_in_flight`")
    );
    let refused = |text: &str| settings(text).build().unwrap_err().to_string();
    assert_eq!(refused("cut = 0.99"), "load_shed.cut is 0.99: allowed is 0.0 to 0.98");
}

/// Any valid configuration.
fn configs() -> impl Strategy<Value = Config> {
    let millis = |from: u64, to: u64| (from..=to).prop_map(Duration::from_millis);
    let delay =
        (millis(1, 10), millis(10, 60_000)).prop_map(|(target, interval)| QueueDelay { target, interval });
    let sources = select(vec![PressureSource::Cpu, PressureSource::CpuStalls]);
    let pressure = (0.01..=1.0, sources, millis(0, 60_000)).prop_map(|(limit, source, cooling)| Pressure {
        limit,
        source,
        cooling,
    });
    let shares = proptest::array::uniform5(0.01..=1.0).prop_map(|mut shares| {
        shares.sort_by(f64::total_cmp);
        shares
    });
    let signals = (option::of(1..=1_000_000_u32), shares, option::of(delay), option::of(pressure));
    (signals, 0.0..=0.5, 0.5..=0.99, option::of(millis(1, 3_600_000)), mode()).prop_map(
        |((max_in_flight, shares, queue_delay, pressure), cut, max_cut, retry_after, mode)| Config {
            max_in_flight,
            shares,
            queue_delay,
            pressure,
            cut,
            max_cut,
            retry_after,
            mode,
        },
    )
}

fn keys() -> Vec<String> {
    let table = toml::Table::try_from(config::LoadShed::from(&Config::default())).unwrap();
    let inner = ["preset", "target", "interval", "limit", "source", "cooling", "lowest", "high"];
    table.keys().cloned().chain(inner.map(str::to_owned)).collect()
}

/// Whatever was read can be built or refused, put on top of anything valid, and written.
fn use_it(settings: &config::LoadShed, base: &Config) {
    for built in [settings.build(), settings.over(base)] {
        match built {
            Ok(config) => assert_eq!(config.check(), Ok(())),
            Err(error) => assert!(error.field().starts_with("load_shed."), "{error}"),
        }
    }
    let _ = toml::to_string(settings).unwrap();
    let _ = serde_json::to_string(settings).unwrap();
}

proptest! {
    #[test]
    fn what_is_written_is_read_the_same(config in configs()) {
        prop_assert_eq!(config.check(), Ok(()));
        let written = config::LoadShed::from(&config);
        let toml: config::LoadShed = toml::from_str(&toml::to_string(&written).unwrap()).unwrap();
        prop_assert_eq!(toml.build(), Ok(config.clone()));
        let json = serde_json::from_value::<config::LoadShed>(serde_json::to_value(&written).unwrap());
        prop_assert_eq!(json.unwrap().build(), Ok(config));
    }

    #[test]
    fn no_table_panics(table in tables(keys()), base in configs()) {
        if let Ok(settings) = table.try_into::<config::LoadShed>() {
            use_it(&settings, &base);
        }
    }

    /// One field at a time, so that its value is reached whatever the others would have been.
    #[test]
    fn no_value_panics(key in select(keys()), value in value(keys()), base in configs()) {
        if let Ok(settings) = toml::Table::from_iter([(key, value)]).try_into::<config::LoadShed>() {
            use_it(&settings, &base);
        }
    }
}
