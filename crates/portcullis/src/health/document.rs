//! The health document.

use std::{fmt::Write, time::Duration};

use portcullis_core::health::{Level, Summary};
use serde_json::{Map, Value as Json, json};

use super::Picture;
use crate::{
    clock,
    registry::{Snapshot, Value},
};

/// What there is to say of every check. Readers count on every key, also before the first answer and while nothing is
/// wrong.
const KEYS: [&str; 5] = ["critical", "last_check", "duration_ms", "message", "consecutive_failures"];

/// The whole as JSON.
pub(super) fn json(picture: &Picture) -> Json {
    let (checks, policies) = split(&picture.snapshots);
    let levels = Summary::of(checks.iter().map(|check| check.level));
    let summary = json!({
        "total_checks": levels.total(),
        "healthy_checks": levels.count(Level::Healthy),
        "warning_checks": levels.count(Level::Warning),
        "degraded_checks": levels.count(Level::Degraded),
        "critical_checks": levels.count(Level::Critical),
    });
    json!({
        "overall_status": picture.overall.as_str(),
        "checks": by_name(&checks, check),
        "policies": by_name(&policies, policy),
        "summary": summary,
    })
}

/// The whole as text: the whole, then the checks, then the policies.
pub(super) fn text(picture: &Picture) -> String {
    let mut text = format!("{}\n", picture.overall);
    let (checks, policies) = split(&picture.snapshots);
    for Snapshot { name, kind, state, level, values } in checks.into_iter().chain(policies) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{:<9} {:<9} {name}: {state}", level.as_str(), kind.as_str());
        if let Some((_, Value::Text(message))) = values.iter().find(|(name, _)| *name == "message") {
            // One line each, whatever an error says.
            let _ = write!(text, ": {}", message.replace(['\r', '\n'], " "));
        }
        text.push('\n');
    }
    text
}

fn split(snapshots: &[Snapshot]) -> (Vec<&Snapshot>, Vec<&Snapshot>) {
    snapshots.iter().partition(|snapshot| snapshot.part().is_check())
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
    let mut map: Map<_, _> = KEYS.iter().map(|key| ((*key).into(), Json::Null)).collect();
    map.insert("status".into(), snapshot.level.as_str().into());
    for (name, value) in &snapshot.values {
        if let (&"age_ms", Value::Count(age)) = (name, value) {
            let at = clock::wall(Duration::from_millis(*age));
            map.insert("last_check".into(), humantime::format_rfc3339_millis(at).to_string().into());
        } else if let Some(known) = map.get_mut(*name) {
            *known = plain(value);
        }
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
