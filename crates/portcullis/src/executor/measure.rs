//! An executor in numbers and words.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use portcullis_core::{Mode, Name, PolicyKind, health::Level};

use crate::{
    metrics::{
        Measures,
        names::{CALLS, EXECUTOR_RUNNING, EXECUTOR_TASKS, REJECTIONS},
    },
    registry::Snapshot,
};

/// An executor at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExecutorStatus {
    /// Tasks that run, those among them that were aborted and have not been dropped yet.
    pub running: u64,
    /// Tasks whose result was given to their caller.
    pub finished: u64,
    /// Tasks whose panic went on in their caller.
    pub panics: u64,
    /// Calls that were dropped before they had what their task came to.
    pub cancelled: u64,
    /// Calls that were refused because their runtime has ended.
    pub rejected: u64,
    /// Calls that ran in place, by the mode.
    pub shadowed: u64,
    /// Whether calls run as tasks.
    pub mode: Mode,
}

#[derive(Default)]
pub(super) struct Counts {
    pub(super) running: AtomicU64,
    pub(super) finished: AtomicU64,
    pub(super) panics: AtomicU64,
    pub(super) cancelled: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) shadowed: AtomicU64,
}

impl Counts {
    pub(super) fn status(&self, mode: Mode) -> ExecutorStatus {
        ExecutorStatus {
            running: self.running.load(Relaxed),
            finished: self.finished.load(Relaxed),
            panics: self.panics.load(Relaxed),
            cancelled: self.cancelled.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            shadowed: self.shadowed.load(Relaxed),
            mode,
        }
    }
}

impl ExecutorStatus {
    pub(super) fn measure(&self, into: &mut dyn Measures) {
        let kind = PolicyKind::Executor.as_str();
        into.counter(&CALLS, &[kind, "rejected"], self.rejected);
        into.counter(&CALLS, &[kind, "abandoned"], self.cancelled);
        into.counter(&REJECTIONS, &[kind, "runtime_stopped", "enforced"], self.rejected);
        into.gauge(&EXECUTOR_RUNNING, &[], self.running as f64);
        into.counter(&EXECUTOR_TASKS, &["finished"], self.finished);
        into.counter(&EXECUTOR_TASKS, &["panicked"], self.panics);
        into.counter(&EXECUTOR_TASKS, &["cancelled"], self.cancelled);
    }

    pub(super) fn snapshot(&self, name: &Name) -> Snapshot {
        Snapshot {
            name: name.clone(),
            kind: PolicyKind::Executor,
            state: "active",
            level: Level::Healthy,
            values: vec![
                ("mode", self.mode.as_str().into()),
                ("running", self.running.into()),
                ("finished", self.finished.into()),
                ("panics", self.panics.into()),
                ("cancelled", self.cancelled.into()),
                ("rejected", self.rejected.into()),
                ("shadowed", self.shadowed.into()),
            ],
        }
    }
}
