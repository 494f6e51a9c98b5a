//! The schema takes what the settings take, and refuses what they refuse, as far as a schema can tell.

use std::{collections::BTreeMap, sync::LazyLock};

use jsonschema::Validator;
use portcullis::config::{self, schema};
use proptest::{prelude::*, sample::select};
use serde_json::{Map, Value, json};
use toml::Table;

use crate::{
    table::{LISTS, List, Row, outside},
    values::tables,
};

fn of(name: &str) -> &'static Validator {
    static SCHEMAS: LazyLock<BTreeMap<String, Validator>> = LazyLock::new(|| {
        let definitions = schema::definitions();
        definitions.keys().map(|name| (name.clone(), validator(name, &definitions))).collect()
    });
    &SCHEMAS[name]
}

fn validator(name: &str, definitions: &Map<String, Value>) -> Validator {
    let reference = format!("#/$defs/{name}");
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": reference,
        "$defs": definitions,
    });
    jsonschema::validator_for(&schema).unwrap()
}

/// The table in a file that an assignment of the list is one of.
fn kind(list: &List) -> &'static str {
    match list.heading.trim_start_matches("Fields of ") {
        "a breaker" => "breaker",
        "a retry" => "retry",
        "a hedge" => "hedge",
        "a bulkhead" => "bulkhead",
        "a keyed bulkhead" => "keyed_bulkhead",
        "a rate limit" => "rate_limit",
        "a pool of threads" => "thread_pool",
        "a cache" => "cache",
        "coalescing" => "coalesce",
        "a health check" => "health_check",
        "a probe" => "probe",
        "a throttle" => "throttle",
        "a drain" => "drain",
        "a timeout" => "timeout",
        "a load shedding" => "load_shed",
        "the ejection of outliers" => "outlier",
        "a fallback" => "fallback",
        "an observer" => "observer",
        "reconnecting" => "reconnect",
        "chaos" | "a fault" => "chaos",
        "a budget" => "budget",
        other => panic!("{other}"),
    }
}

fn json(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<Table>(text).unwrap()).unwrap()
}

/// A number, and not a time, which no schema can compare, nor another field.
fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok()
}

#[test]
fn both_ends_of_a_range_are_taken_and_what_is_outside_is_refused() {
    let mut refused = 0;
    for list in LISTS {
        let schema = of(kind(list));
        for Row { field, default, range } in list.rows() {
            // Together they are less than another field.
            let Some((low, high)) = range.filter(|_| field != "reserved") else { continue };
            let is_whole = !default.is_some_and(|text| text.contains('.')) && !low.contains('.');
            for end in [&low, &high].into_iter().filter(|end| is_number(end) || end.starts_with('"')) {
                let text = (list.assignment)(&field, end);
                let told = schema.validate(&json(&text)).map_err(|error| error.to_string());
                assert_eq!(told, Ok(()), "{text}");
            }
            if is_number(&low) && is_number(&high) {
                for value in outside(&low, &high, is_whole) {
                    let text = (list.assignment)(&field, &value);
                    assert!(!schema.is_valid(&json(&text)), "{text}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 150, "{refused}");
}

#[test]
fn all_defaults_and_words_are_taken() {
    for list in LISTS.iter().filter(|list| list.heading != "Fields of a fault") {
        let schema = of(kind(list));
        for row in list.rows() {
            if let Some(value) = row.default.filter(|_| !row.field.contains('.')) {
                let text = format!("{} = {value}", row.field);
                let told = schema.validate(&json(&text)).map_err(|error| error.to_string());
                assert_eq!(told, Ok(()), "{text}");
            }
        }
    }
}

#[test]
fn what_is_no_field_or_of_another_type_is_refused() {
    for (kind, text) in [
        ("breaker", "wndow = 1"),
        ("breaker", "time_window = { spam = \"1s\" }"),
        ("breaker", "slow_calls = {}"),
        ("breaker", "open_for = 5"),
        ("breaker", "open_for = \"soon\""),
        ("breaker", "mode = \"on\""),
        ("breaker", "preset = \"nice\""),
        ("breaker", "kind_limits = { timeouts = 1 }"),
        ("retry", "not_retried = [\"teapot\"]"),
        ("retry", "grpc_codes = [\"TEAPOT\"]"),
        ("retry", "budget = \"rich\""),
        ("retry", "backoff = { jitter = \"some\" }"),
        ("bulkhead", "reserved = { vip = 1 }"),
        ("adaptive_limit", "algorithm = { vegas = {}, aimd = {} }"),
        ("adaptive_limit", "algorithm = { reno = {} }"),
        ("chaos", "faults = [{ share = 1 }]"),
        ("chaos", "faults = [{ share = 1, what = { latency = \"1s\", cut_body = 1 } }]"),
        ("fallback", "refusals = \"yes\""),
    ] {
        assert!(!of(kind).is_valid(&json(text)), "{kind}: {text}");
    }
}

#[test]
fn every_definition_is_a_schema_and_every_field_is_described() {
    for (name, definition) in schema::definitions() {
        assert!(jsonschema::meta::is_valid(&definition), "{name}");
        of(&name);
        for (field, schema) in definition["properties"].as_object().into_iter().flatten() {
            let text = schema["description"].as_str().unwrap_or_default();
            assert!(
                field == "backoff" || !text.is_empty() && !text.contains(['`', '(']),
                "{name}.{field}: {text}"
            );
        }
    }
}

/// Whether the settings take a table.
fn takes(kind: &str, table: &Table) -> bool {
    macro_rules! takes {
        ($($kind:literal: $Settings:ident,)*) => {
            match kind {
                $($kind => table.clone().try_into::<config::$Settings>()
                    .is_ok_and(|settings| settings.build().is_ok()),)*
                other => panic!("{other}"),
            }
        };
    }
    takes! {
        "breaker": Breaker, "retry": Retry, "hedge": Hedge, "bulkhead": Bulkhead,
        "keyed_bulkhead": KeyedBulkhead, "rate_limit": RateLimit, "thread_pool": ThreadPool, "coalesce": Coalesce,
        "health_check": HealthCheck, "throttle": Throttle, "drain": Drain, "timeout": Timeout,
        "adaptive_limit": AdaptiveLimit, "load_shed": LoadShed, "outlier": Outlier, "fallback": Fallback,
        "observer": Observer,
        "reconnect": Reconnect, "chaos": Chaos, "budget": Budget,
    }
}

const KINDS: [&str; 20] = [
    "breaker",
    "retry",
    "hedge",
    "bulkhead",
    "keyed_bulkhead",
    "rate_limit",
    "thread_pool",
    "coalesce",
    "health_check",
    "throttle",
    "drain",
    "timeout",
    "adaptive_limit",
    "load_shed",
    "outlier",
    "observer",
    "fallback",
    "reconnect",
    "chaos",
    "budget",
];

/// The names of all fields of a kind, also of those in tables.
fn keys(schema: &Value, into: &mut Vec<String>) {
    for (field, inner) in schema["properties"].as_object().into_iter().flatten() {
        into.push(field.clone());
        keys(inner, into);
    }
    schema["anyOf"].as_array().into_iter().flatten().for_each(|inner| keys(inner, into));
}

fn any_table() -> impl Strategy<Value = (&'static str, Table)> {
    static NAMES: LazyLock<BTreeMap<&str, Vec<String>>> = LazyLock::new(|| {
        let definitions = schema::definitions();
        let names = |kind: &'static str| {
            let mut names = Vec::new();
            keys(&definitions[kind], &mut names);
            (kind, names)
        };
        KINDS.map(names).into()
    });
    select(&KINDS).prop_flat_map(|kind| (Just(kind), tables(NAMES[kind].clone())))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// An editor marks nothing that would be taken.
    #[test]
    fn what_the_settings_take_the_schema_takes((kind, table) in any_table()) {
        if takes(kind, &table) {
            let value = serde_json::to_value(&table).unwrap();
            prop_assert!(of(kind).is_valid(&value), "{kind}: {value}");
        }
    }
}
