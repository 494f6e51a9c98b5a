//! Settings on top of others.

use std::time::Duration;

use portcullis::{
    Breaker, Registry,
    breaker::{Config, OpenTime, Preset, State, TripRule},
    config,
};

use crate::settings;

fn with_functions() -> Config {
    Config {
        window: 500,
        permits: 1,
        rule: Some(TripRule::new(|seen| seen.consecutive_failures > 2)),
        open_time: Some(OpenTime::new(|_| Duration::from_secs(7))),
        ..Config::default()
    }
}

#[test]
fn over_changes_what_was_given_alone() {
    let base = with_functions();
    let config = settings("permits = 2\nconsecutive_failures = \"off\"").over(&base);
    assert_eq!(config, Ok(Config { permits: 2, consecutive_failures: None, ..base.clone() }));
    assert_eq!(settings("").over(&base), Ok(base));
}

#[test]
fn over_with_a_preset_leaves_the_functions() {
    let base = with_functions();
    let config = settings("preset = \"slow_api\"\npermits = 2").over(&base);
    let functions = Config { rule: base.rule, open_time: base.open_time, ..Preset::SlowApi.config() };
    assert_eq!(config, Ok(Config { permits: 2, ..functions }));
}

#[test]
fn reload_forgets_all_but_the_functions() {
    let current = with_functions();
    let config = settings("successes = 9").reload(&current);
    let functions = Config { rule: current.rule, open_time: current.open_time, ..Config::default() };
    assert_eq!(config, Ok(Config { successes: 9, ..functions }));
}

#[test]
fn a_smaller_window_lowers_a_minimum_nobody_wrote() {
    let config = settings("window = 10").build().unwrap();
    assert_eq!((config.window, config.minimum_calls), (10, 10));
    let config = settings("window = 50").over(&Config { minimum_calls: 80, ..Config::default() }).unwrap();
    assert_eq!((config.window, config.minimum_calls), (50, 50));

    let error = settings("window = 10\nminimum_calls = 11").build().unwrap_err();
    assert_eq!(error.to_string(), "breaker.minimum_calls is 11: allowed is 1 to 10");
    let error = settings("window = 0").build().unwrap_err();
    assert_eq!(error.to_string(), "breaker.window is 0: allowed is 1 to 1000000");
}

#[test]
fn everything_written_covers_everything() {
    let config = Config { permits: 9, ..Config::default() };
    let settings = config::Breaker::from(&config);
    assert_eq!(settings.over(&Preset::MlInference.config()), Ok(config));
}

#[test]
fn a_running_breaker_keeps_its_state_and_its_rule() -> Result<(), portcullis::ConfigError> {
    let breaker = Breaker::builder("reloaded").registry(&Registry::new()).config(with_functions()).build()?;
    breaker.isolate();
    breaker.reconfigure(settings("window = 40").reload(&breaker.config())?)?;
    assert_eq!(breaker.state(), State::Isolated);
    assert_eq!(breaker.config().window, 40);
    assert_eq!(breaker.config().rule.is_some(), breaker.config().open_time.is_some());
    assert!(breaker.config().rule.is_some());
    Ok(())
}
