//! A timeout in numbers and words.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use portcullis_core::{Mode, Name, PolicyKind, TimeoutScope, health::Level};

use super::Config;
use crate::{
    metrics::{
        Measures,
        names::{TIMEOUT_LIMIT, TIMEOUTS},
    },
    registry::Snapshot,
};

/// A timeout at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeoutStatus {
    /// The limit that holds now.
    pub limit: Duration,
    /// Calls that took too long since it was built.
    pub expired: u64,
    /// Responses whose body took too long.
    pub body_expired: u64,
    /// Responses whose body paused for too long.
    pub body_idle_expired: u64,
    /// Calls and bodies that took too long and went on, by the mode.
    pub shadowed: u64,
    /// Whether late calls are ended, or only counted.
    pub mode: Mode,
}

/// What a timeout has counted since it was built.
#[derive(Default)]
pub(super) struct Counts {
    expired: AtomicU64,
    body_expired: AtomicU64,
    body_idle_expired: AtomicU64,
    shadowed: AtomicU64,
}

impl Counts {
    pub(super) fn expired(&self, scope: TimeoutScope) {
        let count = match scope {
            TimeoutScope::Body => &self.body_expired,
            TimeoutScope::Idle => &self.body_idle_expired,
            _ => &self.expired,
        };
        count.fetch_add(1, Relaxed);
    }

    pub(super) fn shadowed(&self) {
        self.shadowed.fetch_add(1, Relaxed);
    }

    /// All that it knows.
    pub(super) fn status(&self) -> TimeoutStatus {
        TimeoutStatus {
            limit: Duration::ZERO,
            expired: self.expired.load(Relaxed),
            body_expired: self.body_expired.load(Relaxed),
            body_idle_expired: self.body_idle_expired.load(Relaxed),
            shadowed: self.shadowed.load(Relaxed),
            mode: Mode::Enforce,
        }
    }
}

pub(super) fn measure(config: &Config, status: &TimeoutStatus, into: &mut dyn Measures) {
    into.counter(&TIMEOUTS, &[config.scope.as_str()], status.expired);
    if config.body.is_some() || status.body_expired > 0 {
        into.counter(&TIMEOUTS, &[TimeoutScope::Body.as_str()], status.body_expired);
    }
    if config.body_idle.is_some() || status.body_idle_expired > 0 {
        into.counter(&TIMEOUTS, &[TimeoutScope::Idle.as_str()], status.body_idle_expired);
    }
    if config.adaptive.is_some() {
        into.gauge(&TIMEOUT_LIMIT, &[], status.limit.as_secs_f64());
    }
}

pub(super) fn snapshot(name: &Name, config: &Config, status: &TimeoutStatus) -> Snapshot {
    Snapshot {
        name: name.clone(),
        kind: PolicyKind::Timeout,
        state: "active",
        level: Level::Healthy,
        values: vec![
            ("mode", status.mode.as_str().into()),
            ("limit_ms", (status.limit.as_millis() as u64).into()),
            ("scope", config.scope.as_str().into()),
            ("expired", status.expired.into()),
            ("body_expired", status.body_expired.into()),
            ("body_idle_expired", status.body_idle_expired.into()),
            ("shadowed", status.shadowed.into()),
        ],
    }
}
