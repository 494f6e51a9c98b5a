//! What the documentation says, computed from the whole history by nothing clever.

mod admit;
mod manual;
mod settle;
mod status;
mod windows;

use std::time::Duration;

use self::windows::Ended;
pub(super) use self::windows::end_of;
use super::world::World;
use crate::{
    BreakerEvidence, FailureKind, Time,
    breaker::{
        Config, Env, Mode, Opening, State, Transition, WindowStatus, evidence::Trip, state::MILLIS_MAX,
    },
};

/// The settings, which several breakers may share.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub(super) config: Config,
    /// How many times they were replaced.
    pub(super) version: u64,
}

/// Where and when something happens.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) live: &'a Live,
    pub(super) world: &'a World,
    pub(super) shard: usize,
}

/// A breaker, by its documentation.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) state: State,
    epoch: u64,
    pub(super) since: Time,
    /// Open: when it may probe. Half-open, recovering: since when. Override: when it ends, 0 for never.
    pub(super) time: Time,
    /// Whether calls are told their time.
    timed: bool,
    /// Every call that ended in a window, of every epoch.
    ended: Vec<Ended>,
    /// How many of the epoch's calls were forgotten for good.
    forgotten: usize,
    /// Every probe that was let through, of every epoch.
    probes: Vec<Probe>,
    /// Permits of the epoch.
    permits: u32,
    /// The rules that it goes by; those of now as long as it has nothing to remember.
    memory: Option<Live>,
    /// When the bucket of time ends that each shard counts in, if there are any.
    until: Vec<Option<Time>>,
    trip: Option<Trip>,
    in_a_row: u32,
    last_failure: Option<FailureKind>,
    seen: Seen,
}

/// The totals.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    transitions: u64,
    trips: u64,
    successes: u64,
    failures: u64,
    ignored: u64,
    abandoned: u64,
    refused: u64,
    bypassed: u64,
    late: u64,
    refused_by_state: [u64; State::ALL.len()],
    bypassed_by_state: [u64; State::ALL.len()],
    failures_by_kind: [u64; FailureKind::ALL.len()],
}

#[derive(Clone, Debug)]
struct Probe {
    epoch: u64,
    /// When its lease ends.
    end: Time,
    /// Whether its permit is back.
    back: bool,
    /// Whether it succeeded, if it did either.
    worked: Option<bool>,
}

/// An admission as the model knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    epoch: u64,
    pub(super) kind: Kind,
    pub(super) started: Time,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Plain,
    Timed,
    /// Which one.
    Probe(usize),
    Ramp,
    Bypass,
    Untracked,
}

impl Call {
    pub(super) fn is_probe(&self) -> bool {
        matches!(self.kind, Kind::Probe(_))
    }

    pub(super) fn is_bypass(&self) -> bool {
        matches!(self.kind, Kind::Bypass | Kind::Untracked)
    }
}

/// Why it opens.
#[derive(Clone, Copy)]
enum Why {
    Rule(Trip),
    ByHand,
    /// For the same reason as before.
    Still,
}

/// As the breaker keeps its times: in whole milliseconds, and for 557 years.
fn kept(time: Time) -> Time {
    Time::from_millis(time.as_millis().min(MILLIS_MAX))
}

impl Model {
    pub(super) fn new(live: &Live, born: Time, shards: usize) -> Self {
        let config = &live.config;
        let disabled = config.mode == Mode::Disabled;
        Self {
            state: if disabled { State::Disabled } else { State::Closed },
            epoch: 0,
            since: born,
            time: Time::ORIGIN,
            timed: is_timed(config),
            ended: Vec::new(),
            forgotten: 0,
            probes: Vec::new(),
            permits: config.permits,
            memory: None,
            until: vec![config.time_window.map(|_| Time::ORIGIN); shards],
            trip: None,
            in_a_row: 0,
            last_failure: None,
            seen: Seen::default(),
        }
    }

    fn go(&mut self, to: State, time: Time, at: Time, scene: Scene<'_>) {
        let from = std::mem::replace(&mut self.state, to);
        self.epoch += 1;
        self.since = at;
        self.time = kept(time);
        self.forgotten = 0;
        self.permits = scene.live.config.permits;
        self.seen.transitions += 1;
        scene.world.moved(&Transition {
            from,
            to,
            at,
            evidence: self.evidence(),
            retry_in: (to == State::Open).then(|| self.time.since(at)),
        });
    }

    fn open(&mut self, why: Why, at: Time, scene: Scene<'_>) {
        let config = &scene.live.config;
        let stable = self.state == State::Closed && at.since(self.since) >= config.open_reset_after;
        self.in_a_row = if stable { 1 } else { self.in_a_row + 1 };
        self.seen.trips += 1;
        let mut advised = self.advised(at);
        match why {
            Why::Rule(trip) => self.trip = Some(trip),
            Why::ByHand => (self.trip, advised) = (None, Duration::ZERO),
            Why::Still => {}
        }
        let time = self.open_time(advised, scene).max(advised.min(longest(config)));
        self.go(State::Open, at + time, at, scene);
    }

    fn open_time(&self, advised: Duration, Scene { live, world, .. }: Scene<'_>) -> Duration {
        let config = &live.config;
        let opening = Opening {
            times: self.in_a_row,
            window: self.tripped(),
            last_failure: self.last_failure,
            advised,
        };
        if let Some(time) = config.open_time.as_ref().and_then(|function| function.of(&opening)) {
            return time.clamp(MILLI, 24 * 60 * 60 * 1000 * MILLI);
        }
        let grown = config.open_for.as_nanos() as f64 * config.open_factor.powi(opening.times as i32 - 1);
        let capped = (grown as u64).min(longest(config).as_nanos() as u64);
        if config.open_jitter == 0.0 {
            return Duration::from_nanos(capped);
        }
        let less = capped as f64 * config.open_jitter * world.draw();
        Duration::from_nanos(capped - less as u64).max(MILLI)
    }

    /// The window that opened it.
    fn tripped(&self) -> WindowStatus {
        self.trip.map(|trip| trip.window).unwrap_or_default()
    }

    /// What it tells whom it refuses.
    fn evidence(&self) -> BreakerEvidence {
        let WindowStatus { calls, failures, slow } = self.tripped();
        BreakerEvidence {
            state: self.state,
            cause: self.trip.map(|trip| trip.cause),
            limit: self.trip.map_or(0.0, |trip| trip.limit),
            failures,
            slow,
            calls,
            last_failure: self.last_failure,
        }
    }

    /// The end of the first lease, if all permits are leased.
    fn first_end(&self) -> Option<Time> {
        let leased = self.probes_of_epoch().filter(|probe| !probe.back);
        let ends: Vec<Time> = leased.map(|probe| probe.end).collect();
        ends.iter().min().copied().filter(|_| ends.len() >= self.permits as usize)
    }

    fn probes_of_epoch(&self) -> impl Iterator<Item = &Probe> {
        self.probes.iter().filter(|probe| probe.epoch == self.epoch)
    }

    fn override_end(&self) -> Option<Time> {
        (self.state.is_override() && self.time != Time::ORIGIN).then_some(self.time)
    }

    /// Whether it is as if closed.
    fn keeps_windows(&self) -> bool {
        matches!(self.state, State::Closed | State::MetricsOnly)
    }
}

const MILLI: Duration = Duration::from_millis(1);

fn longest(config: &Config) -> Duration {
    config.open_cap.max(config.open_for)
}

fn is_timed(config: &Config) -> bool {
    config.hung_after.is_some() || config.slow_calls.is_some()
}
