//! What few breakers need to remember.

use crate::{
    Time,
    breaker::{Config, status::Kinds},
    window::{CountWindow, TimeWindow},
};

/// What a log needs for rules that are off by default, and for failures that say or are much.
#[derive(Default)]
pub(super) struct Rare {
    pub(super) slow: Option<Box<CountWindow>>,
    pub(super) recent: Option<Box<TimeWindow>>,
    /// Until when the dependency asked to be left alone.
    pub(super) advised: Time,
    /// How many failures of each kind the log's own counts have not kept.
    pub(super) by_kind: Kinds,
}

impl Rare {
    /// Gives its windows the shape that the configuration wants. They keep what fits.
    pub(super) fn follow(&mut self, config: &Config, now: Time, total: u64) {
        match (&mut self.slow, config.slow_calls) {
            (Some(slow), Some(_)) => slow.resize(config.window, total),
            // Which of the calls before were slow, nobody knows.
            (slow, rule) => *slow = rule.map(|_| Box::new(CountWindow::new(config.window))),
        }
        match (&mut self.recent, config.time_window) {
            (Some(recent), Some(rule)) => recent.resize(rule.span, rule.buckets, now),
            (recent, rule) => {
                *recent = rule.map(|rule| Box::new(TimeWindow::new(rule.span, rule.buckets)));
            }
        }
        if let Some(recent) = &mut self.recent {
            recent.count_kinds(!config.kind_limits.is_empty());
        }
    }

    /// Forgets the epoch.
    pub(super) fn clear(&mut self) {
        if let Some(slow) = &mut self.slow {
            slow.clear();
        }
        if let Some(recent) = &mut self.recent {
            recent.clear();
        }
        self.advised = Time::ORIGIN;
    }
}
