//! One key's breaker.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use portcullis_core::{
    Name, Rejection, Time,
    breaker::{Admission, Env, Machine, Mode, Refusal, State, Transition},
};

use super::common::{Common, rejection};
use crate::{
    clock,
    keyed::{Entry, Key, KeyedValue},
    shard,
};

/// No time is as late.
const NEVER: u64 = u64::MAX;

/// A key with its breaker, as the map has it.
pub(super) type One<K> = Entry<K, OneKey<K>>;

/// The breaker of a key. There may be a million of them: what a key needs only when something is wrong with
/// it is made then.
pub(crate) struct OneKey<K> {
    pub(super) machine: Machine,
    pub(super) common: Arc<Common<K>>,
    odd: OnceLock<Box<Odd>>,
}

/// What a key has that was not closed once.
pub(super) struct Odd {
    pub(super) name: Name,
    /// When it has to be looked at next, in nanoseconds.
    due: AtomicU64,
}

impl<K> OneKey<K> {
    pub(super) fn new(common: &Arc<Common<K>>, now: Time) -> Self {
        let machine = Machine::small(common.settings.clone()).closed_since(now);
        common.census.enter(machine.state());
        if let Some(group) = &common.group {
            group.enter(machine.state());
        }
        Self { machine, common: common.clone(), odd: OnceLock::new() }
    }
}

impl<K> Drop for OneKey<K> {
    fn drop(&mut self) {
        let state = self.machine.state();
        self.common.census.leave(state);
        if let Some(group) = &self.common.group {
            group.leave(state);
        }
    }
}

impl<K> KeyedValue for OneKey<K> {
    fn may_go(&self, now: Time, idle: bool) -> bool {
        match self.machine.state() {
            // What it has seen of failures is little: it did not open.
            State::Closed => true,
            // A new one would begin with it too.
            State::Disabled if self.common.settings.config().mode == Mode::Disabled => true,
            // Nobody has come for longer than a probe may take.
            State::HalfOpen => idle,
            // Nobody has come since it was over, or else who comes next would find another state.
            _ => idle && self.machine.is_due(now),
        }
    }
}

impl<K: Key> One<K> {
    /// As a call sees it.
    #[inline]
    pub(super) fn world(self: &Arc<Self>) -> World<'_, K> {
        World { one: self, retry: false }
    }

    /// As a further attempt of a call sees it.
    pub(super) fn world_of(self: &Arc<Self>, retry: bool) -> World<'_, K> {
        World { one: self, retry }
    }

    /// Asks for a call of a key that is not closed, or is timed.
    #[cold]
    #[inline(never)]
    pub(super) fn admit_slow(self: &Arc<Self>, retry: bool) -> Result<Admission, Rejection> {
        let OneKey { machine, common, .. } = self.value();
        machine
            .admit(shard::current(), &self.world_of(retry))
            .map_err(|refusal| common.reject(&self.odd().name, &refusal))
    }

    /// Takes over what the settings are by now; `before` was their mode.
    pub(super) fn refresh(self: &Arc<Self>, before: Mode) {
        let OneKey { machine, common, .. } = self.value();
        machine.refresh(&self.world());
        machine.follow_mode(before, &self.world());
        if machine.state() != State::Closed {
            common.watch(self);
        }
    }

    /// Made when it first leaves closed, before anybody is refused.
    pub(super) fn odd(&self) -> &Odd {
        self.value().odd.get_or_init(|| {
            let name = Name::from(format!("{}/{}", self.value().common.name, self.key()));
            Box::new(Odd { name, due: AtomicU64::new(NEVER) })
        })
    }

    /// Does what is due; returns when to look again, unless that is known already.
    pub(super) fn tick(self: &Arc<Self>) -> Option<Time> {
        let due = self.value().machine.tick(&self.world());
        let nanos = due.map_or(NEVER, Time::as_nanos);
        due.filter(|_| self.odd().due.swap(nanos, Relaxed) != nanos)
    }

    /// Whether it was to be looked at then; now it is.
    pub(super) fn is_due_at(&self, at: Time) -> bool {
        self.odd().due.compare_exchange(at.as_nanos(), NEVER, Relaxed, Relaxed).is_ok()
    }
}

/// What a key's breaker asks of the world, as one call sees it.
pub(super) struct World<'a, K> {
    one: &'a Arc<One<K>>,
    retry: bool,
}

impl<K: Key> Env for World<'_, K> {
    #[inline]
    fn now(&self) -> Time {
        clock::now()
    }

    #[inline]
    fn coarse(&self) -> Time {
        clock::coarse()
    }

    fn random(&self) -> u64 {
        self.one.value().common.dice.draw()
    }

    fn is_retry(&self) -> bool {
        self.retry
    }

    fn waives(&self, _: State) -> bool {
        let common = &self.one.value().common;
        common.group.as_ref().is_some_and(|group| group.waives(&common.dice))
    }

    fn spared(&self, refusal: &Refusal) {
        let Common { spared, emitter, .. } = &*self.one.value().common;
        spared.enter(refusal.evidence.state);
        if emitter.is_heard() {
            emitter.rejected(&rejection(&self.one.odd().name, refusal), false);
        }
    }

    fn moved(&self, transition: &Transition) {
        let common = &self.one.value().common;
        common.census.leave(transition.from);
        common.census.enter(transition.to);
        if let Some(group) = &common.group {
            group.moved(transition.from, transition.to);
        }
        let name = &self.one.odd().name;
        common.watch(self.one);
        // Last: a listener may do anything, and what it does comes after this.
        common.emitter.key_state_change(name, transition);
    }
}
