//! A policy's voice.

use std::sync::{
    Arc, Mutex,
    atomic::{
        AtomicU32, AtomicU64,
        Ordering::{AcqRel, Relaxed, Release},
    },
};

use portcullis_core::{
    Name, Overload, PolicyKind, Reason, Rejection, Time,
    breaker::{State, Transition},
    drain::Phase,
    health::Level,
    outlier::Change,
};

use super::{Event, EventKind, Hub, KEPT_PER_POLICY, hub::lock, ring::Ring};
use crate::{
    clock,
    registry::{Snapshot, Value, reasons},
    restart::{Kept, Saved},
};

/// What a policy tells its registry with, and where its own last events are kept.
///
/// None of the methods may be called under a lock that a listener could want: that is, under any.
///
/// ```
/// use portcullis::{Name, PolicyKind, Registry, event::Emitter};
///
/// let registry = Registry::new();
/// let emitter = Emitter::new(Name::from("mine"), PolicyKind::Breaker, &registry);
/// emitter.config_changed();
/// assert_eq!(registry.events().recent(), emitter.recent());
/// ```
#[derive(Debug)]
pub struct Emitter {
    name: Name,
    kind: PolicyKind,
    hub: Hub,
    /// The number of the reason for which the policy was stopped; 0 while it is not.
    stopped: AtomicU32,
    /// Calls that were refused because of that.
    refused: AtomicU64,
    own: Mutex<Own>,
}

/// Only of changes, so the lock is short and rarely wanted.
#[derive(Debug)]
struct Own {
    kept: Ring,
    /// The few pairs of states that occur.
    transitions: Vec<(State, State, u64)>,
}

impl Emitter {
    /// The voice of one policy in this registry.
    pub fn new(name: Name, kind: PolicyKind, registry: &crate::Registry) -> Self {
        let own = Own { kept: Ring::new(KEPT_PER_POLICY), transitions: Vec::new() };
        let (hub, stopped, refused) = (registry.events().clone(), AtomicU32::new(0), AtomicU64::new(0));
        Self { name, kind, hub, stopped, refused, own: Mutex::new(own) }
    }

    /// The policy's name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Tells that the state changed.
    pub fn state_change(&self, transition: &Transition) {
        self.count(transition.from, transition.to);
        self.change(transition.at, EventKind::StateChange(*transition));
    }

    /// Tells that the state of one key of a keyed policy changed, in the name of the key.
    pub fn key_state_change(&self, key: &Name, transition: &Transition) {
        self.count(transition.from, transition.to);
        let what = EventKind::StateChange(*transition);
        self.change_of(Event { policy: key.clone(), ..self.event(transition.at, what) });
    }

    /// Tells that an overload began, or is over.
    pub fn overload_changed(&self, overloaded: bool, signal: Overload, measured: f64, limit: f64) {
        self.change(clock::now(), EventKind::OverloadChanged { overloaded, signal, measured, limit });
    }

    /// Tells that a server that ends goes on to its next phase.
    pub fn drain_changed(&self, phase: Phase, in_flight: u64) {
        self.change(clock::now(), EventKind::DrainChanged { phase, in_flight });
    }

    /// Tells that an endpoint was ejected, or returned.
    pub fn endpoint_changed(&self, change: Change) {
        self.change(clock::now(), EventKind::Endpoint(change));
    }

    /// Tells that what a check looks at is better or worse than it was.
    pub fn health_changed(&self, from: Level, to: Level, message: Option<Arc<str>>) {
        self.change(clock::now(), EventKind::HealthChanged { from, to, message });
    }

    /// Tells that there are new settings.
    pub fn config_changed(&self) {
        self.change(clock::now(), EventKind::ConfigChanged);
    }

    /// Tells that a connection was made, or is gone.
    pub fn connection(&self, connected: bool, failures: u32) {
        self.change(clock::now(), EventKind::Connection { connected, failures });
    }

    /// Stops the policy, which asks [`is_stopped`](Self::is_stopped) before each call, and tells so.
    pub fn stop(&self, why: &str) {
        let number = reasons::number(why);
        if self.stopped.swap(number, Release) != number {
            if let Some(why) = reasons::text(number) {
                self.change(clock::now(), EventKind::Stopped { why });
            }
        }
    }

    /// Lets it go on, and tells so, if it was stopped.
    pub fn release(&self) {
        if self.stopped.swap(0, AcqRel) != 0 {
            self.change(clock::now(), EventKind::Released);
        }
    }

    /// Whether the policy is stopped.
    #[inline(always)]
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Relaxed) != 0
    }

    /// Why it is stopped, if it is.
    pub fn why_stopped(&self) -> Option<&'static str> {
        reasons::text(self.stopped.load(Relaxed))
    }

    /// Writes down whether it is stopped.
    pub(crate) fn save(&self, into: &mut Saved) {
        if let Some(why) = self.why_stopped() {
            into.word("stopped", why);
        }
    }

    /// Why another one was stopped, if it was; this one is by then.
    pub(crate) fn resume<'a>(&self, from: &Kept<'a>) -> Option<&'a str> {
        let why = from.word("stopped")?;
        self.stop(why);
        Some(why)
    }

    /// Calls that were refused by [`stopped`](Self::stopped) since it was built.
    pub fn refused_stopped(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// The refusal of a policy that is stopped, if it is; counted, and told as all are.
    #[cold]
    #[inline(never)]
    pub fn stopped(&self) -> Option<Rejection> {
        self.stopped_as(&self.name)
    }

    /// The same in the name of one key of a keyed policy.
    #[cold]
    #[inline(never)]
    pub fn stopped_as(&self, name: &Name) -> Option<Rejection> {
        let why = self.why_stopped()?;
        self.refused.fetch_add(1, Relaxed);
        let rejection = Rejection::new(name.clone(), Reason::Stopped { kind: self.kind, why });
        self.rejected(&rejection, true);
        Some(rejection)
    }

    /// What a snapshot says beside while the policy is stopped.
    pub(crate) fn marked(&self, mut snapshot: Snapshot) -> Snapshot {
        if let Some(why) = self.why_stopped() {
            snapshot.state = "stopped";
            snapshot.level = snapshot.level.max(Level::Degraded);
            snapshot.values.push(("stopped", Value::Text(why.into())));
        }
        snapshot
    }

    /// Whether anybody hears of refusals. Who has to put one together only to tell it, asks first.
    #[inline]
    pub fn is_heard(&self) -> bool {
        self.hub.has_audience()
    }

    /// Tells of a refusal, in the name of who refused, if anybody wants to know. `enforced` is false when the
    /// call was let through.
    #[inline]
    pub fn rejected(&self, rejection: &Rejection, enforced: bool) {
        if self.is_heard() {
            self.tell_rejected(rejection, enforced);
        }
    }

    #[cold]
    #[inline(never)]
    fn tell_rejected(&self, rejection: &Rejection, enforced: bool) {
        let what = EventKind::Rejected { rejection: rejection.clone(), enforced };
        // A key of a keyed policy refuses in its own name, as it changes in it.
        let policy = rejection.policy().clone();
        self.hub.tell(&self.hub.keep(Event { policy, ..self.event(clock::now(), what) }));
    }

    /// Tells what happens with single calls, if anybody wants to know.
    #[inline]
    pub fn frequent(&self, what: impl FnOnce() -> EventKind) {
        if self.is_heard() {
            self.tell_frequent(what);
        }
    }

    #[cold]
    #[inline(never)]
    fn tell_frequent(&self, what: impl FnOnce() -> EventKind) {
        self.hub.tell(&self.hub.keep(self.event(clock::now(), what())));
    }

    /// The same in the name of one key of a keyed policy.
    #[inline]
    pub fn frequent_of(&self, key: &Name, what: impl FnOnce() -> EventKind) {
        if self.is_heard() {
            let event = self.event(clock::now(), what());
            self.hub.tell(&self.hub.keep(Event { policy: key.clone(), ..event }));
        }
    }

    /// The last [`KEPT_PER_POLICY`] events of this policy, the youngest last. Refusals are not kept.
    pub fn recent(&self) -> Vec<Event> {
        lock(&self.own).kept.to_vec()
    }

    /// How often the state went from one to another.
    pub fn transitions(&self) -> Vec<(State, State, u64)> {
        lock(&self.own).transitions.clone()
    }

    fn count(&self, from: State, to: State) {
        let mut own = lock(&self.own);
        match own.transitions.iter_mut().find(|seen| (seen.0, seen.1) == (from, to)) {
            Some(seen) => seen.2 += 1,
            None => own.transitions.push((from, to, 1)),
        }
    }

    fn change(&self, at: Time, what: EventKind) {
        self.change_of(self.event(at, what));
    }

    fn change_of(&self, event: Event) {
        let event = self.hub.keep(event);
        self.keep(event.clone());
        self.hub.tell(&event);
    }

    /// Puts it to the policy's own last events.
    pub(super) fn keep(&self, event: Event) {
        lock(&self.own).kept.push(event);
    }

    fn event(&self, at: Time, what: EventKind) -> Event {
        Event { seq: 0, policy: self.name.clone(), kind: self.kind, at, what }
    }
}
