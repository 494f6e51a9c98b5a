//! What the machine knows of the load.

use std::time::Duration;

use super::{Config, QueueDelay, Refused, arrivals::Memory, control::Control, level::LEVELS, watch::Watch};
use crate::{Overload, Time};

/// From this share of a limit on, calls are counted by level, so that their distribution is known in time.
const WATCHED_FROM: f64 = 0.5;

/// What was measured, and what follows from it; behind a lock, that no call takes.
#[derive(Debug)]
pub(super) struct State {
    pub(super) config: Config,
    pub(super) watch: Watch,
    pub(super) memory: Memory,
    pub(super) control: Control,
    /// The shortest wait of the last interval, if any was seen.
    pub(super) delay: Option<Duration>,
    pub(super) pressure: Option<f64>,
    /// The pressure was found too high, and nothing was done about it yet.
    pub(super) pressed: bool,
    /// The pressure was too high, and may still be.
    pub(super) hot_until: Option<Time>,
    /// Calls are refused because of a signal, and that was told.
    pub(super) overloaded: bool,
}

impl State {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            watch: Watch::default(),
            memory: Memory::new(LEVELS),
            control: Control::default(),
            delay: None,
            pressure: None,
            pressed: false,
            hot_until: None,
            overloaded: false,
        }
    }

    /// The share that is to be refused.
    pub(super) fn cut(&self) -> f64 {
        self.control.cut().max(self.config.cut)
    }

    /// Lowers or raises the share that is admitted, by what was seen in an interval that is over. Returns what
    /// was over its limit.
    pub(super) fn step(&mut self, lasted: f64, now: Time) -> Option<Refused> {
        let (delayed, pressed) = (self.delayed(), std::mem::take(&mut self.pressed));
        let max_cut = self.config.max_cut;
        if !self.config.watches() {
            self.control = Control::default();
            self.memory.clear();
            return None;
        }
        if let Some(wait) = delayed {
            self.control.waited(wait.measured / wait.limit, lasted, max_cut);
            return Some(wait);
        }
        if let (true, Some(pressure)) = (pressed, self.pressing()) {
            self.control.pressed(max_cut);
            return Some(pressure);
        }
        if self.hot_until.is_none_or(|until| now >= until) {
            self.hot_until = None;
            self.control.calm();
        } else {
            self.control.hold();
        }
        None
    }

    fn delayed(&self) -> Option<Refused> {
        let QueueDelay { target, .. } = self.config.queue_delay?;
        let delay = self.delay.filter(|delay| *delay > target)?;
        let [measured, limit] = [delay, target].map(|time| time.as_secs_f64());
        Some(Refused { signal: Overload::QueueDelay, measured, limit })
    }

    fn pressing(&self) -> Option<Refused> {
        let limit = self.config.pressure.as_ref()?.limit;
        let measured = self.pressure.filter(|share| *share > limit)?;
        Some(Refused { signal: Overload::Pressure, measured, limit })
    }

    /// Whether a signal comes near its limit.
    pub(super) fn is_near(&self) -> bool {
        let delay = self.config.queue_delay.zip(self.delay);
        let waits = delay.is_some_and(|(rules, delay)| delay > rules.target.mul_f64(WATCHED_FROM));
        let pressure = self.config.pressure.as_ref().zip(self.pressure);
        waits || pressure.is_some_and(|(rules, share)| share > rules.limit * WATCHED_FROM)
    }
}
