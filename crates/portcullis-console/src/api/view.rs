//! Policies as the page has them.

use std::{collections::HashMap, sync::Arc};

use portcullis::{
    Name, PolicyKind,
    registry::{Policy, Snapshot, Value},
};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::act;
use crate::{
    console::Shared,
    json::{
        self,
        event::{EventView, RefusalView},
    },
    sample::{
        History, Recent,
        percentile::percentile,
        reading::{Durations, Reading, Totals},
    },
    time,
};

/// Events of a policy that are shown with it.
const EVENTS: usize = 8;

/// A policy with its snapshot, and what tells it from others.
pub(super) struct Seen {
    pub(super) policy: Arc<dyn Policy>,
    pub(super) snapshot: Snapshot,
    /// Kind and name, and a number from the second on.
    pub(super) id: String,
}

/// All policies, by name and kind.
pub(super) fn look(console: &Shared) -> Vec<Seen> {
    let policies = console.registry.policies().into_iter();
    let mut seen: Vec<_> = policies.map(|policy| (policy.snapshot(), policy)).collect();
    seen.sort_by(|(a, _), (b, _)| (&a.name, a.kind).cmp(&(&b.name, b.kind)));
    let mut last: Option<(Name, PolicyKind)> = None;
    let mut number = 0;
    let one = |(snapshot, policy): (Snapshot, Arc<dyn Policy>)| {
        let key = (snapshot.name.clone(), snapshot.kind);
        number = if last.as_ref() == Some(&key) { number + 1 } else { 1 };
        last = Some(key);
        let mut id = format!("{}/{}", snapshot.kind.as_str(), snapshot.name);
        if number > 1 {
            id = format!("{id}#{number}");
        }
        Seen { policy, snapshot, id }
    };
    seen.into_iter().map(one).collect()
}

#[derive(Debug, Serialize)]
pub(super) struct PolicyView {
    id: String,
    name: String,
    kind: &'static str,
    state: &'static str,
    level: &'static str,
    mode: Option<String>,
    actions: Vec<&'static str>,
    values: Map<String, Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    totals: Option<Totals>,
    rates: Rates,
    last_refusal: Option<RefusalView>,
    recent: Vec<EventView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<History>,
}

#[derive(Debug, Serialize)]
struct Rates {
    calls_per_s: Option<f64>,
    failure_ratio: Option<f64>,
    slow_ratio: Option<f64>,
    refused_per_s: Option<f64>,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    p99_ms: Option<f64>,
    in_flight: Option<f64>,
    limit: Option<f64>,
    queued: Option<f64>,
}

/// These policies, in their order.
pub(super) fn views(console: &Shared, seen: Vec<Seen>, with_history: bool) -> Vec<PolicyView> {
    let policies: Vec<_> = seen.iter().map(|seen| seen.policy.clone()).collect();
    let recent = console.samples.recent(&policies);
    let histories = if with_history { console.samples.history(&policies) } else { Vec::new() };
    let mut histories = histories.into_iter();
    let durations = console.samples.durations();
    let all = seen.into_iter().zip(recent);
    all.map(|(seen, recent)| view(console, seen, recent, histories.next(), &durations)).collect()
}

fn view(
    console: &Shared,
    seen: Seen,
    recent: Option<Recent>,
    history: Option<History>,
    durations: &HashMap<Name, Durations>,
) -> PolicyView {
    let Seen { policy, snapshot, id } = seen;
    let reading = Reading::of(&*policy);
    let refusal = console.refusals.last(snapshot.kind, &snapshot.name);
    let events = policy.recent_events();
    let rates = rates(&reading, recent, durations.get(&snapshot.name));
    PolicyView {
        id,
        name: snapshot.name.to_string(),
        kind: snapshot.kind.as_str(),
        state: snapshot.state,
        level: snapshot.level.as_str(),
        mode: act::mode(&*policy),
        actions: act::actions(&*policy),
        values: snapshot.values.iter().map(|(name, value)| ((*name).into(), json::value(value))).collect(),
        rates,
        totals: (reading.counts_calls() || reading.counts_refusals()).then_some(reading.totals),
        last_refusal: refusal.as_ref().and_then(RefusalView::new),
        recent: events.iter().skip(events.len().saturating_sub(EVENTS)).map(EventView::new).collect(),
        history,
    }
}

fn rates(reading: &Reading, recent: Option<Recent>, durations: Option<&Durations>) -> Rates {
    let within = |share| durations.and_then(|durations| percentile(durations, share));
    Rates {
        calls_per_s: recent.as_ref().filter(|_| reading.counts_calls()).map(|recent| recent.calls_per_s),
        refused_per_s: recent
            .as_ref()
            .filter(|_| reading.counts_refusals())
            .map(|recent| recent.refused_per_s),
        failure_ratio: recent.and_then(|recent| recent.failure_ratio),
        slow_ratio: reading.slow_ratio,
        p50_ms: within(0.5),
        p95_ms: within(0.95),
        p99_ms: within(0.99),
        in_flight: reading.in_flight,
        limit: reading.limit,
        queued: reading.queued,
    }
}

/// A check, as the health document has it.
#[derive(Debug, Serialize)]
pub(super) struct CheckView {
    name: String,
    status: &'static str,
    critical: bool,
    message: Option<String>,
    last_check: Option<String>,
    duration_ms: Option<Json>,
}

impl CheckView {
    pub(super) fn new(snapshot: &Snapshot) -> Self {
        let of = |name| snapshot.values.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        let age = |value: &Value| match value {
            Value::Count(age) => Some(time::ago(std::time::Duration::from_millis(*age))),
            _ => None,
        };
        let text = |value: &Value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        Self {
            name: snapshot.name.to_string(),
            status: snapshot.level.as_str(),
            critical: snapshot.is_critical(),
            message: of("message").and_then(text),
            last_check: of("age_ms").and_then(age),
            duration_ms: of("duration_ms").map(json::value),
        }
    }
}
