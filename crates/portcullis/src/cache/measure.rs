//! A cache in numbers and words.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use portcullis_core::{Mode, Name, Padded, PolicyKind, health::Level};

use crate::{
    metrics::{
        Measures,
        names::{CACHE, CACHE_ENTRIES, CACHE_EVICTIONS, CACHE_REFRESHES, CACHE_WEIGHT},
    },
    registry::Snapshot,
    shard,
};

/// A cache at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStatus {
    /// Calls that were answered with what is fresh.
    pub hits: u64,
    /// Calls that were made.
    pub misses: u64,
    /// Calls that were answered with what is not fresh any more: while another is fetched, or because that failed. The
    /// latter are misses too.
    pub stale: u64,
    /// Calls that were answered by another's call.
    pub coalesced: u64,
    /// Calls that could have been a hit, but were made, by the mode.
    pub shadowed: u64,
    /// Refreshes in the background that were begun.
    pub refreshes: u64,
    /// Those that came to nothing that could be kept.
    pub refreshes_failed: u64,
    /// Those that took too long.
    pub refreshes_timed_out: u64,
    /// Those that were not begun, because too many ran.
    pub refreshes_denied: u64,
    /// Entries there are.
    pub entries: u64,
    /// What they take up, if there is a largest weight.
    pub weight: Option<u64>,
    /// Entries that went for want of room.
    pub evicted: u64,
    /// Entries that went because their time was over.
    pub expired: u64,
    /// Whether what is kept is served, or only counted.
    pub mode: Mode,
}

/// What is counted of calls, by place in [`Counts`].
#[derive(Clone, Copy)]
pub(super) enum Count {
    Hit,
    Miss,
    Stale,
    Coalesced,
    Shadowed,
    Refresh,
    RefreshFailed,
    RefreshTimedOut,
    RefreshDenied,
}

const COUNTS: usize = Count::RefreshDenied as usize + 1;

/// What a cache has counted since it was made: every thread for itself, because a hit should share nothing.
pub(super) struct Counts(Box<[Padded<[AtomicU64; COUNTS]>]>);

impl Default for Counts {
    fn default() -> Self {
        Self((0..shard::count()).map(|_| Padded::default()).collect())
    }
}

impl Counts {
    #[inline]
    pub(super) fn add(&self, count: Count) {
        let Padded(counts) = &self.0[shard::current() & (self.0.len() - 1)];
        counts[count as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn get(&self, count: Count) -> u64 {
        self.0.iter().map(|Padded(counts)| counts[count as usize].load(Relaxed)).sum()
    }
}

pub(super) fn measure(status: &CacheStatus, into: &mut dyn Measures) {
    let calls = [
        ("hit", status.hits),
        ("miss", status.misses),
        ("stale", status.stale),
        ("coalesced", status.coalesced),
        ("shadowed", status.shadowed),
    ];
    for (result, count) in calls {
        into.counter(&CACHE, &[result], count);
    }
    into.gauge(&CACHE_ENTRIES, &[], status.entries as f64);
    if let Some(weight) = status.weight {
        into.gauge(&CACHE_WEIGHT, &[], weight as f64);
    }
    into.counter(&CACHE_EVICTIONS, &["size"], status.evicted);
    into.counter(&CACHE_EVICTIONS, &["expired"], status.expired);
    let refreshes = [
        ("begun", status.refreshes),
        ("failed", status.refreshes_failed),
        ("timeout", status.refreshes_timed_out),
        ("denied", status.refreshes_denied),
    ];
    for (result, count) in refreshes {
        into.counter(&CACHE_REFRESHES, &[result], count);
    }
}

pub(super) fn snapshot(name: &Name, status: &CacheStatus) -> Snapshot {
    Snapshot {
        name: name.clone(),
        kind: PolicyKind::Cache,
        state: "active",
        level: Level::Healthy,
        values: vec![
            ("mode", status.mode.as_str().into()),
            ("entries", status.entries.into()),
            ("weight", status.weight.unwrap_or(status.entries).into()),
            ("hits", status.hits.into()),
            ("misses", status.misses.into()),
            ("stale", status.stale.into()),
            ("coalesced", status.coalesced.into()),
            ("shadowed", status.shadowed.into()),
            ("refreshes", status.refreshes.into()),
            ("refreshes_failed", status.refreshes_failed.into()),
            ("refreshes_timed_out", status.refreshes_timed_out.into()),
            ("refreshes_denied", status.refreshes_denied.into()),
            ("evicted", status.evicted.into()),
            ("expired", status.expired.into()),
        ],
    }
}
