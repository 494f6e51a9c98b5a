//! What is decided when a window is closed, by one at a time.

use std::time::Duration;

use super::{
    Config, Status,
    algorithm::{Memory, View},
    baseline::{self, Baseline, Dip},
    samples::{Collected, LATENCIES},
    window::Window,
};
use crate::Time;

/// After a change, calls are not counted until those that met the old limit are through, but for no longer than this.
const LONGEST_SETTLING: Duration = Duration::from_secs(10);
/// No window changes the limit by a greater factor.
const MOST: f64 = 2.0;
/// So many windows are not trusted to be the fastest there can be.
const FIRST: u64 = 5;
/// Windows of a dip: a look should be surer than a usual window.
const DIP_SAMPLES: u64 = 2;

/// Everything but the counters.
#[derive(Debug)]
pub(super) struct Brain {
    pub(super) config: Config,
    memory: Memory,
    baseline: Baseline,
    /// With its fraction.
    limit: f64,
    /// What was collected and is not enough yet.
    pending: Collected<LATENCIES>,
    /// When the window began.
    since: Time,
    last: Window,
    seen: Seen,
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    windows: u64,
    increases: u64,
    decreases: u64,
    probes: u64,
}

/// What a look at the window came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Closed {
    /// It goes on.
    TooFew,
    /// It is over, and the next one begins.
    Over {
        /// Latencies count from now on again.
        counting_from: Time,
        /// Only what was started after this can be congestion of the new limit.
        lowered: bool,
    },
}

impl Brain {
    pub(super) fn new(config: Config) -> Self {
        let (memory, limit) = (config.algorithm.memory(), config.initial.into());
        Self {
            config,
            memory,
            baseline: Baseline::default(),
            limit,
            pending: Collected::default(),
            since: Time::ORIGIN,
            last: Window::default(),
            seen: Seen::default(),
        }
    }

    /// Where calls are collected until there are enough.
    pub(super) fn pending(&mut self) -> &mut Collected<LATENCIES> {
        &mut self.pending
    }

    /// The limit as it is to be, whole.
    pub(super) fn limit(&self) -> u32 {
        (self.limit.round() as u32).clamp(self.config.min, self.config.max)
    }

    /// Closes the window, if it has enough calls.
    pub(super) fn close(&mut self, in_flight: u32, now: Time) -> Closed {
        if self.pending.calls() < self.needed() {
            return Closed::TooFew;
        }
        let window = Window::of(&std::mem::take(&mut self.pending));
        let (before, since) = (self.limit(), self.since);
        self.decide(&window, in_flight, since, now);
        self.last = window;
        self.seen.windows += 1;
        self.since = now;
        let after = self.limit();
        let settling = if after == before { Duration::ZERO } else { self.settling() };
        self.since = now + settling;
        Closed::Over { counting_from: self.since, lowered: after < before }
    }

    /// The calls that a window needs. Congestion needs no more than there can be at a time.
    fn needed(&self) -> u64 {
        let usual = u64::from(self.config.min_samples);
        if self.pending.congested > 0 {
            return usual.min(u64::from(self.limit()));
        }
        let usual = self.memory.needs(usual);
        if self.baseline.is_dipping() { DIP_SAMPLES * usual } else { usual }
    }

    /// As long as a call takes.
    fn settling(&self) -> Duration {
        Duration::from_nanos(self.last.mean as u64).min(LONGEST_SETTLING)
    }

    fn decide(&mut self, window: &Window, in_flight: u32, since: Time, now: Time) {
        if window.congestion() > self.config.tolerated {
            return self.back_off();
        }
        let seconds = now.since(since).as_secs_f64().max(1e-9);
        let throughput = window.measured as f64 / seconds;
        if let Some(dip) = self.baseline.end_dip() {
            return self.look(dip, window, throughput, now);
        }
        self.learn(window, now);
        // Who does not come near the limit does not find out whether it is right.
        if 2.0 * f64::from(window.peak) < self.limit.floor() {
            return;
        }
        if self.may_dip(window, now) {
            self.baseline.dip(self.limit, window, throughput);
            self.seen.probes += 1;
            self.limit = (self.limit / 2.0).max(self.config.min.into());
            return;
        }
        self.step(window, in_flight, throughput);
    }

    /// The end of a dip.
    fn look(&mut self, dip: Dip, window: &Window, throughput: f64, now: Time) {
        if self.baseline.look(dip, window, throughput, now) {
            self.limit = dip.limit;
        }
        self.memory.relearn(self.baseline.or(window.mean), window, baseline::LOOK_WEIGHT);
    }

    fn learn(&mut self, window: &Window, now: Time) {
        if self.limit() == self.config.min {
            // Fewer there cannot be.
            self.baseline.adopt(window, baseline::WEIGHT);
            self.memory.relearn(self.baseline.or(window.mean), window, baseline::NEW_WEIGHT);
        } else if 2.0 * f64::from(window.peak) < self.limit {
            self.baseline.learn_quiet(window, now);
            self.memory.relearn(self.baseline.or(window.mean), window, baseline::WEIGHT);
        } else {
            self.baseline.learn(window, self.limit);
        }
        if self.seen.windows < FIRST {
            // Of the calls that began in it, a first window has only those that were fast enough to end in it.
            self.baseline.begin(window);
        }
    }

    fn step(&mut self, window: &Window, in_flight: u32, throughput: f64) {
        let view = View {
            window,
            limit: self.limit,
            baseline: self.baseline.or(window.mean),
            throughput,
            is_full: in_flight >= self.limit(),
        };
        let next = self.memory.step(&view);
        self.change(next.max(self.limit / MOST).min(self.limit * MOST + MOST));
    }

    fn may_dip(&self, window: &Window, now: Time) -> bool {
        self.memory.probes()
            && self.limit() > self.config.min
            && self.baseline.is_due(window, self.limit, now, self.config.probe_every)
    }

    fn back_off(&mut self) {
        self.baseline.end_dip();
        let limit = self.limit * self.config.backoff;
        // At least one less, however small it is.
        self.change(limit.min(self.limit - 1.0));
    }

    fn change(&mut self, limit: f64) {
        let before = self.limit();
        self.limit = limit.max(self.config.min.into()).min(self.config.max.into());
        match self.limit().cmp(&before) {
            std::cmp::Ordering::Greater => self.seen.increases += 1,
            std::cmp::Ordering::Less => self.seen.decreases += 1,
            std::cmp::Ordering::Equal => {}
        }
    }

    /// Takes other settings. What was learned stays, but for that of another algorithm.
    pub(super) fn reconfigure(&mut self, config: Config) {
        if config.algorithm != self.config.algorithm {
            self.memory = config.algorithm.memory();
        }
        if let Some(dip) = self.baseline.end_dip() {
            self.limit = dip.limit;
        }
        self.config = config;
        self.limit = self.limit.max(self.config.min.into()).min(self.config.max.into());
    }

    pub(super) fn memory(&self) -> (f64, Option<Duration>) {
        // Of a look, that to which it goes back.
        (self.baseline.dip_limit().unwrap_or(self.limit), self.baseline.value())
    }

    pub(super) fn resume(&mut self, limit: f64, baseline: Option<Duration>) {
        self.baseline.end_dip();
        if limit.is_finite() {
            self.limit = limit.max(self.config.min.into()).min(self.config.max.into());
        }
        if let Some(baseline) = baseline {
            self.baseline.resume(baseline);
        }
    }

    /// The latency by which calls are told that hang.
    pub(super) fn usual(&self) -> f64 {
        self.baseline.or(self.last.mean)
    }

    pub(super) fn status(&self) -> Status {
        let latency = (self.last.measured > 0).then(|| Duration::from_nanos(self.last.mean as u64));
        let Seen { windows, increases, decreases, probes } = self.seen;
        Status {
            limit: self.limit(),
            in_flight: 0,
            baseline: self.baseline.value(),
            latency,
            is_probing: self.baseline.is_dipping(),
            windows,
            increases,
            decreases,
            probes,
            mode: self.config.mode,
        }
    }
}
