//! How long a call takes that waits for no other.

use std::time::Duration;

use super::{algorithm::blend, window::Window};
use crate::Time;

/// With half of the limit, a server that is still full answers as many calls as before, each in half of the time. By
/// these it is told from one that is not.
const STILL_FULL_LATENCY: f64 = 0.6;
const STILL_FULL_THROUGHPUT: f64 = 0.85;
/// So many standard errors are no chance.
const SURE: f64 = 2.0;
/// The weight of a window that agrees with what is known, or is not sure to know better.
pub(super) const WEIGHT: f64 = 0.1;
/// The weight of one that does.
pub(super) const NEW_WEIGHT: f64 = 0.5;
/// The weight of a window that was measured for it.
pub(super) const LOOK_WEIGHT: f64 = 0.8;
/// When calls are faster by this than what is known, it is looked at soon.
const FASTER: f64 = 0.8;
/// So many windows at least are between two looks, so that a slow dependency is not always looked at.
const WINDOWS_BETWEEN: u32 = 50;
/// The same for a look that comes early.
const WINDOWS_BETWEEN_EARLY: u32 = 5;
/// Looks that come early have this part of the usual time between them.
const EARLY: u32 = 10;
/// A limit that fell below this share of what it was may have been misled.
const FALLEN: f64 = 0.6;

/// What is known of it, and when it is looked at again.
///
/// It comes down with every window that is surely faster, but it goes up only by what was seen with few calls in flight:
/// at the lowest limit, in quiet times, and in a dip, for which the limit is halved until one window is measured. Else
/// a queue that stays would become what is usual.
#[derive(Debug, Default)]
pub(super) struct Baseline {
    /// In nanoseconds.
    value: Option<f64>,
    dip: Option<Dip>,
    /// The last look, and the windows since.
    looked: Time,
    windows: u32,
    /// There is reason to look early.
    early: bool,
    /// The highest limit since the last look.
    highest: f64,
}

/// The limit is lowered for a look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Dip {
    /// What it was.
    pub(super) limit: f64,
    /// How long calls took, and how many there were in a second.
    latency: f64,
    throughput: f64,
}

impl Baseline {
    pub(super) fn value(&self) -> Option<Duration> {
        self.value.map(|nanos| Duration::from_nanos(nanos as u64))
    }

    /// What is known, or this.
    pub(super) fn or(&self, latency: f64) -> f64 {
        self.value.unwrap_or(latency)
    }

    /// What the limit was before it was lowered for a look.
    pub(super) fn dip_limit(&self) -> Option<f64> {
        self.dip.map(|dip| dip.limit)
    }

    /// Begins with what is known from elsewhere, and has it looked at soon.
    pub(super) fn resume(&mut self, value: Duration) {
        (self.value, self.early) = (Some(value.as_nanos() as f64), true);
    }

    pub(super) fn is_dipping(&self) -> bool {
        self.dip.is_some()
    }

    /// Whether it is time for a dip.
    pub(super) fn is_due(&self, window: &Window, limit: f64, now: Time, every: Duration) -> bool {
        let since = now.since(self.looked);
        // The first look is early, too: nothing is known that was not measured under load.
        if limit < FALLEN * self.highest && self.is_slower(window) {
            return true;
        }
        let (every, windows) =
            if self.early { (every / EARLY, WINDOWS_BETWEEN_EARLY) } else { (every, WINDOWS_BETWEEN) };
        since >= every && self.windows >= windows
    }

    /// The limit is about to be lowered for a look.
    pub(super) fn dip(&mut self, limit: f64, window: &Window, throughput: f64) {
        self.dip = Some(Dip { limit, latency: window.mean, throughput });
    }

    /// The look is over, or was given up.
    pub(super) fn end_dip(&mut self) -> Option<Dip> {
        self.dip.take()
    }

    /// Learns from a window that was measured in a dip. Whether the limit may go back up: not where the server was still
    /// full, and nothing was lost but a queue.
    pub(super) fn look(&mut self, dip: Dip, window: &Window, throughput: f64, now: Time) -> bool {
        self.rest(now);
        let still_full = window.mean < STILL_FULL_LATENCY * dip.latency
            && throughput > STILL_FULL_THROUGHPUT * dip.throughput;
        if still_full {
            self.value = Some(self.or(window.mean).min(window.mean));
            self.early = true;
        } else {
            self.adopt(window, NEW_WEIGHT);
        }
        !still_full
    }

    /// Learns from a window that was measured with many calls in flight.
    pub(super) fn learn(&mut self, window: &Window, limit: f64) {
        self.windows = self.windows.saturating_add(1);
        self.highest = self.highest.max(limit);
        match self.value {
            Some(value) if window.mean + SURE * window.error < value => {
                self.value = Some(blend(value, window.mean, NEW_WEIGHT));
                self.early |= window.mean < FASTER * value;
            }
            Some(value) if window.mean < value => self.value = Some(blend(value, window.mean, WEIGHT)),
            Some(_) => {}
            None => (self.value, self.early) = (Some(window.mean), true),
        }
    }

    /// Goes to what was measured, which may be worth little, and has it looked at soon.
    pub(super) fn begin(&mut self, window: &Window) {
        self.adopt(window, NEW_WEIGHT);
        (self.looked, self.early) = (Time::ORIGIN, true);
    }

    /// Learns from a window that was measured with few, for which no look is needed any more. A queue may be growing in
    /// it, which is not to become what is usual at once.
    pub(super) fn learn_quiet(&mut self, window: &Window, now: Time) {
        self.value = Some(match self.value {
            Some(value) if window.mean + SURE * window.error >= value => blend(value, window.mean, WEIGHT),
            _ => window.mean,
        });
        self.rest(now);
    }

    /// Goes to what was measured: at once where that is surely something else, and else by this weight.
    pub(super) fn adopt(&mut self, window: &Window, weight: f64) {
        self.value = Some(match self.value {
            Some(value) if (window.mean - value).abs() <= SURE * window.error => {
                blend(value, window.mean, weight)
            }
            _ => window.mean,
        });
    }

    /// The next look is not soon.
    pub(super) fn rest(&mut self, now: Time) {
        (self.looked, self.windows, self.highest, self.early) = (now, 0, 0.0, false);
    }

    fn is_slower(&self, window: &Window) -> bool {
        window.mean - SURE * window.error > self.or(window.mean)
    }
}
