//! Coalescing in numbers and words.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use portcullis_core::{Mode, Name, PolicyKind, health::Level};

use crate::{
    metrics::{
        Measures,
        names::{COALESCE_KEYS, COALESCE_WAITING, COALESCED},
    },
    registry::Snapshot,
};

/// Coalescing at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CoalesceStatus {
    /// Keys in flight.
    pub keys: u64,
    /// Calls that wait for another.
    pub waiting: u64,
    /// Calls that were the first of their key.
    pub led: u64,
    /// Calls that were answered by another's call.
    pub shared: u64,
    /// Calls that waited, and then made their own call for those who still did.
    pub promoted: u64,
    /// Calls that waited, and then made a call of their own, because the answer was for one alone.
    pub unshared: u64,
    /// Calls without a key.
    pub keyless: u64,
    /// Calls that went by themselves because there were too many keys, or too many waited.
    pub full: u64,
    /// Calls that could have waited and did not, by the mode.
    pub shadowed: u64,
    /// Whether answers are shared.
    pub mode: Mode,
}

/// What has been counted since it was made.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) led: AtomicU64,
    pub(super) shared: AtomicU64,
    pub(super) promoted: AtomicU64,
    pub(super) unshared: AtomicU64,
    pub(super) keyless: AtomicU64,
    pub(super) full: AtomicU64,
    pub(super) shadowed: AtomicU64,
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

impl Counts {
    pub(super) fn status(&self, keys: usize, waiting: usize, mode: Mode) -> CoalesceStatus {
        CoalesceStatus {
            keys: keys as u64,
            waiting: waiting as u64,
            led: self.led.load(Relaxed),
            shared: self.shared.load(Relaxed),
            promoted: self.promoted.load(Relaxed),
            unshared: self.unshared.load(Relaxed),
            keyless: self.keyless.load(Relaxed),
            full: self.full.load(Relaxed),
            shadowed: self.shadowed.load(Relaxed),
            mode,
        }
    }
}

impl CoalesceStatus {
    fn counts(&self) -> [(&'static str, u64); 7] {
        [
            ("led", self.led),
            ("shared", self.shared),
            ("promoted", self.promoted),
            ("unshared", self.unshared),
            ("keyless", self.keyless),
            ("full", self.full),
            ("shadowed", self.shadowed),
        ]
    }

    pub(super) fn measure(&self, into: &mut dyn Measures) {
        into.gauge(&COALESCE_KEYS, &[], self.keys as f64);
        into.gauge(&COALESCE_WAITING, &[], self.waiting as f64);
        for (result, count) in self.counts() {
            into.counter(&COALESCED, &[result], count);
        }
    }

    pub(super) fn snapshot(&self, name: &Name) -> Snapshot {
        let mut values = vec![
            ("mode", self.mode.as_str().into()),
            ("keys", self.keys.into()),
            ("waiting", self.waiting.into()),
        ];
        values.extend(self.counts().map(|(word, count)| (word, count.into())));
        let (kind, level) = (PolicyKind::Coalesce, Level::Healthy);
        Snapshot { name: name.clone(), kind, state: "active", level, values }
    }
}
