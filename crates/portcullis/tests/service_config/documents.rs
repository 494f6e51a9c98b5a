//! Documents.

use std::time::Duration;

use portcullis::{
    Failure, FailureKind, GrpcCode, GrpcCodes, ServiceConfig,
    hedge::Delay,
    retry::{After, BudgetConfig},
};
use proptest::prelude::*;
use serde_json::Value;

use super::{method, read, retry_policy};

/// As gRFC A6 has it, under "Integration with Service Config".
#[test]
fn the_examples_of_the_proposal() {
    let retried = r#"{
        "loadBalancingPolicy": "round_robin",
        "methodConfig": [{
            "name": [{ "service": "a.B", "method": "C" }],
            "waitForReady": true,
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.1s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"]
            }
        }],
        "retryThrottling": { "maxTokens": 10, "tokenRatio": 0.1 }
    }"#;
    let config = read(retried).unwrap();
    let policy = config.retry("/a.B/C").unwrap();
    assert_eq!(policy.config().max_attempts, 4);
    assert_eq!(policy.config().grpc_codes, Some(GrpcCodes::from([GrpcCode::Unavailable])));
    assert_eq!(config.budget().config(), BudgetConfig::throttle(10, 0.1));
    assert!(policy.budget().is_same(config.budget()));

    let hedged = r#""hedgingPolicy": {
        "maxAttempts": 4, "hedgingDelay": "0.5s",
        "nonFatalStatusCodes": ["UNAVAILABLE", "INTERNAL", "ABORTED"]
    }"#;
    let hedge = read(&method(hedged)).unwrap().hedge("/a.B/X").unwrap();
    assert_eq!(hedge.config().max_attempts, 4);
    assert_eq!(hedge.config().delay, Delay::Fixed(Duration::from_millis(500)));
}

/// The waits before the second to fifth attempt, at one end of what is drawn.
fn waits(json: &str, random: u64) -> Vec<Duration> {
    let backoff = read(json).unwrap().retry("/a.B/C").unwrap().config().backoff.clone();
    let failure = Failure::new(FailureKind::Unavailable);
    let after = |retry| After { retry, failure: &failure, previous: Duration::ZERO };
    (1..=4).map(|retry| backoff.delay(&after(retry), random)).collect()
}

#[test]
fn waits_are_spread_by_a_fifth_to_both_sides_also_at_the_longest() {
    let json = retry_policy(r#", "maxAttempts": 5, "maxBackoff": "0.3s""#);
    let least = [80, 160, 240, 240].map(Duration::from_millis);
    let most = [120, 240, 360, 360].map(Duration::from_millis);
    for (ends, random) in [(least, 0), (most, u64::MAX)] {
        for (wait, end) in waits(&json, random).into_iter().zip(ends) {
            assert!(wait.abs_diff(end) < Duration::from_nanos(10), "{wait:?}, {end:?}");
        }
    }
}

#[test]
fn any_multiplier_above_zero_will_do() {
    let shrinking = waits(&retry_policy(r#", "backoffMultiplier": 0.1"#), u64::MAX);
    assert!(shrinking[3] < Duration::from_millis(1), "{shrinking:?}");
    let steep = waits(&retry_policy(r#", "backoffMultiplier": 1e300, "maxBackoff": "86400s""#), u64::MAX);
    assert_eq!(steep[3], Duration::from_secs(86_400));
}

#[test]
fn the_closest_name_counts() {
    let timed = |name: &str, seconds: u32| format!(r#"{{ "name": {name}, "timeout": "{seconds}s" }}"#);
    let json = format!(
        r#"{{ "methodConfig": [{}, {}, {}, {}] }}"#,
        timed("[{}]", 1),
        timed(r#"[{ "service": "a.B", "method": null }, { "service": "a.C" }]"#, 2),
        timed(r#"[{ "service": "a.B", "method": "X" }]"#, 3),
        timed("[]", 4),
    );
    let config = read(&json).unwrap();
    for (path, seconds) in [("/a.B/X", 3), ("/a.B/Y", 2), ("/a.C/X", 2), ("/a.D/X", 1), ("/", 1), ("", 1)] {
        assert_eq!(config.timeout(path).unwrap().limit(), Duration::from_secs(seconds), "{path}");
    }
    assert_eq!(&**config.timeout("/a.B/X").unwrap().name(), "shop/a.B/X");
    assert_eq!(&**config.timeout("/a.C/X").unwrap().name(), "shop/a.B");
    assert_eq!(&**config.timeout("/a.D/X").unwrap().name(), "shop/default");
}

#[test]
fn what_the_mapping_of_proto3_allows_besides() {
    let json = r#"{ "method_config": [{ "name": [{ "service": "a.B" }], "wait_for_ready": null, "timeout": null,
        "retry_policy": { "max_attempts": "9", "initial_backoff": "1s", "max_backoff": "1.000000001s",
            "backoff_multiplier": "1.5", "retryable_status_codes": [14, "aborted"] } }],
        "retry_throttling": { "max_tokens": 7.0, "token_ratio": 0.5466 },
        "future": { "field": [] } }"#;
    let config = read(json).unwrap();
    let policy = config.retry("/a.B/C").unwrap();
    assert_eq!(policy.config().max_attempts, 5, "more is taken as five");
    let codes = GrpcCodes::from([GrpcCode::Unavailable, GrpcCode::Aborted]);
    assert_eq!(policy.config().grpc_codes, Some(codes));
    assert_eq!(config.budget().config(), BudgetConfig::throttle(7, 0.546));
}

#[test]
fn without_throttling_there_is_the_default_budget() {
    assert_eq!(read("{}").unwrap().budget().config(), BudgetConfig::default());
}

#[test]
fn each_value_that_is_not_allowed_is_named() {
    let throttling = |fields: &str| format!(r#"{{ "retryThrottling": {{ {fields} }} }}"#);
    let retry = |field: &str| (retry_policy(field), "methodConfig[0].retryPolicy");
    let hedge = |fields: &str| {
        (method(&format!(r#""hedgingPolicy": {{ {fields} }}"#)), "methodConfig[0].hedgingPolicy")
    };
    let within = |(json, path): (String, &str), field: &str| (json, format!("{path}.{field}"));
    let mut wrong = vec![
        ("not json".to_owned(), String::new()),
        ("[]".to_owned(), String::new()),
        (r#"{ "methodConfig": {} }"#.to_owned(), "methodConfig".to_owned()),
        (r#"{ "methodConfig": [7] }"#.to_owned(), "methodConfig[0]".to_owned()),
        (
            r#"{ "methodConfig": [{ "name": [{ "method": "C" }] }] }"#.to_owned(),
            "methodConfig[0].name[0]".to_owned(),
        ),
        (
            r#"{ "methodConfig": [{ "name": [{ "service": 7 }] }] }"#.to_owned(),
            "methodConfig[0].name[0].service".to_owned(),
        ),
        (
            r#"{ "methodConfig": [{ "name": [{}] }, { "name": [{ "service": "" }] }] }"#.to_owned(),
            "methodConfig[1].name[0]".to_owned(),
        ),
        (method(r#""retryPolicy": {}, "hedgingPolicy": {}"#), "methodConfig[0]".to_owned()),
        (method(r#""waitForReady": "yes""#), "methodConfig[0].waitForReady".to_owned()),
        (throttling(r#""tokenRatio": 1"#), "retryThrottling.maxTokens".to_owned()),
        (throttling(r#""maxTokens": 10"#), "retryThrottling.tokenRatio".to_owned()),
    ];
    for timeout in [r#""0s""#, r#""-1s""#, r#""86401s""#, r#""1""#, "1", r#""0.0001s""#, r#""1ms""#] {
        wrong.push((method(&format!(r#""timeout": {timeout}"#)), "methodConfig[0].timeout".to_owned()));
    }
    for attempts in ["0", "1", "-3", "2.5", r#""many""#, "true", "[]", "null", "1e12", "NaN"] {
        let path = if attempts == "NaN" {
            String::new()
        } else {
            "methodConfig[0].retryPolicy.maxAttempts".to_owned()
        };
        wrong.push((retry(&format!(r#", "maxAttempts": {attempts}"#)).0, path.clone()));
    }
    for field in ["initialBackoff", "maxBackoff"] {
        for time in [r#""0s""#, "null", r#""1m""#, r#""100000s""#] {
            wrong.push(within(retry(&format!(r#", "{field}": {time}"#)), field));
        }
    }
    for factor in ["0", "-1", "null", r#""NaN""#, r#""Infinity""#, "[]"] {
        wrong.push(within(retry(&format!(r#", "backoffMultiplier": {factor}"#)), "backoffMultiplier"));
    }
    for (codes, at) in
        [("null", ""), ("[]", ""), ("7", ""), ("[17]", "[0]"), (r#"[14, "WRONG"]"#, "[1]"), ("[[]]", "[0]")]
    {
        let path = format!("retryableStatusCodes{at}");
        wrong.push(within(retry(&format!(r#", "retryableStatusCodes": {codes}"#)), &path));
    }
    wrong.push(within(hedge(r#""hedgingDelay": "1s""#), "maxAttempts"));
    wrong.push(within(hedge(r#""maxAttempts": 2, "hedgingDelay": "-1s""#), "hedgingDelay"));
    wrong.push(within(hedge(r#""maxAttempts": 2, "nonFatalStatusCodes": ["X"]"#), "nonFatalStatusCodes[0]"));
    for tokens in ["0", "1001", "-1", "1.5"] {
        wrong.push((
            throttling(&format!(r#""maxTokens": {tokens}, "tokenRatio": 1"#)),
            "retryThrottling.maxTokens".to_owned(),
        ));
    }
    for ratio in ["0", "-1", "0.0009", "1001", "null"] {
        wrong.push((
            throttling(&format!(r#""maxTokens": 10, "tokenRatio": {ratio}"#)),
            "retryThrottling.tokenRatio".to_owned(),
        ));
    }
    for (json, path) in wrong {
        let error = read(&json).expect_err(&json);
        assert_eq!(error.path(), path, "{json}: {error}");
        assert!(!error.allowed().is_empty() && !error.value().is_empty(), "{json}: {error}");
    }
}

#[test]
fn an_error_reads_like_a_sentence() {
    let error = |json: &str| read(json).unwrap_err().to_string();
    assert_eq!(
        error(&retry_policy(r#", "maxBackoff": "0s""#)),
        r#"methodConfig[0].retryPolicy.maxBackoff is "0s": allowed is a duration above 0s, at most 86400s, such as "0.1s""#
    );
    assert_eq!(
        error(r#"{ "retryThrottling": {} }"#),
        "retryThrottling.maxTokens is missing: allowed is a whole number, 1 to 1000"
    );
    assert_eq!(
        error(&method(r#""retryPolicy": {}, "hedgingPolicy": {}"#)),
        "methodConfig[0] is both a retryPolicy and a hedgingPolicy: allowed is one of them, or none"
    );
}

/// Values where values of another kind are wanted.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[0-9.+-]{0,12}s?".prop_map(Value::from),
        prop_oneof![Just("UNAVAILABLE"), Just("0.1s"), Just("a.B"), Just("é")].prop_map(Value::from),
    ];
    let field = prop_oneof![
        "(methodConfig|name|service|method|timeout|retryPolicy|hedgingPolicy|retryThrottling)",
        "(maxAttempts|initialBackoff|maxBackoff|backoffMultiplier|retryableStatusCodes|hedgingDelay)",
        "(nonFatalStatusCodes|maxTokens|tokenRatio|waitForReady|other)",
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(field.clone(), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn check(json: &str) {
    if let Ok(config) = read(json) {
        let _: (ServiceConfig, _) = (config.clone(), config.retry("/a.B/C"));
    }
}

proptest! {
    #[test]
    fn no_document_panics(value in anything()) {
        check(&value.to_string());
    }

    #[test]
    fn no_text_panics(text in ".{0,64}") {
        check(&text);
    }

    #[test]
    fn no_method_config_panics(fields in proptest::collection::vec(anything(), 5)) {
        let [attempts, initial, longest, factor, codes] = &fields[..] else { unreachable!() };
        check(&retry_policy(&format!(
            r#", "maxAttempts": {attempts}, "initialBackoff": {initial}, "maxBackoff": {longest},
                "backoffMultiplier": {factor}, "retryableStatusCodes": {codes}"#
        )));
    }

    /// Whatever numbers are allowed, there are waits, and none that is longer than it may be.
    #[test]
    fn waits_are_within_bounds(initial in 1u64..86_400_000_000_000, longest in 1u64..86_400_000_000_000, factor in 1e-300..1e300f64, random: u64) {
        let second = 1_000_000_000;
        let json = retry_policy(&format!(
            r#", "initialBackoff": "{}.{:09}s", "maxBackoff": "{}.{:09}s", "backoffMultiplier": {factor}"#,
            initial / second, initial % second, longest / second, longest % second,
        ));
        for wait in waits(&json, random) {
            prop_assert!(wait <= Duration::from_nanos(longest).mul_f64(1.2) + Duration::from_nanos(1));
        }
    }
}
