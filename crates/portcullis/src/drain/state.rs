//! The state of a drain, and how it goes on.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{
            AtomicU8, AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
        },
    },
    time::Duration,
};

use portcullis_core::{
    ConfigError, Name, PolicyKind, Reason, Rejection, Time,
    drain::{Config, End, Gate, Phase, Place, Roll, Shut},
};
use tokio::{runtime::Handle, sync::watch};

use super::{DrainStatus, Report, measure, task};
use crate::{
    Registry, clock,
    event::Emitter,
    live::Live,
    metrics::Measures,
    registry::{Policy, Snapshot},
    shard,
};

pub(super) struct Shared {
    gate: Gate,
    /// Who is in flight, by shard; none when that is not to be noted.
    rolls: Box<[Roll]>,
    /// The phase, for calls to look at.
    pub(super) phase: AtomicU8,
    pub(super) phases: watch::Sender<Phase>,
    retry_after: AtomicU64,
    rejected: AtomicU64,
    /// When it began, and how many were in flight when it began to refuse.
    began: AtomicU64,
    in_flight: AtomicU64,
    report: OnceLock<Report>,
    pub(super) config: Live<Config>,
    announce: Box<dyn Fn() + Send + Sync>,
    pub(super) emitter: Emitter,
}

impl Shared {
    pub(super) fn new(
        name: Name,
        config: Config,
        named: bool,
        announce: Box<dyn Fn() + Send + Sync>,
        registry: &Registry,
    ) -> Self {
        let rolls = if named { shard::count() } else { 0 };
        Self {
            gate: Gate::new(shard::count()),
            rolls: (0..rolls).map(|_| Roll::default()).collect(),
            phase: AtomicU8::new(Phase::Serving as u8),
            phases: watch::Sender::new(Phase::Serving),
            retry_after: AtomicU64::new(nanos(config.retry_after)),
            rejected: AtomicU64::new(0),
            began: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            report: OnceLock::new(),
            config: Live::new(config),
            announce,
            emitter: Emitter::new(name, PolicyKind::Drain, registry),
        }
    }

    pub(super) fn begin(self: &Arc<Self>) -> bool {
        let began = self.announce();
        if began {
            let announce = self.config.load().announce;
            match Handle::try_current() {
                Ok(runtime) => {
                    let (drain, phases) = (Arc::downgrade(self), self.phases.subscribe());
                    drop(runtime.spawn(task::run(drain, phases, announce)));
                }
                Err(_no_runtime) => {
                    self.refuse();
                }
            }
        }
        began
    }

    pub(super) fn end(&self) {
        self.announce();
        self.refuse();
        self.finish(End::Forced);
    }

    /// Lets a call in by the door of this shard.
    #[inline(always)]
    pub(super) fn enter(&self, shard: usize, name: &str) -> Result<Option<Place>, Rejection> {
        match self.gate.enter(shard) {
            Ok(()) => {
                let roll = self.rolls.get(shard);
                Ok(roll.and_then(|roll| roll.write(name.as_bytes(), clock::coarse())))
            }
            Err(shut) => Err(self.reject(shut)),
        }
    }

    pub(super) fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        config.check()?;
        let retry_after = nanos(config.retry_after);
        self.config.update(|_| Ok(config))?;
        self.retry_after.store(retry_after, Relaxed);
        self.emitter.config_changed();
        Ok(())
    }

    pub(super) fn name(&self) -> &Name {
        self.emitter.name()
    }

    #[inline(always)]
    pub(super) fn is_serving(&self) -> bool {
        self.phase.load(Relaxed) == Phase::Serving as u8
    }

    #[inline]
    pub(super) fn leave(&self, shard: usize, place: Option<Place>) {
        if let (Some(roll), Some(place)) = (self.rolls.get(shard), place) {
            roll.strike(place);
        }
        if self.gate.leave(shard) {
            self.finish(End::Finished);
        }
    }

    #[cold]
    #[inline(never)]
    fn reject(&self, shut: Shut) -> Rejection {
        if shut.empty {
            self.finish(End::Finished);
        }
        self.rejected.fetch_add(1, Relaxed);
        let after = Duration::from_nanos(self.retry_after.load(Relaxed));
        let rejection = Rejection::new(self.name().clone(), Reason::Draining).with_retry_after(Some(after));
        self.emitter.rejected(&rejection, true);
        rejection
    }

    /// Serving => Announced. Readiness fails first, and then all others are told.
    fn announce(&self) -> bool {
        if !self.is_serving() {
            return false;
        }
        (self.announce)();
        // Of two who come here at once, both have said so, and one began.
        let _first = self.began.compare_exchange(0, clock::now().as_nanos().max(1), AcqRel, Relaxed);
        self.turn(Phase::Announced)
    }

    /// Announced => Refusing; how long it waits from now on. If nobody is inside, it is over.
    pub(super) fn refuse(&self) -> Duration {
        let inside = self.gate.in_flight();
        let _first = self.in_flight.compare_exchange(0, inside, AcqRel, Relaxed);
        let empty = self.gate.close();
        self.turn(Phase::Refusing);
        if empty {
            self.finish(End::Finished);
        }
        self.config.load().grace
    }

    /// It is over, unless it is already.
    pub(super) fn finish(&self, by: End) {
        if self.report.get().is_none() && self.report.set(self.report(by)).is_ok() {
            self.turn(Phase::Ended);
        }
    }

    /// Goes on to this phase, unless it is there or beyond; whether it did.
    fn turn(&self, to: Phase) -> bool {
        let turned = self.phases.send_if_modified(|now| {
            let forward = *now < to;
            if forward {
                *now = to;
                self.phase.store(to as u8, Release);
            }
            forward
        });
        if turned {
            self.emitter.drain_changed(to, self.gate.in_flight());
        }
        turned
    }

    /// What was reported, once it is over.
    pub(super) fn reported(&self) -> Report {
        self.report.get().cloned().unwrap_or_else(|| self.report(End::Finished))
    }

    fn report(&self, by: End) -> Report {
        let now = clock::now();
        // Nobody is inside who was let in; a call that is being refused at this moment is counted for that moment.
        let unfinished = if by == End::Finished { 0 } else { self.gate.in_flight() };
        let rolls = if unfinished == 0 { &[][..] } else { &self.rolls };
        let mut named: Vec<_> = rolls.iter().flat_map(|roll| roll.seen(now)).collect();
        named.sort_by(|a, b| b.ran.cmp(&a.ran).then_with(|| a.name.cmp(&b.name)));
        Report {
            by: if unfinished == 0 { End::Finished } else { by },
            took: now.since(Time::from_nanos(self.began.load(Acquire))),
            in_flight: self.in_flight.load(Acquire),
            refused: self.rejected.load(Relaxed),
            unfinished,
            named,
        }
    }

    pub(super) fn status(&self) -> DrainStatus {
        DrainStatus {
            phase: *self.phases.borrow(),
            in_flight: self.gate.in_flight(),
            rejected: self.rejected.load(Relaxed),
        }
    }
}

impl Policy for Shared {
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        Some((&*self.config.load()).into())
    }

    fn measure(&self, into: &mut dyn Measures) {
        measure::measure(&self.status(), into);
    }

    fn snapshot(&self) -> Snapshot {
        measure::snapshot(self.name(), &self.status())
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.emitter)
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
