//! What all keys of a keyed breaker have in common.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use portcullis_core::{
    Name, PolicyKind, Reason, Rejection, Time,
    breaker::{Env, Machine, Refusal, Settings, State, Transition},
};

use super::{agenda::Agenda, one::One};
use crate::{
    breaker::{
        BreakerGroup,
        driver::{Driven, Driver},
        world::Dice,
    },
    clock,
    event::Emitter,
    keyed::Key,
};

/// Shared by all keys.
pub(super) struct Common<K> {
    pub(super) name: Name,
    pub(super) settings: Arc<Settings>,
    pub(super) dice: Dice,
    pub(super) emitter: Emitter,
    pub(super) group: Option<BreakerGroup>,
    /// Keys.
    pub(super) census: PerState,
    /// Calls that were refused, or would have been.
    pub(super) refused: PerState,
    pub(super) spared: PerState,
    /// In front of all keys: closed, or isolated by hand.
    pub(super) gate: Machine,
    /// For automatic transitions.
    pub(super) agenda: Agenda<K>,
    pub(super) driver: Driver<Self>,
}

/// Counts by state. Who enters and who leaves may be told out of order: sums do not mind.
#[derive(Default)]
pub(super) struct PerState([AtomicI64; State::ALL.len()]);

impl PerState {
    pub(super) fn enter(&self, state: State) {
        self.0[state as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn leave(&self, state: State) {
        self.0[state as usize].fetch_sub(1, Relaxed);
    }

    /// In the order of [`State::ALL`].
    pub(super) fn counts(&self) -> [u64; State::ALL.len()] {
        self.0.each_ref().map(|count| count.load(Relaxed).try_into().unwrap_or(0))
    }
}

impl<K: Key> Common<K> {
    /// Whether the gate lets calls pass.
    #[inline]
    pub(super) fn enter(&self) -> Result<(), Rejection> {
        if self.gate.is_closed() { Ok(()) } else { self.enter_slow() }
    }

    #[cold]
    #[inline(never)]
    fn enter_slow(&self) -> Result<(), Rejection> {
        // It holds nothing: the gate is never half-open.
        match self.gate.admit(0, &AtGate(self)) {
            Ok(_) => Ok(()),
            Err(refusal) => Err(self.reject(&self.name, &refusal)),
        }
    }

    /// A refusal in this name, which is the policy's or a key's.
    pub(super) fn reject(&self, name: &Name, refusal: &Refusal) -> Rejection {
        self.refused.enter(refusal.evidence.state);
        let rejection = match (refusal.evidence.state, self.emitter.why_stopped()) {
            (State::Isolated, Some(why)) => {
                Rejection::new(name.clone(), Reason::Stopped { kind: PolicyKind::Breaker, why })
            }
            _ => rejection(name, refusal),
        };
        self.emitter.rejected(&rejection, true);
        rejection
    }

    /// Whether every call is refused by hand.
    pub(super) fn is_isolated(&self) -> bool {
        self.gate.is_refusing(&AtGate(self))
    }

    /// Refuses everything, for a time.
    pub(super) fn isolate(&self, time: Option<Duration>) {
        self.gate.isolate(time, &AtGate(self));
    }

    /// Ends that.
    pub(super) fn release(&self) {
        self.gate.release(&AtGate(self));
    }

    /// The state of a key may end by time, from now on at another.
    pub(super) fn watch(&self, key: &Arc<One<K>>) {
        // Else it would be kept for a task that never comes.
        if self.is_automatic() && self.driver.can_drive() {
            self.agenda.add(key);
            self.driver.wake();
        }
    }
}

/// What the gate asks of the world.
struct AtGate<'a, K>(&'a Common<K>);

impl<K> Env for AtGate<'_, K> {
    fn now(&self) -> Time {
        clock::now()
    }

    fn moved(&self, transition: &Transition) {
        self.0.emitter.state_change(transition);
    }
}

/// A refusal in this name.
pub(super) fn rejection(name: &Name, refusal: &Refusal) -> Rejection {
    Rejection::new(name.clone(), Reason::Breaker(refusal.evidence)).with_retry_after(refusal.retry_after)
}

impl<K: Key> Driven for Common<K> {
    fn is_automatic(&self) -> bool {
        self.settings.config().automatic
    }

    fn tick(&self) -> Option<Time> {
        if !self.is_automatic() {
            self.agenda.clear();
            return None;
        }
        self.agenda.tick()
    }

    fn driver(&self) -> &Driver<Self> {
        &self.driver
    }
}
