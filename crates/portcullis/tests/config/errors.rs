//! What is wrong is named.

use portcullis::config;
use serde_json::json;

use crate::settings;

/// What TOML says of `field = value`, and JSON.
fn refused(field: &str, toml: &str, json: &serde_json::Value) -> [String; 2] {
    let toml = toml::from_str::<config::Breaker>(&format!("{field} = {toml}")).unwrap_err();
    let json = serde_json::from_str::<config::Breaker>(&json!({ field: json }).to_string()).unwrap_err();
    let text = json.to_string();
    let place = text.find(" at line 1 column").unwrap_or_else(|| panic!("no place: {text}"));
    [toml.message().to_owned(), text[..place].to_owned()]
}

#[track_caller]
fn both_say(field: &str, toml: &str, json: serde_json::Value, said: &str) {
    assert_eq!(refused(field, toml, &json), [said; 2]);
}

const TIME: &str = "a time with its unit, hours at most, such as \"250ms\" or \"1m 30s\"";

#[test]
fn a_time_needs_its_unit() {
    both_say(
        "open_for",
        "30",
        json!(30),
        &format!("invalid value: integer `30`, expected breaker.open_for to be {TIME}"),
    );
    for text in ["30", "5 parsecs", "", "-5s", "5s ago", "1M", "1d", "off"] {
        let said = format!("invalid value: string {text:?}, expected breaker.open_for to be {TIME}");
        both_say("open_for", &format!("{text:?}"), json!(text), &said);
    }
    let said =
        format!("invalid value: string \"soon\", expected breaker.hung_after to be {TIME}; or \"off\"");
    both_say("hung_after", "\"soon\"", json!("soon"), &said);
}

#[test]
fn a_number_is_a_number() {
    let count = "to be a whole number, 0 to 4294967295";
    let said = |value| format!("invalid value: {value}, expected breaker.window {count}");
    both_say("window", "-1", json!(-1), &said("integer `-1`"));
    both_say("window", "5000000000", json!(5_000_000_000_u64), &said("integer `5000000000`"));
    both_say("window", "1.5", json!(1.5), &said("floating point `1.5`"));
    both_say("window", "\"100\"", json!("100"), &said("string \"100\""));
    both_say("window", "true", json!(true), &said("boolean `true`"));
    both_say(
        "open_jitter",
        "\"much\"",
        json!("much"),
        "invalid value: string \"much\", expected breaker.open_jitter to be a number",
    );
    both_say(
        "automatic",
        "1",
        json!(1),
        "invalid value: integer `1`, expected breaker.automatic to be true or false",
    );
}

#[test]
fn off_is_told_where_it_is_allowed() {
    let count = "a whole number, 0 to 4294967295; or \"off\"";
    let said = format!("invalid value: boolean `true`, expected breaker.consecutive_failures to be {count}");
    both_say("consecutive_failures", "true", json!(true), &said);
    let error = serde_json::from_str::<config::Breaker>("{\"consecutive_failures\":null}").unwrap_err();
    let said = format!("invalid type: null, expected breaker.consecutive_failures to be {count}");
    assert!(error.to_string().starts_with(&said), "{error}");
}

#[test]
fn words_are_told_what_there_is() {
    both_say(
        "preset",
        "\"fast\"",
        json!("fast"),
        "invalid value: string \"fast\", expected breaker.preset to be one of fast_api, slow_api, \
         critical_service, native_processing, ml_inference, local_ipc, validator, production, development",
    );
    both_say(
        "mode",
        "\"shade\"",
        json!("shade"),
        "invalid value: string \"shade\", expected breaker.mode to be one of enforce, shadow, disabled; or \
         a table, such as { enforce_percent = 25 }",
    );
    both_say(
        "kind_limits",
        "{ timeouts = 1 }",
        json!({ "timeouts": 1 }),
        "invalid value: string \"timeouts\", expected breaker.kind_limits to be of kinds of failure, \
         each one of timeout, connection, network, unavailable, rate_limited, resource_exhausted, \
         internal, data_loss, validation, slow, panic, other",
    );
}

#[test]
fn fields_within_tables_are_named_too() {
    both_say(
        "time_window",
        "{ span = 10 }",
        json!({ "span": 10 }),
        &format!("invalid value: integer `10`, expected breaker.time_window.span to be {TIME}"),
    );
    both_say("slow_calls", "{ ratio = 1 }", json!({ "ratio": 1 }), "breaker.slow_calls.after is missing");
    both_say("mode", "{}", json!({}), "breaker.mode.enforce_percent is missing");
    both_say(
        "mode",
        "{ enforce_percent = 300 }",
        json!({ "enforce_percent": 300 }),
        "invalid value: integer `300`, expected breaker.mode.enforce_percent to be a percentage, 0 to 100",
    );
    both_say(
        "window",
        "{}",
        json!({}),
        "invalid type: map, expected breaker.window to be a whole number, 0 to 4294967295",
    );
    both_say(
        "slow_calls",
        "\"2s\"",
        json!("2s"),
        "invalid value: string \"2s\", expected breaker.slow_calls to be a table, such as \
         { after = \"2s\", ratio = 0.5 }; or \"off\"",
    );
}

#[test]
fn unknown_fields_are_refused() {
    let [toml, json] = refused("windoww", "1", &json!(1));
    assert_eq!(toml, json);
    assert!(toml.starts_with("unknown field `windoww`, expected one of `preset`, `consecutive_failures`"));
    both_say(
        "slow_calls",
        "{ afterwards = 1 }",
        json!({ "afterwards": 1 }),
        "unknown field `afterwards`, expected `after` or `ratio`",
    );
    both_say(
        "mode",
        "{ enforce = 1 }",
        json!({ "enforce": 1 }),
        "unknown field `enforce`, expected `enforce_percent`",
    );
    // Functions are no settings.
    for function in ["rule", "open_time"] {
        let [said, _] = refused(function, "1", &json!(1));
        assert!(said.starts_with(&format!("unknown field `{function}`")), "{said}");
    }
}

#[test]
fn twice_is_refused() {
    let cases = [
        (r#"{"window":1,"window":2}"#, "duplicate field `window`"),
        (r#"{"kind_limits":{"slow":1,"slow":2}}"#, "duplicate field `slow`"),
        (r#"{"mode":{"enforce_percent":1,"enforce_percent":1}}"#, "duplicate field `enforce_percent`"),
    ];
    for (text, said) in cases {
        let error = serde_json::from_str::<config::Breaker>(text).unwrap_err();
        assert!(error.to_string().starts_with(said), "{error}");
    }
}

#[test]
fn settings_are_a_table() {
    let error = serde_json::from_str::<config::Breaker>("5").unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid value: integer `5`, expected breaker to be a table of settings at line 1 column 1"
    );
}

#[test]
fn toml_shows_the_place() {
    let error = toml::from_str::<config::Breaker>("window = 7\nopen_for = 30\n").unwrap_err();
    let said = error.to_string();
    assert!(said.starts_with("TOML parse error at line 2, column 12\n"), "{said}");
    assert!(said.contains("2 | open_for = 30\n  |            ^^\n"), "{said}");
}

#[test]
fn a_value_outside_its_range_is_the_builders_error() {
    let error = settings("permits = 0").build().unwrap_err();
    assert_eq!((error.field(), error.value(), error.allowed()), ("breaker.permits", "0", "1 to 1000"));
    let built = portcullis::Breaker::builder("never").permits(0).build().unwrap_err();
    assert_eq!(error, built);
    let error = settings("failure_ratio = nan").build().unwrap_err();
    assert_eq!(error.to_string(), "breaker.failure_ratio is NaN: allowed is 0.0001 to 1.0");
    let error = settings("lease = \"25h\"").build().unwrap_err();
    assert_eq!(error.to_string(), "breaker.lease is 90000s: allowed is 1ms to 86400s");
    let error = settings("mode = { enforce_percent = 101 }").build().unwrap_err();
    assert_eq!(error.to_string(), "breaker.mode.enforce_percent is 101: allowed is 0 to 100");
}
