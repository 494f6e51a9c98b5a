//! A fallback in numbers and words.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use portcullis_core::{FailureKind, Mode, Name, PolicyKind, health::Level};

use super::Why;
use crate::{
    metrics::{
        Measures,
        names::{FALLBACK_REASONS, FALLBACKS},
    },
    registry::Snapshot,
};

/// A fallback at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FallbackStatus {
    /// Calls for which something else was answered, or was to be.
    pub used: u64,
    /// Those of them that failed all the same.
    pub failed: u64,
    /// Those of them whose caller gave up before the answer.
    pub abandoned: u64,
    /// Calls whose request could not be sent a second time.
    pub not_replayable: u64,
    /// Calls for which something else was only to be answered, by the mode.
    pub shadowed: u64,
    /// Whether something else is answered, or only counted.
    pub mode: Mode,
}

/// What a fallback has counted since it was made.
#[derive(Default)]
pub(super) struct Counts {
    /// By the kind of failure; refusals last.
    used: [AtomicU64; FailureKind::ALL.len() + 1],
    failed: AtomicU64,
    abandoned: AtomicU64,
    not_replayable: AtomicU64,
    shadowed: AtomicU64,
}

impl Counts {
    pub(super) fn used(&self, why: &Why) {
        let place = why.kind().map_or(FailureKind::ALL.len(), |kind| kind as usize - 1);
        self.used[place].fetch_add(1, Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    pub(super) fn abandoned(&self) {
        self.abandoned.fetch_add(1, Relaxed);
    }

    pub(super) fn not_replayable(&self) {
        self.not_replayable.fetch_add(1, Relaxed);
    }

    pub(super) fn shadowed(&self) {
        self.shadowed.fetch_add(1, Relaxed);
    }

    pub(super) fn status(&self, mode: Mode) -> FallbackStatus {
        FallbackStatus {
            used: self.used.iter().map(|count| count.load(Relaxed)).sum(),
            failed: self.failed.load(Relaxed),
            abandoned: self.abandoned.load(Relaxed),
            not_replayable: self.not_replayable.load(Relaxed),
            shadowed: self.shadowed.load(Relaxed),
            mode,
        }
    }

    pub(super) fn measure(&self, into: &mut dyn Measures) {
        let reasons = FailureKind::ALL.into_iter().map(FailureKind::as_str).chain(["refused"]);
        for (reason, count) in reasons.zip(&self.used) {
            let used = count.load(Relaxed);
            if used > 0 {
                into.counter(&FALLBACK_REASONS, &[reason], used);
            }
        }
        let status = self.status(Mode::Enforce);
        into.counter(&FALLBACKS, &["used"], status.used);
        into.counter(&FALLBACKS, &["failed"], status.failed);
        into.counter(&FALLBACKS, &["abandoned"], status.abandoned);
        into.counter(&FALLBACKS, &["not_replayable"], status.not_replayable);
        into.counter(&FALLBACKS, &["shadowed"], status.shadowed);
    }
}

pub(super) fn snapshot(name: &Name, status: &FallbackStatus) -> Snapshot {
    Snapshot {
        name: name.clone(),
        kind: PolicyKind::Fallback,
        state: "active",
        level: Level::Healthy,
        values: vec![
            ("mode", status.mode.as_str().into()),
            ("used", status.used.into()),
            ("failed", status.failed.into()),
            ("abandoned", status.abandoned.into()),
            ("not_replayable", status.not_replayable.into()),
            ("shadowed", status.shadowed.into()),
        ],
    }
}
