//! The health document.

use std::{fmt::Write, time::Duration};

use portcullis_core::{PolicyKind, health::Level};
use serde_json::{Map, Value as Json, json};

use crate::{
    clock,
    registry::{Snapshot, Value},
};

/// The whole as JSON.
pub(super) fn json(snapshots: &[Snapshot]) -> Json {
    let (checks, policies) = split(snapshots);
    let count = |level| checks.iter().filter(|check| check.level == level).count();
    let summary = json!({
        "total_checks": checks.len(),
        "healthy_checks": count(Level::Healthy),
        "warning_checks": count(Level::Warning),
        "degraded_checks": count(Level::Degraded),
        "critical_checks": count(Level::Critical),
    });
    json!({
        "overall_status": overall(snapshots).as_str(),
        "checks": by_name(&checks, check),
        "policies": by_name(&policies, policy),
        "summary": summary,
    })
}

/// The whole as text.
pub(super) fn text(snapshots: &[Snapshot]) -> String {
    let mut text = format!("{}\n", overall(snapshots).as_str());
    for Snapshot { name, kind, state, level, .. } in snapshots {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:<9} {:<9} {name}: {state}", level.as_str(), kind.as_str());
    }
    text
}

/// The gravest level of all.
pub(super) fn overall(snapshots: &[Snapshot]) -> Level {
    Level::worst(snapshots.iter().map(|snapshot| snapshot.level))
}

fn split(snapshots: &[Snapshot]) -> (Vec<&Snapshot>, Vec<&Snapshot>) {
    snapshots.iter().partition(|snapshot| snapshot.kind == PolicyKind::Probe)
}

/// By name; of policies with one name, the second and further are told apart by kind and number.
fn by_name(snapshots: &[&Snapshot], value: fn(&Snapshot) -> Json) -> Map<String, Json> {
    let mut map = Map::new();
    for &snapshot in snapshots {
        let (name, kind) = (&snapshot.name, snapshot.kind.as_str());
        let plain = std::iter::once(name.to_string());
        let with_kind = std::iter::once(format!("{name} ({kind})"));
        let with_number = (2..).map(|number| format!("{name} ({kind} {number})"));
        let mut keys = plain.chain(with_kind).chain(with_number);
        if let Some(key) = keys.find(|key| !map.contains_key(key)) {
            map.insert(key, value(snapshot));
        }
    }
    map
}

fn policy(snapshot: &Snapshot) -> Json {
    let mut map = Map::new();
    map.insert("kind".into(), snapshot.kind.as_str().into());
    map.insert("state".into(), snapshot.state.into());
    for (name, value) in &snapshot.values {
        map.insert((*name).into(), plain(value));
    }
    map.into()
}

fn check(snapshot: &Snapshot) -> Json {
    let mut map = Map::new();
    map.insert("status".into(), snapshot.level.as_str().into());
    for (name, value) in &snapshot.values {
        match (name, value) {
            (&"age_ms", Value::Count(age)) => {
                let at = clock::wall(Duration::from_millis(*age));
                map.insert("last_check".into(), humantime::format_rfc3339_millis(at).to_string().into());
            }
            _ => {
                map.insert((*name).into(), plain(value));
            }
        }
    }
    // Readers count on every key, also before the first probe and while nothing is wrong.
    for name in ["last_check", "duration_ms", "message"] {
        map.entry(name).or_insert(Json::Null);
    }
    map.into()
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Count(count) => (*count).into(),
        Value::Ratio(ratio) => (*ratio).into(),
        Value::Word(word) => (*word).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Flag(flag) => (*flag).into(),
    }
}
