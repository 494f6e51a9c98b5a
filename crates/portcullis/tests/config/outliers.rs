//! What a file says of the ejection of outliers is what it gets.

use std::{collections::BTreeSet, time::Duration};

use portcullis::{
    FailureKind, Mode, Outliers, Registry,
    balance::{Config, FailureShare, Preset, SlowStart, SuccessRate},
    config,
};
use serde_json::json;

fn settings(text: &str) -> config::Outlier {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn everything() -> Config {
    Config {
        interval: Duration::from_secs(5),
        base_ejection: Duration::from_secs(10),
        max_ejection: Duration::from_secs(60),
        ejection_jitter: Duration::from_secs(1),
        max_ejected_share: 0.3,
        consecutive: None,
        split_local: true,
        consecutive_local: Some(3),
        success_rate: Some(SuccessRate {
            deviations: 2.5,
            min_difference: 0.1,
            min_requests: 20,
            min_endpoints: 3,
        }),
        failure_share: Some(FailureShare { threshold: 0.5, min_requests: 10, min_endpoints: 2 }),
        panic_threshold: 0.25,
        slow_start: Some(SlowStart { window: Duration::from_secs(60), min_weight: 0.2, aggression: 1.5 }),
        ignored: BTreeSet::from([FailureKind::Slow]),
        mode: Mode::EnforcePercent(25),
    }
}

#[test]
fn every_field_is_read() {
    let given = json!({
        "interval": "5s",
        "base_ejection": "10s",
        "max_ejection": "1m",
        "ejection_jitter": "1s",
        "max_ejected_share": 0.3,
        "consecutive": "off",
        "split_local": true,
        "consecutive_local": 3,
        "success_rate": { "deviations": 2.5, "min_difference": 0.1, "min_requests": 20, "min_endpoints": 3 },
        "failure_share": { "threshold": 0.5, "min_requests": 10, "min_endpoints": 2 },
        "panic_threshold": 0.25,
        "slow_start": { "window": "1m", "min_weight": 0.2, "aggression": 1.5 },
        "ignored": ["slow"],
        "mode": { "enforce_percent": 25 },
    });
    let settings: config::Outlier = serde_json::from_value(given).unwrap();
    assert_eq!(settings.build(), Ok(everything()));
}

#[test]
fn what_is_written_is_read_again() {
    for config in [everything(), Config::default(), Preset::SmallFleet.config()] {
        let written = config::Outlier::from(&config);
        let text = toml::to_string(&written).unwrap();
        assert_eq!(settings(&text).build(), Ok(config), "{text}");
        let json = serde_json::to_value(&written).unwrap();
        assert_eq!(serde_json::from_value::<config::Outlier>(json).unwrap(), written);
    }
}

#[test]
fn nothing_said_is_the_default_and_a_preset_what_others_start_from() {
    assert_eq!(settings("").build(), Ok(Config::default()));
    assert_eq!(settings("success_rate = {}\nfailure_share = {}").build(), Ok(Config::default()));
    assert_eq!(settings("slow_start = {}").build().unwrap().slow_start, Some(SlowStart::default()));
    for preset in Preset::ALL {
        assert_eq!(settings(&format!("preset = \"{preset}\"")).build(), Ok(preset.config()));
    }
    let config = settings("preset = \"small_fleet\"\nconsecutive = 9").build().unwrap();
    assert_eq!((config.consecutive, config.max_ejected_share), (Some(9), 0.5));
}

#[test]
fn what_cannot_be_is_told_where_it_stands() {
    let wrong = |text: &str| toml::from_str::<config::Outlier>(text).unwrap_err().to_string();
    assert!(wrong("threshold = 1").contains("threshold"), "{}", wrong("threshold = 1"));
    let error = settings("slow_start = { window = \"1ms\" }").build().unwrap_err();
    assert_eq!(error.field(), "outlier.slow_start.window");
}

#[test]
fn a_running_policy_takes_a_new_file() {
    let outliers = Outliers::builder("fleet").registry(&Registry::new()).consecutive(3).build().unwrap();
    outliers.reconfigure(settings("interval = \"5s\"").over(&outliers.config()).unwrap()).unwrap();
    assert_eq!(
        (outliers.config().consecutive, outliers.config().interval),
        (Some(3), Duration::from_secs(5))
    );
    outliers.reconfigure(settings("interval = \"5s\"").build().unwrap()).unwrap();
    assert_eq!(outliers.config().consecutive, Some(5));
}
