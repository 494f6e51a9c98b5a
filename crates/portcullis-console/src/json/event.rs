//! Events.

use portcullis::{
    Level, Rejection,
    breaker::State,
    event::{Event, EventKind},
};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::record::record;
use crate::time;

/// An event as the page has it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct EventView {
    pub(crate) seq: u64,
    at: String,
    policy: String,
    kind: &'static str,
    what: &'static str,
    text: String,
    level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enforced: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

impl EventView {
    pub(crate) fn new(event: &Event) -> Self {
        let mut view = Self {
            seq: event.seq,
            at: time::of(event.at),
            policy: event.policy.to_string(),
            kind: event.kind.as_str(),
            what: event.what.as_str(),
            text: event.to_string(),
            level: if is_warning(&event.what) { "warn" } else { "info" },
            from: None,
            to: None,
            reason: None,
            enforced: None,
            by: None,
        };
        view.details(&event.what);
        view
    }

    fn details(&mut self, what: &EventKind) {
        match what {
            EventKind::StateChange(change) => {
                (self.from, self.to) = (Some(change.from.as_str()), Some(change.to.as_str()));
            }
            EventKind::HealthChanged { from, to, .. } => {
                (self.from, self.to) = (Some(from.as_str()), Some(to.as_str()));
            }
            EventKind::Rejected { rejection, enforced } => {
                (self.reason, self.enforced) = (Some(rejection.reason().as_str()), Some(*enforced));
            }
            EventKind::Audit(audit) => self.by = Some(audit.by().to_owned()),
            _ => {}
        }
    }
}

/// Whether somebody should look: calls are refused from then on, or something broke.
fn is_warning(what: &EventKind) -> bool {
    match what {
        EventKind::StateChange(change) => matches!(change.to, State::Open | State::Isolated),
        EventKind::OverloadChanged { overloaded, .. } => *overloaded,
        EventKind::HealthChanged { to, .. } => *to >= Level::Degraded,
        EventKind::Connection { connected, .. } => !connected,
        EventKind::Stopped { .. } | EventKind::Panicked { .. } => true,
        EventKind::Endpoint(_) => what.as_str() == "ejected",
        _ => false,
    }
}

/// Why a policy refused last.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RefusalView {
    at: String,
    text: String,
    reason: &'static str,
    enforced: bool,
    record: Map<String, Json>,
}

impl RefusalView {
    /// Of an event that is a refusal.
    pub(crate) fn new(event: &Event) -> Option<Self> {
        let EventKind::Rejected { rejection, enforced } = &event.what else { return None };
        let (reason, enforced) = (rejection.reason().as_str(), *enforced);
        Some(Self {
            at: time::of(event.at),
            text: event.to_string(),
            reason,
            enforced,
            record: with_retry(rejection),
        })
    }
}

fn with_retry(rejection: &Rejection) -> Map<String, Json> {
    let mut fields = record(&rejection.reason());
    if let Some(after) = rejection.retry_after() {
        fields.insert("retry_after_ms".into(), super::record::millis(after));
    }
    fields
}
