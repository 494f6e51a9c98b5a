//! What a file says of an adaptive limit is what it gets.

use std::{collections::BTreeSet, time::Duration};

use portcullis::{
    FailureKind, Mode,
    adaptive::{Aimd, Algorithm, Config, Correlation, Gradient, Preset, Vegas},
    config,
};
use serde_json::json;

fn settings(text: &str) -> config::AdaptiveLimit {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn everything() -> Config {
    Config {
        algorithm: Algorithm::Vegas(Vegas { alpha: 2.0, beta: 8.0, smoothing: 0.5 }),
        min: 2,
        max: 300,
        initial: 30,
        ceiling: Some(Duration::from_secs(2)),
        window: Duration::from_millis(250),
        min_samples: 20,
        tolerated: 0.125,
        backoff: 0.75,
        probe_every: Duration::from_secs(10),
        congestion: BTreeSet::from([FailureKind::Timeout, FailureKind::RateLimited]),
        mode: Mode::EnforcePercent(25),
    }
}

#[test]
fn every_field_is_read() {
    let given = json!({
        "min": 2,
        "max": 300,
        "initial": 30,
        "ceiling": "2s",
        "window": "250ms",
        "min_samples": 20,
        "tolerated": 0.125,
        "backoff": 0.75,
        "probe_every": "10s",
        "congestion": ["timeout", "rate_limited"],
        "mode": { "enforce_percent": 25 },
        "algorithm": { "vegas": { "alpha": 2.0, "beta": 8.0, "smoothing": 0.5 } },
    });
    let settings: config::AdaptiveLimit = serde_json::from_value(given.clone()).unwrap();
    assert_eq!(settings.build(), Ok(everything()));
    assert_eq!(serde_json::to_value(&settings).unwrap(), given);
    assert_eq!(serde_json::to_value(config::AdaptiveLimit::from(&everything())).unwrap(), given);
}

#[test]
fn nothing_said_is_the_default() {
    assert_eq!(settings("").build(), Ok(Config::default()));
    assert_eq!(settings("ceiling = \"off\"\nalgorithm = \"vegas\"").build(), Ok(Config::default()));
    assert!(settings("congestion = \"off\"").build().unwrap().congestion.is_empty());
}

#[test]
fn every_algorithm_is_a_word_or_a_table_and_is_written_as_it_is() {
    let algorithms = [
        Algorithm::Aimd(Aimd { increase: 3 }),
        Algorithm::Vegas(Vegas { beta: 9.0, ..Vegas::default() }),
        Algorithm::Gradient(Gradient { queue: 2, ..Gradient::default() }),
        Algorithm::Correlation(Correlation { windows: 20, ..Correlation::default() }),
    ];
    for algorithm in algorithms {
        let config = Config { algorithm, ..Config::default() };
        let written = toml::to_string(&config::AdaptiveLimit::from(&config)).unwrap();
        assert_eq!(settings(&written).build(), Ok(config), "{written}");
    }
    for algorithm in Algorithm::all() {
        let read = settings(&format!("algorithm = {:?}", algorithm.as_str())).build();
        assert_eq!(read, Ok(Config { algorithm, ..Config::default() }));
    }
}

#[test]
fn an_algorithm_that_is_none_or_two_is_refused() {
    for text in ["algorithm = \"bbr\"", "algorithm = {}", "algorithm = { aimd = {}, vegas = {} }"] {
        let error = toml::from_str::<config::AdaptiveLimit>(text).unwrap_err().to_string();
        assert!(error.contains("adaptive_limit.algorithm to be"), "{error}");
    }
    let error = settings("algorithm = { vegas = { beta = 1 } }").build().unwrap_err();
    assert_eq!(error.to_string(), "adaptive_limit.algorithm.beta is 1.0: allowed is 3.0 to 1000.0");
}

#[test]
fn a_preset_is_what_other_fields_start_from() {
    for preset in Preset::ALL {
        assert_eq!(settings(&format!("preset = \"{preset}\"")).build(), Ok(preset.config()));
    }
    let config = settings("preset = \"database\"\nmax = 50").over(&everything());
    assert_eq!(config, Ok(Config { max: 50, ..Preset::Database.config() }));
}

#[test]
fn over_changes_what_was_given_alone() {
    let config = settings("max = 500\nceiling = false").over(&everything());
    assert_eq!(config, Ok(Config { max: 500, ceiling: None, ..everything() }));
    assert_eq!(settings("").over(&everything()), Ok(everything()));
}
