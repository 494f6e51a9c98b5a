//! What a file says of chaos is what it gets.

use std::time::Duration;

use portcullis::{
    Chaos, FailureKind, Registry,
    chaos::{Config, Fault, FaultKind, Latency, Schedule},
    config,
};
use proptest::{collection, option, prelude::*, sample::select};
use serde_json::json;

use crate::values::{share, tables, value};

fn settings(text: &str) -> config::Chaos {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn everything() -> Config {
    let ms = Duration::from_millis;
    let kinds = [
        FaultKind::Latency(Latency::Fixed(ms(20))),
        FaultKind::Latency(Latency::Uniform(ms(10), ms(50))),
        FaultKind::Latency(Latency::Exponential(ms(200))),
        FaultKind::Latency(Latency::Normal(ms(100), ms(20))),
        FaultKind::Error(FailureKind::Unavailable),
        FaultKind::Response,
        FaultKind::Panic,
        FaultKind::Hang,
        FaultKind::CutBody(1000),
        FaultKind::Bandwidth(2000),
    ];
    Config {
        faults: kinds.map(|what| Fault { share: 0.25, what }).to_vec(),
        schedule: Some(Schedule { active: ms(30_000), every: ms(600_000) }),
        enabled: true,
    }
}

#[test]
fn every_field_is_read() {
    let kinds = [
        json!({ "latency": "20ms" }),
        json!({ "latency": { "uniform": ["10ms", "50ms"] } }),
        json!({ "latency": { "exponential": "200ms" } }),
        json!({ "latency": { "normal": ["100ms", "20ms"] } }),
        json!({ "error": "unavailable" }),
        json!("response"),
        json!("panic"),
        json!("hang"),
        json!({ "cut_body": 1000 }),
        json!({ "bandwidth": 2000 }),
    ];
    let given = json!({
        "enabled": true,
        "schedule": { "active": "30s", "every": "10m" },
        "faults": kinds.map(|what| json!({ "share": 0.25, "what": what })),
    });
    let settings: config::Chaos = serde_json::from_value(given.clone()).unwrap();
    assert_eq!(settings.build(), Ok(everything()));
    assert_eq!(serde_json::to_value(&settings).unwrap(), given);
    assert_eq!(serde_json::to_value(config::Chaos::from(&everything())).unwrap(), given);
}

#[test]
fn nothing_said_is_the_default() {
    assert_eq!(settings("").build(), Ok(Config::default()));
}

#[test]
fn chaos_that_runs_takes_new_settings() {
    let chaos = Chaos::builder("c").config(everything()).registry(&Registry::new()).build().unwrap();
    chaos.reconfigure(settings("enabled = false").over(&chaos.config()).unwrap()).unwrap();
    assert_eq!(chaos.config().faults.len(), 10);
    chaos.reconfigure(settings("enabled = true").reload(&chaos.config()).unwrap()).unwrap();
    assert!(chaos.config().faults.is_empty() && chaos.config().schedule.is_none());
}

#[test]
fn what_is_wrong_is_named() {
    let said = |text: &str| toml::from_str::<config::Chaos>(text).unwrap_err().message().to_owned();
    let fault = |what: &str| said(&format!("faults = [{{ share = 1, what = {what} }}]"));
    assert!(fault("\"rain\"").contains("expected chaos.faults.what to be one of response, panic, hang; or"));
    assert_eq!(fault("{}"), "chaos.faults.what is one fault, no more and no less");
    assert_eq!(
        fault("{ cut_body = 1, bandwidth = 1 }"),
        "chaos.faults.what is one fault, no more and no less"
    );
    let latency = "chaos.faults.what.latency is one of uniform";
    assert!(fault("{ latency = { uniform = [\"1s\"] } }").starts_with(latency));
    assert!(fault("{ latency = {} }").starts_with(latency));
    assert_eq!(said("faults = [{ share = 1 }]"), "chaos.faults.what is missing");
    assert_eq!(said("schedule = { active = \"1s\" }"), "chaos.schedule.every is missing");
    assert!(said("faults = \"panic\"").contains("expected chaos.faults to be a list of faults"));
    let crossed = "faults = [{ share = 1, what = { latency = { uniform = [\"2s\", \"1s\"] } } }]";
    assert_eq!(settings(crossed).build().unwrap_err().field(), "chaos.latency");
}

fn latencies() -> impl Strategy<Value = Latency> {
    let time = || (0..=3_600_000_000_000u64).prop_map(Duration::from_nanos);
    prop_oneof![
        time().prop_map(Latency::Fixed),
        time().prop_map(Latency::Exponential),
        (time(), time()).prop_map(|(a, b)| Latency::Uniform(a.min(b), a.max(b))),
        (time(), time()).prop_map(|(mean, deviation)| Latency::Normal(mean, deviation)),
    ]
}

fn faults() -> impl Strategy<Value = Fault> {
    let bytes = || 1..=1_000_000_000_000u64;
    let what = prop_oneof![
        latencies().prop_map(FaultKind::Latency),
        select(FailureKind::ALL.to_vec()).prop_map(FaultKind::Error),
        select(vec![FaultKind::Response, FaultKind::Panic, FaultKind::Hang]),
        bytes().prop_map(FaultKind::CutBody),
        bytes().prop_map(FaultKind::Bandwidth),
    ];
    (share(), what).prop_map(|(share, what)| Fault { share, what })
}

/// Any valid configuration.
fn configs() -> impl Strategy<Value = Config> {
    let time = || (1_000_000..=3_600_000_000_000u64).prop_map(Duration::from_nanos);
    let schedule = (time(), time()).prop_map(|(a, b)| Schedule { active: a.min(b), every: a.max(b) });
    (collection::vec(faults(), 0..5), option::of(schedule), any::<bool>())
        .prop_map(|(faults, schedule, enabled)| Config { faults, schedule, enabled })
}

fn keys() -> Vec<String> {
    ["enabled", "schedule", "faults", "share", "what", "latency"].map(str::to_owned).to_vec()
}

proptest! {
    #[test]
    fn what_is_written_is_read_the_same(config in configs()) {
        prop_assert_eq!(config.check(), Ok(()));
        let written = config::Chaos::from(&config);
        let toml: config::Chaos = toml::from_str(&toml::to_string(&written).unwrap()).unwrap();
        prop_assert_eq!(toml.build(), Ok(config.clone()));
        let json = serde_json::from_value::<config::Chaos>(serde_json::to_value(&written).unwrap());
        prop_assert_eq!(json.unwrap().build(), Ok(config));
    }

    #[test]
    fn no_table_panics(table in tables(keys()), base in configs()) {
        if let Ok(settings) = table.try_into::<config::Chaos>() {
            let _ = (settings.build(), settings.over(&base), toml::to_string(&settings).unwrap());
        }
    }

    #[test]
    fn no_value_panics(key in select(keys()), value in value(keys()), base in configs()) {
        if let Ok(settings) = toml::Table::from_iter([(key, value)]).try_into::<config::Chaos>() {
            let _ = (settings.build(), settings.over(&base), toml::to_string(&settings).unwrap());
        }
    }
}
