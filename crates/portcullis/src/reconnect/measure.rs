//! Connections in numbers and words.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use portcullis_core::{Name, PolicyKind, health::Level};

use crate::{
    metrics::{
        Measures,
        names::{CONNECTED, CONNECTS},
    },
    registry::Snapshot,
};

/// What reconnects, at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReconnectStatus {
    /// Connections there are.
    pub connected: u64,
    /// Attempts that made one.
    pub succeeded: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Connections that broke.
    pub broken: u64,
    /// Attempts that failed since the last that did not.
    pub failed_in_a_row: u64,
}

#[derive(Default)]
pub(super) struct Counts {
    succeeded: AtomicU64,
    failed: AtomicU64,
    broken: AtomicU64,
    failed_in_a_row: AtomicU64,
}

impl Counts {
    pub(super) fn succeeded(&self) {
        self.succeeded.fetch_add(1, Relaxed);
        self.failed_in_a_row.store(0, Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failed.fetch_add(1, Relaxed);
        self.failed_in_a_row.fetch_add(1, Relaxed);
    }

    pub(super) fn broke(&self) {
        self.broken.fetch_add(1, Relaxed);
    }

    pub(super) fn status(&self, connected: u64) -> ReconnectStatus {
        ReconnectStatus {
            connected,
            succeeded: self.succeeded.load(Relaxed),
            failed: self.failed.load(Relaxed),
            broken: self.broken.load(Relaxed),
            failed_in_a_row: self.failed_in_a_row.load(Relaxed),
        }
    }
}

pub(super) fn measure(status: &ReconnectStatus, into: &mut dyn Measures) {
    into.gauge(&CONNECTED, &[], status.connected as f64);
    into.counter(&CONNECTS, &["succeeded"], status.succeeded);
    into.counter(&CONNECTS, &["failed"], status.failed);
    into.counter(&CONNECTS, &["broken"], status.broken);
}

pub(super) fn snapshot(name: &Name, status: &ReconnectStatus) -> Snapshot {
    let (state, level) = match (status.connected, status.failed_in_a_row) {
        (_, 1..) => ("failing", Level::Degraded),
        (0, 0) => ("idle", Level::Healthy),
        _ => ("connected", Level::Healthy),
    };
    Snapshot {
        name: name.clone(),
        kind: PolicyKind::Reconnect,
        state,
        level,
        values: vec![
            ("connected", status.connected.into()),
            ("succeeded", status.succeeded.into()),
            ("failed", status.failed.into()),
            ("broken", status.broken.into()),
            ("failed_in_a_row", status.failed_in_a_row.into()),
        ],
    }
}
