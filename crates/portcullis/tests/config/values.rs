//! Values that stand in files, and others.

use std::time::Duration;

use portcullis::Mode;
use proptest::{collection, prelude::*, sample::select};

pub(crate) fn time() -> impl Strategy<Value = Duration> {
    let day = 24 * 60 * 60 * 1_000_000_000_u64;
    // Down to the nanosecond, and as people choose them.
    prop_oneof![
        (1_000_000..=day).prop_map(Duration::from_nanos),
        (1..=86_400_u64).prop_map(Duration::from_secs),
        Just(Duration::from_millis(1)),
    ]
}

pub(crate) fn share() -> impl Strategy<Value = f64> {
    prop_oneof![0.0001..=1.0, Just(0.0001), Just(1.0)]
}

pub(crate) fn mode() -> impl Strategy<Value = Mode> {
    let percent = (0..=100_u8).prop_map(Mode::EnforcePercent);
    prop_oneof![Just(Mode::Enforce), Just(Mode::Shadow), Just(Mode::Disabled), percent]
}

const WORDS: [&str; 30] = [
    "off",
    "shadow",
    "fast_api",
    "timeout",
    "span",
    "after",
    "ratio",
    "enforce_percent",
    "exponential",
    "list",
    "waits",
    "uniform",
    "decorrelated",
    "throttle",
    "unlimited",
    "UNAVAILABLE",
    "250ms",
    "0s",
    "1ns",
    "24h",
    "1d",
    "-5s",
    "5s ago",
    "PT5S",
    // The most that a duration holds, and one more: sums of parts overflow in unexpected places.
    "18446744073709551615s",
    "18446744073709551615s 1000ms",
    "18446744073709551615s 999ms 1000us",
    "5124095576030431h 15s 1000ms",
    "18446744073709551616ns",
    "0.0000000000000000000000001s",
];

fn word() -> impl Strategy<Value = String> {
    let listed = select(&WORDS).prop_map(str::to_owned);
    let number = "[0-9]{1,21}(\\.[0-9]{0,12})?";
    let parts = collection::vec((number, select(&["h", "m", "s", "ms", "us", "ns", "d", "y"])), 1..4);
    let time = parts.prop_map(|parts| parts.iter().map(|(n, unit)| format!("{n}{unit} ")).collect());
    prop_oneof![3 => listed, 3 => time, 1 => any::<String>()]
}

/// Any number, also one that TOML has and JSON has not.
fn number() -> impl Strategy<Value = toml::Value> {
    prop_oneof![
        any::<i64>().prop_map(toml::Value::from),
        (-1..=300_i64).prop_map(toml::Value::from),
        any::<f64>().prop_map(toml::Value::from),
        select(&[f64::NAN, f64::INFINITY, -0.0, f64::MIN_POSITIVE]).prop_map(toml::Value::from),
    ]
}

/// Any value.
pub(crate) fn value(keys: Vec<String>) -> impl Strategy<Value = toml::Value> {
    let date = Just(toml::Value::Datetime("1979-05-27T07:32:00Z".parse().unwrap()));
    let scalar = prop_oneof![
        3 => number(),
        3 => word().prop_map(toml::Value::from),
        1 => any::<bool>().prop_map(toml::Value::from),
        1 => date,
    ];
    scalar.prop_recursive(3, 20, 4, move |inner| {
        let list = collection::vec(inner.clone(), 0..4).prop_map(toml::Value::from);
        let table = collection::btree_map(prop_oneof![select(keys.clone()), word()], inner, 0..4);
        prop_oneof![1 => list, 3 => table.prop_map(|map| toml::Value::Table(map.into_iter().collect()))]
    })
}

/// A table whose fields are mostly these, with any values.
pub(crate) fn tables(keys: Vec<String>) -> impl Strategy<Value = toml::Table> {
    let key = prop_oneof![20 => select(keys.clone()), 1 => word()];
    collection::btree_map(key, value(keys), 0..5).prop_map(|map| map.into_iter().collect())
}
