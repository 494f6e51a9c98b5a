//! What a file says of a probe is what it gets.

use std::time::Duration;

use portcullis::{BoxError, Probe, Registry, config, probe::Config};
use serde_json::json;

#[test]
fn every_field_is_read_and_written() {
    let config = Config {
        interval: Duration::from_secs(20),
        interval_when_down: Duration::from_millis(500),
        jitter: 0.5,
        timeout: Duration::from_secs(2),
        down_after: 7,
        up_after: 4,
        critical: true,
    };
    let given = json!({ "interval": "20s", "interval_when_down": "500ms", "jitter": 0.5, "timeout": "2s",
                        "down_after": 7, "up_after": 4, "critical": true });
    let settings: config::Probe = serde_json::from_value(given.clone()).unwrap();
    assert_eq!(settings.build(), Ok(config.clone()));
    assert_eq!(serde_json::to_value(config::Probe::from(&config)).unwrap(), given);
    assert_eq!(toml::from_str::<config::Probe>("").unwrap().build(), Ok(Config::default()));
}

#[test]
fn what_is_wrong_is_named() {
    let said = |text: &str| toml::from_str::<config::Probe>(text).unwrap_err().message().to_owned();
    assert!(said("down = 1").starts_with("unknown field `down`"));
    assert!(said("interval = 5").contains("expected probe.interval to be a time"));
    let settings: config::Probe = toml::from_str("up_after = 1001").unwrap();
    assert_eq!(settings.build().unwrap_err().to_string(), "probe.up_after is 1001: allowed is 1 to 1000");
}

#[tokio::test(start_paused = true)]
async fn a_changed_file_changes_a_probe_that_runs() {
    let probe = Probe::builder("database").registry(&Registry::new()).down_after(5).build().unwrap();
    probe.spawn(|| async { Err::<(), _>(BoxError::from("down")) });
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    assert!(probe.status().up && probe.status().against >= 4, "{:?}", probe.status());

    let settings: config::Probe = toml::from_str("down_after = 2").unwrap();
    probe.reconfigure(settings.over(&probe.config()).unwrap()).unwrap();
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    assert!(!probe.status().up, "what it has learned stays: {:?}", probe.status());

    let whole: config::Probe = toml::from_str("up_after = 9").unwrap();
    assert_eq!(whole.reload(&probe.config()).unwrap(), Config { up_after: 9, ..Config::default() });
    assert_eq!(whole.over(&probe.config()).unwrap().down_after, 2);
}
