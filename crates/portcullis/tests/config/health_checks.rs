//! What a file says of health checks is what they get.

use std::time::Duration;

use portcullis::{
    config,
    monitor::{CheckConfig, CheckPreset},
};
use serde_json::json;

#[test]
fn every_field_is_read_and_written() {
    let config = CheckConfig {
        critical: true,
        timeout: Duration::from_secs(2),
        interval: None,
        jitter: 0.5,
        cache: Duration::from_secs(60),
        history: 7,
    };
    let given = json!({ "critical": true, "timeout": "2s", "interval": "off", "jitter": 0.5, "cache": "1m", "history": 7 });
    let settings: config::HealthCheck = serde_json::from_value(given.clone()).unwrap();
    assert_eq!(settings.build(), Ok(config.clone()));
    assert_eq!(serde_json::to_value(config::HealthCheck::from(&config)).unwrap(), given);
    for preset in CheckPreset::ALL {
        let settings: config::HealthCheck = toml::from_str(&format!("preset = \"{preset}\"")).unwrap();
        assert_eq!(settings.build(), Ok(preset.config()));
    }
}

#[test]
fn what_is_wrong_is_named() {
    let said = |text: &str| toml::from_str::<config::HealthMonitor>(text).unwrap_err().message().to_owned();
    assert!(said("default = {}").starts_with("unknown field `default`"));
    assert!(said("checks = { db = { timeout = 5 } }").contains("expected health_check.timeout to be a time"));
    let settings: config::HealthMonitor = toml::from_str("checks = { db = { history = 0 } }").unwrap();
    assert_eq!(settings.check("db").unwrap_err().field(), "health_check.history");
    assert_eq!(settings.check("other"), Ok(CheckConfig::default()));
}
