//! The documentation's list of fields says what is so.

use std::collections::BTreeSet;

use portcullis::{breaker::Config, config};

use crate::settings;

/// A row of the list.
struct Row {
    field: String,
    default: Option<String>,
    range: Option<(String, String)>,
}

/// What stands between backticks.
fn literals(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn rows() -> Vec<Row> {
    let documentation = include_str!("../../src/config/mod.rs");
    let rows = documentation.lines().filter_map(|line| line.strip_prefix("//! | `"));
    let row = |row: &str| {
        let cells: Vec<&str> = row.split('|').collect();
        let range = literals(cells[3]);
        Row {
            field: cells[0].trim().trim_end_matches('`').to_owned(),
            default: literals(cells[2]).first().cloned(),
            range: range.first().map(|low| (low.clone(), range[1].clone())),
        }
    };
    rows.map(row).collect()
}

/// The settings with every field of every table, as they are written.
fn everything() -> toml::Table {
    let text = "time_window = {}\nslow_calls = { after = \"2s\" }\nmode = { enforce_percent = 1 }";
    let config = settings(text).build().unwrap();
    let mut table = toml::Table::try_from(config::Breaker::from(&config)).unwrap();
    table.insert("preset".to_owned(), "production".into());
    table
}

#[test]
fn every_field_is_listed_and_no_other() {
    let mut fields = BTreeSet::new();
    for (field, value) in everything() {
        for within in value.as_table().into_iter().flatten() {
            fields.insert(format!("{field}.{}", within.0));
        }
        fields.insert(field);
    }
    let listed: BTreeSet<String> = rows().into_iter().map(|row| row.field).collect();
    assert_eq!(listed, fields);
    assert_eq!(listed.len(), rows().len());
}

#[test]
fn the_defaults_are_as_listed() {
    let defaults = toml::Table::try_from(config::Breaker::from(&Config::default())).unwrap();
    let within = everything();
    for Row { field, default, .. } in rows() {
        let Some(default) = default else { continue };
        let listed: toml::Table = toml::from_str(&format!("value = {default}")).unwrap();
        let is = match field.split_once('.') {
            Some((table, field)) => &within[table][field],
            None => &defaults[&field],
        };
        assert_eq!(*is, listed["value"], "{field}");
    }
}

#[test]
fn only_what_must_be_given_has_no_default() {
    let without = rows().into_iter().filter(|row| row.default.is_none()).map(|row| row.field);
    assert_eq!(without.collect::<Vec<_>>(), ["preset", "slow_calls.after", "mode.enforce_percent"]);
}

/// `field = value`, in its table if it has one.
fn assignment(field: &str, value: &str) -> String {
    match field.split_once('.') {
        Some(("slow_calls", "ratio")) => format!("slow_calls = {{ after = \"1s\", ratio = {value} }}"),
        Some((table, field)) => format!("{table} = {{ {field} = {value} }}"),
        None if field == "kind_limits" => format!("kind_limits = {{ panic = {value} }}"),
        None => format!("{field} = {value}"),
    }
}

/// The values just outside a range, as far as they can be written.
fn outside(low: &str, high: &str, is_whole: bool) -> Vec<String> {
    match (low, high) {
        ("\"0s\"", "\"24h\"") => vec!["\"24h 1ns\"".to_owned()],
        ("\"1ms\"", "\"24h\"") => vec!["\"999us\"".to_owned(), "\"24h 1ns\"".to_owned()],
        _ if is_whole => {
            let (low, high): (u32, u32) = (low.parse().unwrap(), high.parse().unwrap());
            low.checked_sub(1).into_iter().chain([high + 1]).map(|number| number.to_string()).collect()
        }
        _ => {
            let (low, high): (f64, f64) = (low.parse().unwrap(), high.parse().unwrap());
            [low - 1e-9, high + 1e-9].map(|number| format!("{number:?}")).to_vec()
        }
    }
}

#[test]
fn the_ranges_are_as_listed() {
    for Row { field, default, range } in rows() {
        let Some((low, high)) = range else { continue };
        let high = if high == "window" { "100".to_owned() } else { high };
        let is_whole = !default.is_some_and(|text| text.contains('.')) && !low.contains('.');

        for value in [&low, &high] {
            let text = assignment(&field, value);
            assert!(settings(&text).build().is_ok(), "{text}");
        }
        for value in outside(&low, &high, is_whole) {
            let text = assignment(&field, &value);
            let error = settings(&text).build().expect_err(&text);
            assert_eq!(error.field(), format!("breaker.{field}"));
        }
    }
}

#[test]
fn every_field_but_switches_has_its_range_listed() {
    let without = rows().into_iter().filter(|row| row.range.is_none()).map(|row| row.field);
    assert_eq!(
        without.collect::<Vec<_>>(),
        ["preset", "time_window", "slow_calls", "only_retries", "automatic", "mode"]
    );
}
