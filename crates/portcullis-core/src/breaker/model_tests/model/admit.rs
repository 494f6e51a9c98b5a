//! Whether a call may go.

use std::time::Duration;

use super::{Call, Kind, MILLI, Model, Probe, Scene, State, Why, is_timed};
use crate::{
    FailureKind, Time,
    breaker::{Env, Mode, Refusal},
};

impl Model {
    pub(crate) fn admit(&mut self, scene: Scene<'_>) -> Result<Call, Refusal> {
        let (now, first) = (scene.world.now(), self.epoch);
        loop {
            let (state, epoch) = (self.state, self.epoch);
            let refused = match state {
                // Who closed it looked at the settings.
                State::Closed => return Ok(self.timed_call(self.timed || epoch != first, scene)),
                State::MetricsOnly if !self.is_over(now) => return Ok(self.timed_call(true, scene)),
                State::ForcedClosed if !self.is_over(now) => return Ok(self.call(Kind::Bypass, scene)),
                State::Disabled if !self.is_over(now) => return Ok(self.call(Kind::Untracked, scene)),
                State::Isolated if !self.is_over(now) => self.override_end().map(|end| end.since(now)),
                State::Open => match self.wait(scene) {
                    Some(wait) => Some(wait),
                    None => {
                        self.go(State::HalfOpen, now, now, scene);
                        None
                    }
                },
                State::HalfOpen if self.ends_half_open(scene) => None,
                State::HalfOpen => match self.probe(scene) {
                    Ok(probe) => return Ok(probe),
                    Err(wait) => Some(wait),
                },
                State::Recovering => match self.recovering_wait(scene) {
                    None => return Ok(self.call(Kind::Ramp, scene)),
                    wait => wait,
                },
                _ => {
                    self.go(Self::rest(scene), Time::ORIGIN, self.time, scene);
                    None
                }
            };
            if self.epoch == epoch {
                return self.turn_away(refused, scene);
            }
        }
    }

    fn call(&self, kind: Kind, scene: Scene<'_>) -> Call {
        Call { epoch: self.epoch, kind, started: scene.world.now() }
    }

    fn timed_call(&self, timed: bool, scene: Scene<'_>) -> Call {
        let timed = timed && is_timed(&scene.live.config);
        self.call(if timed { Kind::Timed } else { Kind::Plain }, scene)
    }

    /// Whether an override has ended.
    fn is_over(&self, now: Time) -> bool {
        self.override_end().is_some_and(|end| now >= end)
    }

    /// How long until an open breaker may probe, by the coarse clock unless that might be too long.
    fn wait(&self, Scene { world, .. }: Scene<'_>) -> Option<Duration> {
        let near = self.time <= world.coarse() + 20 * MILLI;
        let now = if near { world.now() } else { world.coarse() };
        (now < self.time).then(|| self.time.since(now))
    }

    /// Opens a half-open breaker that waited for too long.
    fn ends_half_open(&mut self, scene: Scene<'_>) -> bool {
        let now = scene.world.now();
        // Times end where the word's do.
        let end_of_time = super::kept(Time::from_nanos(u64::MAX));
        let max = scene.live.config.max_half_open;
        if let Some(max) = max.filter(|&max| now.min(end_of_time).since(self.time) >= max) {
            self.open(Why::Still, self.time + max, scene);
            return true;
        }
        let Some(end) = self.first_end().filter(|&end| end <= now) else { return false };
        self.count_failure(FailureKind::Timeout);
        self.last_failure = Some(FailureKind::Timeout);
        self.open(Why::Still, end, scene);
        true
    }

    fn probe(&mut self, scene: Scene<'_>) -> Result<Call, Duration> {
        let (config, now) = (&scene.live.config, scene.world.now());
        let first_end = self.first_end().map(|end| end.since(now));
        // By lot, unless it is certain.
        if config.probe_chance < 1.0 && scene.world.draw() >= config.probe_chance {
            return Err(first_end.unwrap_or_default());
        }
        if let Some(wait) = first_end {
            return Err(wait);
        }
        let end = Time::from_millis((now + config.lease).as_millis());
        self.probes.push(Probe { epoch: self.epoch, end, back: false, worked: None });
        Ok(self.call(Kind::Probe(self.probes.len() - 1), scene))
    }

    fn recovering_wait(&self, Scene { live, world, .. }: Scene<'_>) -> Option<Duration> {
        let ramp = live.config.ramp?;
        let age = world.now().since(self.time);
        if age >= ramp {
            return None;
        }
        let share = 0.1 + 0.9 * (age.as_nanos() as f64 / ramp.as_nanos() as f64);
        (world.draw() >= share).then(|| (ramp - age).min(ramp / 10))
    }

    /// Refused, unless the mode or the world lets it pass.
    fn turn_away(&mut self, wait: Option<Duration>, scene: Scene<'_>) -> Result<Call, Refusal> {
        let (config, world) = (&scene.live.config, scene.world);
        let spared = config.only_retries && !world.is_retry();
        let enforced = || match config.mode {
            Mode::Shadow => false,
            Mode::EnforcePercent(100) | Mode::Enforce | Mode::Disabled => true,
            Mode::EnforcePercent(percent) => world.draw() < f64::from(percent) / 100.0,
        };
        if self.state != State::Isolated && (spared || !enforced() || world.waives(self.state)) {
            self.seen.bypassed += 1;
            self.seen.bypassed_by_state[self.state as usize] += 1;
            return Ok(self.call(Kind::Bypass, scene));
        }
        Err(self.refused(wait))
    }

    fn refused(&mut self, retry_after: Option<Duration>) -> Refusal {
        self.seen.refused += 1;
        self.seen.refused_by_state[self.state as usize] += 1;
        Refusal { evidence: self.evidence(), retry_after }
    }

    /// Whether a call would be refused for certain, whatever the lot and the mode, and for how long.
    pub(crate) fn refusing(&mut self, scene: Scene<'_>) -> Option<Option<Duration>> {
        let (config, now) = (&scene.live.config, scene.world.now());
        let lenient = match config.mode {
            Mode::Shadow => true,
            Mode::EnforcePercent(percent) => percent < 100,
            _ => false,
        };
        if self.state == State::Isolated {
            return (!self.is_over(now)).then(|| self.override_end().map(|end| end.since(now)));
        }
        if lenient || config.only_retries {
            return None;
        }
        if self.state == State::Open {
            return self.wait(scene).map(Some);
        }
        if self.state != State::HalfOpen {
            return None;
        }
        if self.ends_half_open(scene) {
            return (now < self.time).then(|| Some(self.time.since(now)));
        }
        self.first_end().map(|end| Some(end.since(now)))
    }

    /// The refusal of a call, when it was seen coming.
    pub(crate) fn refuse(&mut self, scene: Scene<'_>) -> Option<Refusal> {
        let wait = self.refusing(scene)?;
        Some(self.refused(wait))
    }

    /// Does what is due, and says when next.
    pub(crate) fn tick(&mut self, scene: Scene<'_>) -> Option<Time> {
        let now = scene.world.now();
        loop {
            if self.state == State::HalfOpen && self.ends_half_open(scene) {
                continue;
            }
            let due = self.due(scene)?;
            match self.state {
                _ if now < due => return Some(due),
                // At the end of time, where leases end at once.
                State::HalfOpen => return Some(due),
                State::Open => self.go(State::HalfOpen, now, now, scene),
                State::Recovering => self.go(State::Closed, Time::ORIGIN, now, scene),
                _ => self.go(Self::rest(scene), Time::ORIGIN, due, scene),
            }
        }
    }

    /// When the state ends by itself.
    pub(crate) fn due(&self, scene: Scene<'_>) -> Option<Time> {
        let config = &scene.live.config;
        match self.state {
            State::Closed => None,
            State::Open => Some(self.time),
            State::HalfOpen => {
                let max = config.max_half_open.map(|max| self.time + max);
                // All permits may be leased at once, when that is free.
                let lease = self.first_end().unwrap_or(scene.world.now() + config.lease);
                max.into_iter().chain([lease]).min()
            }
            State::Recovering => config.ramp.map(|ramp| self.time + ramp),
            _ => self.override_end(),
        }
    }
}
