//! What a file says of reconnecting is what it gets.

use std::time::Duration;

use portcullis::{
    Reconnect, Registry, config,
    reconnect::Config,
    retry::{Backoff, Jitter},
};
use proptest::{prelude::*, sample::select};
use serde_json::json;

use crate::values::{tables, value};

fn settings(text: &str) -> config::Reconnect {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn everything() -> Config {
    Config {
        backoff: Backoff::linear(Duration::from_millis(50)).cap(Duration::from_secs(5)).jitter(Jitter::None),
        connect_timeout: Duration::from_secs(1),
        wait: true,
        stable_after: Duration::from_secs(60),
    }
}

#[test]
fn every_field_is_read() {
    let text = "connect_timeout = \"1s\"\nwait = true\nstable_after = \"1m\"\n\
                backoff = { curve = \"linear\", base = \"50ms\", cap = \"5s\", jitter = \"none\" }";
    assert_eq!(settings(text).build(), Ok(everything()));
    let written = serde_json::to_value(config::Reconnect::from(&everything())).unwrap();
    assert_eq!(written["stable_after"], json!("1m"));
    assert_eq!(serde_json::from_value::<config::Reconnect>(written).unwrap().build(), Ok(everything()));
}

#[test]
fn nothing_said_is_the_default() {
    assert_eq!(settings("").build(), Ok(Config::default()));
    let config = settings("connect_timeout = \"1s\"").build().unwrap();
    assert_eq!(config.backoff, Config::default().backoff);
}

#[test]
fn one_that_runs_takes_new_settings_and_keeps_its_function() {
    let ours = Backoff::function(|_| Duration::from_secs(1));
    let reconnect = Reconnect::builder("r").backoff(ours.clone()).registry(&Registry::new()).build().unwrap();
    reconnect.reconfigure(settings("wait = true").reload(&reconnect.config()).unwrap()).unwrap();
    assert_eq!((reconnect.config().wait, &reconnect.config().backoff), (true, &ours));
    reconnect.reconfigure(settings("backoff = \"off\"").reload(&reconnect.config()).unwrap()).unwrap();
    assert_eq!((reconnect.config().wait, &reconnect.config().backoff), (false, &Backoff::NONE));
}

#[test]
fn what_is_wrong_is_named() {
    let said = |text: &str| toml::from_str::<config::Reconnect>(text).unwrap_err().message().to_owned();
    assert!(said("connect_timeout = 5").contains("expected reconnect.connect_timeout to be a time"));
    assert!(said("backoff = { base = 5 }").contains("expected reconnect.backoff.base to be a time"));
    let refused = |text: &str| settings(text).build().unwrap_err().field();
    assert_eq!(refused("backoff = \"25h\""), "reconnect.backoff.base");
    assert_eq!(refused("backoff = { factor = 0.5 }"), "reconnect.backoff.factor");
    assert_eq!(refused("backoff = { cap = \"25h\" }"), "reconnect.backoff.cap");
    assert_eq!(refused("backoff = { jitter = { uniform = 2 } }"), "reconnect.backoff.jitter");
    assert_eq!(refused("backoff = { waits = [] }"), "reconnect.backoff.list");
}

/// Any valid configuration, with one of some backoffs.
fn configs() -> impl Strategy<Value = Config> {
    let time = |from: u64| (from..=3_600_000_000_000u64).prop_map(Duration::from_nanos);
    let backoffs = vec![Backoff::NONE, everything().backoff, Config::default().backoff];
    (select(backoffs), time(1_000_000), any::<bool>(), time(0)).prop_map(
        |(backoff, connect_timeout, wait, stable_after)| Config {
            backoff,
            connect_timeout,
            wait,
            stable_after,
        },
    )
}

fn keys() -> Vec<String> {
    ["connect_timeout", "wait", "stable_after", "backoff"].map(str::to_owned).to_vec()
}

proptest! {
    #[test]
    fn what_is_written_is_read_the_same(config in configs()) {
        let written = config::Reconnect::from(&config);
        let toml: config::Reconnect = toml::from_str(&toml::to_string(&written).unwrap()).unwrap();
        prop_assert_eq!(toml.build(), Ok(config.clone()));
        let json = serde_json::from_value::<config::Reconnect>(serde_json::to_value(&written).unwrap());
        prop_assert_eq!(json.unwrap().build(), Ok(config));
    }

    #[test]
    fn no_table_panics(table in tables(keys()), base in configs()) {
        if let Ok(settings) = table.try_into::<config::Reconnect>() {
            let _ = (settings.build(), settings.over(&base), toml::to_string(&settings).unwrap());
        }
    }

    #[test]
    fn no_value_panics(key in select(keys()), value in value(keys()), base in configs()) {
        if let Ok(settings) = toml::Table::from_iter([(key, value)]).try_into::<config::Reconnect>() {
            let _ = (settings.build(), settings.over(&base), toml::to_string(&settings).unwrap());
        }
    }
}
