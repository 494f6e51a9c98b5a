//! Chaos in numbers and words.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use portcullis_core::{Name, PolicyKind, health::Level};

use crate::{
    metrics::{Measures, names::CHAOS},
    registry::Snapshot,
};

/// The words of all faults, in the order of their counts.
const FAULTS: [&str; 7] = ["latency", "error", "response", "panic", "hang", "cut_body", "bandwidth"];

/// Chaos at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChaosStatus {
    /// Whether there are faults.
    pub enabled: bool,
    met: [u64; FAULTS.len()],
}

impl ChaosStatus {
    /// Faults that were met.
    pub fn total(&self) -> u64 {
        self.met.iter().sum()
    }

    /// Faults of this [word](super::FaultKind::as_str) that were met.
    pub fn met(&self, fault: &str) -> u64 {
        FAULTS.iter().zip(self.met).filter(|(word, _)| **word == fault).map(|(_, met)| met).sum()
    }
}

#[derive(Default)]
pub(super) struct Counts([AtomicU64; FAULTS.len()]);

impl Counts {
    pub(super) fn met(&self, fault: &'static str) {
        if let Some((_, count)) = FAULTS.iter().zip(&self.0).find(|(word, _)| **word == fault) {
            count.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn status(&self, enabled: bool) -> ChaosStatus {
        ChaosStatus { enabled, met: std::array::from_fn(|at| self.0[at].load(Relaxed)) }
    }

    pub(super) fn measure(&self, into: &mut dyn Measures) {
        for (word, count) in FAULTS.iter().zip(&self.0) {
            let met = count.load(Relaxed);
            if met > 0 {
                into.counter(&CHAOS, &[word], met);
            }
        }
    }
}

pub(super) fn snapshot(name: &Name, status: &ChaosStatus) -> Snapshot {
    let counts = FAULTS.iter().zip(status.met).map(|(word, met)| (*word, met.into()));
    Snapshot {
        name: name.clone(),
        kind: PolicyKind::Chaos,
        state: if status.enabled { "enabled" } else { "off" },
        // Somebody should know.
        level: if status.enabled { Level::Warning } else { Level::Healthy },
        values: [("enabled", status.enabled.into())].into_iter().chain(counts).collect(),
    }
}
