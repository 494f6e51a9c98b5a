//! All policies by name: to look at, to reset, to isolate.
//!
//! Every policy joins a registry when it is built: [`Registry::global`], or the one its builder was
//! given. A registry does not keep policies alive.
//!
//! ```
//! use portcullis::{Breaker, Registry};
//!
//! let registry = Registry::new();
//! let breaker = Breaker::builder("inventory").registry(&registry).build()?;
//! registry.isolate_all();
//! assert!(breaker.try_admit().is_err());
//! registry.reset_all();
//! assert_eq!(registry.snapshot()[0].state, "closed");
//!
//! drop(breaker);
//! assert!(registry.snapshot().is_empty());
//! # Ok::<(), portcullis::ConfigError>(())
//! ```

mod action;
mod audit;
mod find;
mod handle;
mod member;
pub(crate) mod reasons;
mod snapshot;
mod stop;
mod table;

use std::{
    any::Any,
    fmt,
    sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use portcullis_core::{
    ConfigError, Mode, Name, PolicyKind,
    health::{Level, Rules},
};

use crate::{
    event::{Emitter, Event, Hub},
    live::Live,
    metrics::Measures,
    pipeline,
    restart::{Kept, Saved},
    shard::Sharded,
};
use table::{Entry, Table, WeakHandle};

pub use action::Action;
pub use handle::{Handle, NewIn};
pub(crate) use handle::{Held, handle, member, new_in};
pub use member::Member;
use reasons::ISOLATED;
pub(crate) use snapshot::Values;
pub(crate) use snapshot::millis;
pub use snapshot::{Snapshot, Value};

/// What lets a registry hand out a policy by its own type.
pub trait AnyPolicy {
    /// The policy as a value of any type.
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<T: Any + Send + Sync> AnyPolicy for T {
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// What a registry can ask of a policy.
pub trait Policy: AnyPolicy + Send + Sync + 'static {
    /// The policy at this moment.
    fn snapshot(&self) -> Snapshot;

    /// Its totals and measures, by the names that [`metrics`](crate::metrics::names) are shown under.
    fn measure(&self, into: &mut dyn Measures) {
        let _ = into;
    }

    /// Those of its settings that matter to the others of a [`pipeline`].
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        None
    }

    /// What it tells its events with, if it tells any.
    fn emitter(&self) -> Option<&Emitter> {
        None
    }

    /// Its last few events, the youngest last.
    fn recent_events(&self) -> Vec<Event> {
        self.emitter().map(Emitter::recent).unwrap_or_default()
    }

    /// What can be done to it by hand. What is not among these does nothing, or is refused.
    fn actions(&self) -> &'static [Action] {
        &[]
    }

    /// Whether it does what it decides; `None` where that means nothing, as for checks.
    fn mode(&self) -> Option<Mode> {
        None
    }

    /// Gives it another mode; see [`Mode`].
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100, and for a policy that has no modes, or not this one.
    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        Err(ConfigError::new("policy.mode", mode, "none, for this policy has no modes"))
    }

    /// Opens it, as if it had seen enough failures: breakers.
    fn trip(&self) {}

    /// Back to how it was when it was built, where that means anything.
    fn reset(&self) {}

    /// Refuses everything until it is released, where that means anything. By default, the emitter of a policy that
    /// [can be](Self::actions) isolated keeps that it is.
    fn isolate(&self) {
        by_emitter(self).inspect(|emitter| emitter.stop(ISOLATED));
    }

    /// The same for this time, or until it is released; whether it can be, which is so of breakers alone.
    fn isolate_for(&self, time: Duration) -> bool {
        let _ = time;
        false
    }

    /// Refuses everything for this reason until it is released. Policies that let nothing through or hold nothing
    /// back by themselves, such as timeouts, do nothing.
    fn stop(&self, why: &str) {
        match by_emitter(self) {
            Some(emitter) => emitter.stop(why),
            None => self.isolate(),
        }
    }

    /// Ends an isolation, and a stop.
    fn release(&self) {
        by_emitter(self).inspect(|emitter| emitter.release());
    }

    /// Writes down what is to outlive the process; by default nothing. See [`restart`](crate::restart).
    fn save(&self, into: &mut Saved) {
        let _ = into;
    }

    /// Goes on with what another process wrote down; whether it took anything over. What is missing, too old, or
    /// nonsense is to be left out, whatever stands there.
    fn resume(&self, from: &Kept<'_>) -> bool {
        let _ = from;
        false
    }
}

/// What keeps that a policy refuses by order.
fn by_emitter<P: Policy + ?Sized>(policy: &P) -> Option<&Emitter> {
    policy.emitter().filter(|_| policy.actions().contains(&Action::Isolate))
}

/// A set of policies by kind and name: a cheap handle to a shared table.
#[derive(Clone, Default)]
pub struct Registry(Arc<Shared>);

#[derive(Default)]
struct Shared {
    table: RwLock<Table>,
    events: Hub,
    rules: Live<Rules>,
    /// The number of the reason for which everything is stopped, while it is.
    stopped: RwLock<u32>,
    pipelines: pipeline::Kept,
}

impl Registry {
    /// An empty registry of its own.
    pub fn new() -> Self {
        Self::default()
    }

    /// The registry that policies join unless they are told otherwise.
    pub fn global() -> &'static Self {
        static GLOBAL: OnceLock<Registry> = OnceLock::new();
        GLOBAL.get_or_init(Self::default)
    }

    /// What its policies tell.
    pub fn events(&self) -> &Hub {
        &self.0.events
    }

    pub(crate) fn kept_pipelines(&self) -> &pipeline::Kept {
        &self.0.pipelines
    }

    /// Adds a policy, for as long as it lives.
    pub fn join(&self, kind: PolicyKind, name: Name, policy: &Arc<impl Policy>) {
        self.add(kind, name, policy, None);
    }

    /// The same of one whose handles are made of more.
    pub(crate) fn join_sharded<T: Policy, L: Send + Sync + 'static>(
        &self,
        kind: PolicyKind,
        name: Name,
        policy: &Sharded<T, L>,
    ) {
        self.add(kind, name, policy.value(), Some(policy.downgrade()));
    }

    fn add(&self, kind: PolicyKind, name: Name, policy: &Arc<impl Policy>, handle: Option<WeakHandle>) {
        self.write().add(kind, name, Entry::new(policy, handle));
        self.stop_late(&**policy);
    }

    /// The policy of this kind and name; the youngest, if there are several. To get it as its own type, see
    /// [`find`](Self::find).
    pub fn get(&self, kind: PolicyKind, name: &str) -> Option<Arc<dyn Policy>> {
        self.read().of(kind, &Name::from(name)).iter().rev().find_map(Entry::policy)
    }

    /// Every policy that lives, in no order.
    pub fn policies(&self) -> Vec<Arc<dyn Policy>> {
        self.read().entries().filter_map(Entry::policy).collect()
    }

    /// Every policy of this kind and name that lives, the youngest last.
    pub fn family(&self, kind: PolicyKind, name: &Name) -> Vec<Arc<dyn Policy>> {
        self.read().of(kind, name).iter().filter_map(Entry::policy).collect()
    }

    /// Every kind and name there is.
    #[cfg(any(feature = "metrics", feature = "restart"))]
    pub(crate) fn names(&self) -> Vec<(PolicyKind, Name)> {
        self.read().names()
    }

    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.0.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.0.table.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every policy at this moment, by name and kind.
    pub fn snapshot(&self) -> Vec<Snapshot> {
        let mut snapshots: Vec<_> = self.policies().iter().map(|policy| policy.snapshot()).collect();
        snapshots.sort_by(|a, b| (&a.name, a.kind).cmp(&(&b.name, b.kind)));
        snapshots
    }

    /// How the levels of its policies and checks make the level of the whole.
    pub fn health_rules(&self) -> Arc<Rules> {
        self.0.rules.load()
    }

    /// Other rules for the level of the whole.
    ///
    /// # Errors
    ///
    /// The first field outside its range; then nothing has changed.
    pub fn set_health_rules(&self, rules: Rules) -> Result<(), ConfigError> {
        rules.check()?;
        self.0.rules.update(|_| Ok(rules))
    }

    /// The level of the whole.
    pub fn level(&self) -> Level {
        let snapshots: Vec<_> = self.policies().iter().map(|policy| policy.snapshot()).collect();
        self.level_of(&snapshots)
    }

    /// The level that these make together, by its rules.
    pub fn level_of(&self, snapshots: &[Snapshot]) -> Level {
        self.health_rules().overall(snapshots.iter().map(Snapshot::part))
    }

    /// Resets every policy. What is [stopped](Self::stop_all) stays so.
    pub fn reset_all(&self) {
        self.policies().iter().for_each(|policy| policy.reset());
    }

    /// Isolates every policy that can be.
    pub fn isolate_all(&self) {
        self.policies().iter().for_each(|policy| policy.isolate());
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.snapshot()).finish()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Breaker, PolicyKind, Registry};

    #[test]
    fn policies_that_are_gone_leave_nothing_behind() {
        let registry = Registry::new();
        for n in 0..10_000 {
            drop(Breaker::builder(format!("b{n}")).registry(&registry).build().unwrap());
        }
        assert!(registry.policies().is_empty());
        assert!(registry.read().len() <= super::table::SWEEP_AT_LEAST);
    }

    #[test]
    fn all_of_one_name_are_seen_and_isolated() {
        let registry = Registry::new();
        let two = [0, 1].map(|_| Breaker::builder("x").registry(&registry).build().unwrap());
        registry.isolate_all();
        assert!(two.iter().all(Breaker::is_refusing));
        assert_eq!(registry.snapshot().len(), 2);
    }

    #[test]
    fn finds_by_kind_and_name() {
        let registry = Registry::new();
        let _kept = Breaker::builder("x").registry(&registry).build().unwrap();
        assert!(registry.get(PolicyKind::Breaker, "x").is_some());
        assert!(registry.get(PolicyKind::Retry, "x").is_none());
        assert!(registry.get(PolicyKind::Breaker, "y").is_none());
    }
}
