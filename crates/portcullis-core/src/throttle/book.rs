//! The window, which is written under a lock by who looks.

use super::{Config, cells::Totals};
use crate::{Time, window::TimeWindow};

/// Steps of the window: its edge is sharp to a sixtieth.
const BUCKETS: u32 = 60;

/// What was counted in the window, up to the last look.
pub(super) struct Book {
    pub(super) config: Config,
    /// Accepted, and not: refused or held back.
    ended: TimeWindow,
    /// Let through, as successes.
    admitted: TimeWindow,
    /// As of the last look.
    seen: Totals,
    /// The end of the newest bucket.
    end: Time,
    /// All that were let through before the newest bucket, and before the one before it.
    before: [u64; 2],
}

/// What the window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) requests: u64,
    pub(super) accepted: u64,
    /// Of the requests, those without any answer for a bucket at least.
    pub(super) hanging: u64,
}

impl Book {
    pub(super) fn new(config: Config) -> Self {
        let window = TimeWindow::new(config.window, BUCKETS);
        Self {
            config,
            ended: window.clone(),
            admitted: window,
            seen: Totals::default(),
            // Over at once: when the first bucket begins is known when the first call comes.
            end: Time::ORIGIN,
            before: [0; 2],
        }
    }

    /// When the newest bucket ends.
    pub(super) fn end(&self) -> Time {
        self.end
    }

    /// Counts what has come since the last look, and moves on to `now`.
    ///
    /// Who comes first in a new bucket looks, so what has come since was in the bucket before, or ended while
    /// nobody came.
    pub(super) fn add(&mut self, totals: Totals, now: Time) {
        if self.end == Time::ORIGIN {
            self.roll(now);
        }
        let Self { seen, end, .. } = self;
        let since = |now: u64, before: u64| now.wrapping_sub(before);
        self.admitted.add_successes(*end, since(totals.admitted, seen.admitted));
        self.ended.add_successes(*end, since(totals.accepted, seen.accepted));
        let refused = since(totals.refused, seen.refused);
        self.ended.add_failures(*end, refused.saturating_add(since(totals.held, seen.held)));
        *seen = totals;
        if now >= *end {
            self.roll(now);
        }
    }

    fn roll(&mut self, now: Time) {
        let (next, end) = (self.ended.end_of(now), self.end);
        let follows = self.ended.end_of(end) == next;
        let all = self.seen.admitted;
        self.before = [all, if follows { self.before[0] } else { all }];
        self.end = next;
        self.ended.advance(now);
        self.admitted.advance(now);
    }

    pub(super) fn held(&self) -> Held {
        let counts = self.ended.sum();
        let (all, answered) = (self.seen.admitted, self.seen.answered());
        // Those that were let through before the window are forgotten, answered or not.
        let forgotten = all.wrapping_sub(self.admitted.sum().successes);
        let hanging = self.before[1].saturating_sub(answered.max(forgotten));
        Held { requests: counts.calls().saturating_add(hanging), accepted: counts.successes, hanging }
    }

    /// Goes on with other rules, and keeps what fits in another window.
    pub(super) fn change(&mut self, config: Config, now: Time) {
        if config.window != self.config.window {
            self.ended.resize(config.window, BUCKETS, now);
            self.admitted.resize(config.window, BUCKETS, now);
            self.end = self.ended.end_of(now);
        }
        self.config = config;
    }

    /// Counts requests that ended elsewhere.
    pub(super) fn resume(&mut self, requests: u64, accepted: u64) {
        let most = u64::from(u32::MAX);
        self.ended.add_successes(self.end, accepted.min(most));
        self.ended.add_failures(self.end, (requests - accepted).min(most));
    }

    /// Forgets everything up to now.
    pub(super) fn clear(&mut self) {
        self.ended.clear();
        self.admitted.clear();
        self.before = [self.seen.admitted; 2];
    }
}
