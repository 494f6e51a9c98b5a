//! What a file says is what a breaker gets.

use std::{collections::BTreeMap, time::Duration};

use portcullis::{
    FailureKind,
    breaker::{Config, Mode, Preset, SlowRule, TimeRule},
    config,
};
use serde_json::json;

use crate::settings;

const EVERYTHING: &str = r#"
    consecutive_failures = 7
    failure_ratio = 0.25
    window = 200
    minimum_calls = 30
    time_window = { span = "30s", buckets = 15, failure_ratio = 0.4, minimum_calls = 50 }
    slow_calls = { after = "2s", ratio = 0.6 }
    kind_limits = { timeout = 10, rate_limited = 3 }
    open_for = "250ms"
    open_factor = 1.5
    open_cap = "1m"
    open_jitter = 0
    open_reset_after = "5s"
    permits = 2
    successes = 4
    probe_ratio = 0.75
    probe_chance = 0.5
    lease = "1m 30s"
    max_half_open = "1h"
    ramp = "2m"
    hung_after = "1.5s"
    only_retries = true
    automatic = true
    mode = { enforce_percent = 25 }
"#;

fn everything() -> Config {
    Config {
        consecutive_failures: Some(7),
        failure_ratio: Some(0.25),
        window: 200,
        minimum_calls: 30,
        time_window: Some(TimeRule {
            span: Duration::from_secs(30),
            buckets: 15,
            failure_ratio: 0.4,
            minimum_calls: 50,
        }),
        slow_calls: Some(SlowRule { after: Duration::from_secs(2), ratio: 0.6 }),
        kind_limits: BTreeMap::from([(FailureKind::Timeout, 10), (FailureKind::RateLimited, 3)]),
        rule: None,
        open_for: Duration::from_millis(250),
        open_factor: 1.5,
        open_cap: Duration::from_secs(60),
        open_jitter: 0.0,
        open_reset_after: Duration::from_secs(5),
        open_time: None,
        permits: 2,
        successes: 4,
        probe_ratio: Some(0.75),
        probe_chance: 0.5,
        lease: Duration::from_secs(90),
        max_half_open: Some(Duration::from_secs(3600)),
        ramp: Some(Duration::from_secs(120)),
        hung_after: Some(Duration::from_millis(1500)),
        only_retries: true,
        automatic: true,
        mode: Mode::EnforcePercent(25),
    }
}

#[test]
fn every_field_is_read() {
    assert_eq!(settings(EVERYTHING).build(), Ok(everything()));
}

#[test]
fn nothing_said_is_the_default() {
    assert_eq!(settings("").build(), Ok(Config::default()));
    assert_eq!(config::Breaker::default().build(), Ok(Config::default()));
    assert_eq!(settings(""), config::Breaker::default());
}

#[test]
fn json_says_the_same() {
    let value: toml::Value = toml::from_str(EVERYTHING).unwrap();
    let text = serde_json::to_string(&value).unwrap();
    let settings: config::Breaker = serde_json::from_str(&text).unwrap();
    assert_eq!(settings.build(), Ok(everything()));
}

#[test]
fn a_preset_is_what_other_fields_start_from() {
    for preset in Preset::ALL {
        let config = settings(&format!("preset = \"{preset}\"")).build();
        assert_eq!(config, Ok(preset.config()));
    }
    // Before or after makes no difference.
    let config = settings("open_for = \"1s\"\npreset = \"critical_service\"").build();
    assert_eq!(config, Ok(Config { open_for: Duration::from_secs(1), ..Preset::CriticalService.config() }));
}

#[test]
fn what_is_on_can_be_turned_off() {
    for off in ["\"off\"", "false"] {
        let text = format!("consecutive_failures = {off}\nfailure_ratio = {off}\nkind_limits = {off}");
        let config = settings(&text).build().unwrap();
        assert_eq!((config.consecutive_failures, config.failure_ratio), (None, None));
        assert!(config.kind_limits.is_empty());

        let tables = settings(&format!("time_window = {off}\nslow_calls = {off}"));
        let config = tables.over(&everything()).unwrap();
        assert_eq!((config.time_window, config.slow_calls), (None, None));
    }
}

#[test]
fn modes_are_words_or_a_percentage() {
    let modes = [
        ("\"enforce\"", Mode::Enforce),
        ("\"shadow\"", Mode::Shadow),
        ("\"disabled\"", Mode::Disabled),
        ("{ enforce_percent = 0 }", Mode::EnforcePercent(0)),
        ("{ enforce_percent = 100 }", Mode::EnforcePercent(100)),
    ];
    for (text, mode) in modes {
        assert_eq!(settings(&format!("mode = {text}")).build().unwrap().mode, mode);
    }
}

#[test]
fn a_table_has_defaults_of_its_own() {
    let config = settings("time_window = {}\nslow_calls = { after = \"2s\" }").build().unwrap();
    assert_eq!(config.time_window, Some(TimeRule::default()));
    assert_eq!(config.slow_calls, Some(SlowRule::after(Duration::from_secs(2))));
}

#[test]
fn every_kind_of_failure_can_be_limited() {
    for kind in FailureKind::ALL {
        let config = settings(&format!("kind_limits = {{ {} = 4 }}", kind.as_str())).build().unwrap();
        assert_eq!(config.kind_limits, BTreeMap::from([(kind, 4)]));
    }
}

#[test]
fn times_are_as_people_write_them() {
    let times = [
        ("250ms", 250),
        ("5s", 5_000),
        ("5 seconds", 5_000),
        ("1m", 60_000),
        ("1m30s", 90_000),
        ("1m 30s", 90_000),
        ("1.5s", 1_500),
        ("24h", 86_400_000),
    ];
    for (text, millis) in times {
        let config = settings(&format!("open_for = \"{text}\"")).build().unwrap();
        assert_eq!(config.open_for, Duration::from_millis(millis), "{text}");
    }
}

#[test]
fn what_was_given_is_written_and_no_more() {
    let given = json!({
        "preset": "fast_api",
        "open_for": "1m 30s",
        "ramp": "off",
        "mode": { "enforce_percent": 5 },
        "kind_limits": { "panic": 1 },
    });
    let settings: config::Breaker = serde_json::from_value(given.clone()).unwrap();
    assert_eq!(serde_json::to_value(&settings).unwrap(), given);
}

#[test]
fn settings_can_be_part_of_a_larger_table() {
    #[derive(PartialEq, Debug, serde::Serialize, serde::Deserialize)]
    struct Upstream {
        url: String,
        #[serde(flatten)]
        breaker: config::Breaker,
    }

    let text = "url = \"http://inventory\"\npermits = 1\nslow_calls = { after = \"1s\" }\nramp = false\n";
    let upstream: Upstream = toml::from_str(text).unwrap();
    assert_eq!(upstream.breaker, settings("permits = 1\nslow_calls = { after = \"1s\" }\nramp = false"));
    let again: Upstream = toml::from_str(&toml::to_string(&upstream).unwrap()).unwrap();
    assert_eq!(again, upstream);
}
