//! What an editor makes of a file.
#![cfg(feature = "schema")]
#![expect(clippy::unwrap_used, reason = "tests")]

use portcullis_config::{Format, Settings, schema};
use serde_json::Value;

const GOOD: &str = r#"
[defaults.breaker]
open_for = "10s"

[breaker.inventory]
failure_ratio = 0.3
mode = { enforce_percent = 25 }

[breaker.prices]
base = "inventory"
slow_calls = { after = "250ms" }

[retry.orders]
backoff = "20ms"
budget = { kind = "share", ratio = 0.1 }

[health_check.database]
critical = true

[environments.production.defaults.breaker]
minimum_calls = 50

[environments.production.drain.shop]
preset = "kubernetes"
grace = "20s"
"#;

fn json(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

fn taken(text: &str) -> bool {
    let settings = Settings::builder().text("shop.toml", Format::Toml, text).environment("production").load();
    settings.is_ok_and(|settings| settings.check().is_empty())
}

#[test]
fn a_file_that_is_taken_is_not_marked() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    assert!(taken(GOOD));
    let told = validator.validate(&json(GOOD)).map_err(|error| error.to_string());
    assert_eq!(told, Ok(()));
    assert!(taken("\"$schema\" = \"settings.schema.json\""), "an editor may be told where it is");
}

#[test]
fn what_is_wrong_is_marked_wherever_it_stands() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for wrong in [
        "[braker.inventory]",
        "[breaker.inventory]\nfailure_ration = 0.3",
        "[breaker.inventory]\nfailure_ratio = 1.3",
        "[defaults.breaker]\nwindow = 0\n[breaker.inventory]",
        "[defaults.braker]",
        "[environments.production.breaker.inventory]\npermits = 1001",
        "[environments.production.defaults.retry]\nmax_attempts = 0\n[retry.orders]",
        "[retry.orders]\nbudget = { kind = \"rich\" }",
        "[breaker.inventory]\nbase = 7",
    ] {
        assert!(!validator.is_valid(&json(wrong)), "{wrong}");
        assert!(!taken(wrong), "{wrong}");
    }
}
