//! Settings that cannot work.

use portcullis::monitor::{CheckConfig, CheckPreset};

use crate::support::{monitor, ms, secs, well};

#[tokio::test(start_paused = true)]
async fn every_field_has_its_range() {
    let usual = CheckConfig::default;
    for (config, said) in [
        (CheckConfig { timeout: ms(0), ..usual() }, "health_check.timeout is 0ns: allowed is 1ms to 3600s"),
        (
            CheckConfig { interval: Some(secs(86_401)), ..usual() },
            "health_check.interval is 86401s: allowed is 1ms to 86400s",
        ),
        (CheckConfig { jitter: f64::NAN, ..usual() }, "health_check.jitter is NaN: allowed is 0.0 to 1.0"),
        (CheckConfig { cache: ms(4_999), ..usual() }, "health_check.cache is 4.999s: allowed is 5s to 300s"),
        (CheckConfig { cache: secs(301), ..usual() }, "health_check.cache is 301s: allowed is 5s to 300s"),
        (CheckConfig { history: 0, ..usual() }, "health_check.history is 0: allowed is 1 to 1000"),
    ] {
        let monitor = monitor();
        let error = monitor.check("x").config(config).spawn(well).unwrap_err();
        assert_eq!(error.to_string(), said);
        assert!(monitor.statuses().is_empty() && monitor.registry().snapshot().is_empty());
    }
}

#[test]
fn presets_are_known_by_their_words() {
    for preset in CheckPreset::ALL {
        assert_eq!(preset.as_str().parse(), Ok(preset));
    }
    let error = "fast".parse::<CheckPreset>().unwrap_err();
    assert_eq!(error.field(), "health_check.preset");
}
