//! A check at a moment.

use std::{sync::Arc, time::Duration};

use portcullis_core::{Name, health::Level};

use crate::check::Outcome;

/// A check at a moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CheckStatus {
    /// Its name.
    pub name: Name,
    /// How well it is; a warning before its first answer, and no better than that when it is not
    /// [asked](Self::started) any more.
    pub level: Level,
    /// Whether the service cannot work without what it checks.
    pub critical: bool,
    /// How its last run ended; `None` before the first.
    pub outcome: Option<Outcome>,
    /// What its last run said.
    pub message: Option<Arc<str>>,
    /// How long ago its last run ended.
    pub age: Option<Duration>,
    /// How long its last run took.
    pub took: Option<Duration>,
    /// Failures in a row: those of a panic and of a time limit too.
    pub consecutive_failures: u64,
    /// Runs that ended.
    pub runs: u64,
    /// Whether it runs now.
    pub running: bool,
    /// Whether it is asked: its runtime is still there.
    pub started: bool,
}

/// One result of a check.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CheckResult {
    /// How long ago it was.
    pub age: Duration,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub outcome: Outcome,
    /// What the check's level was then.
    pub level: Level,
    /// What it said.
    pub message: Option<Arc<str>>,
}
