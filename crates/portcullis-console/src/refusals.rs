//! Why each policy refused last.
//!
//! Heard of where it happens, on the way of a call that is refused anyway, and in an outage thousands of times a second. So
//! one refusal of a policy is kept in a tenth of a second, and what it costs to leave out the others is a look into a table
//! and at a number.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{
            AtomicU64,
            Ordering::{AcqRel, Relaxed},
        },
    },
};

use portcullis::{
    Name, PolicyKind, Registry,
    event::{Event, EventKind},
};

/// The least time between two refusals of one policy that are kept.
const EVERY_NANOS: u64 = 100_000_000;
/// Policies, and keys of keyed policies, of which something is known.
const MOST: usize = 8192;

/// The last refusal of each policy.
#[derive(Default)]
pub(crate) struct Refusals(RwLock<HashMap<PolicyKind, HashMap<Name, Arc<Slot>>>>);

/// The last refusal of one policy.
#[derive(Default)]
struct Slot {
    /// When the next may be kept.
    next: AtomicU64,
    last: Mutex<Option<Event>>,
}

impl Refusals {
    /// Takes a refusal; whether it is kept.
    pub(crate) fn hear(&self, event: &Event, registry: &Registry) -> bool {
        if !matches!(event.what, EventKind::Rejected { .. }) {
            return true;
        }
        let known = self.slot(event.kind, &event.policy);
        known.or_else(|| self.add(event, registry)).is_some_and(|slot| slot.keep(event))
    }

    /// The last one of this policy.
    pub(crate) fn last(&self, kind: PolicyKind, name: &Name) -> Option<Event> {
        self.slot(kind, name)?.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn slot(&self, kind: PolicyKind, name: &Name) -> Option<Arc<Slot>> {
        let slots = self.0.read().unwrap_or_else(PoisonError::into_inner);
        slots.get(&kind)?.get(name).cloned()
    }

    /// A place for what refuses for the first time. A key of a keyed policy, such as "upstream/host-a", has its policy's.
    fn add(&self, event: &Event, registry: &Registry) -> Option<Arc<Slot>> {
        let owner = owner(event, registry);
        let mut slots = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if slots.values().map(HashMap::len).sum::<usize>() >= MOST {
            // Of policies that are gone, most likely, and of keys: the others are soon there again.
            slots.clear();
        }
        let slots = slots.entry(event.kind).or_default();
        let slot = slots.entry(owner).or_default().clone();
        slots.insert(event.policy.clone(), slot.clone());
        Some(slot)
    }
}

impl Slot {
    fn keep(&self, event: &Event) -> bool {
        let (now, next) = (event.at.as_nanos(), self.next.load(Relaxed));
        let then = now.saturating_add(EVERY_NANOS);
        if now < next || self.next.compare_exchange(next, then, AcqRel, Relaxed).is_err() {
            return false;
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(event.clone());
        true
    }
}

/// The name of the policy in the registry: that of the event, or what stands before one of its slashes.
fn owner(event: &Event, registry: &Registry) -> Name {
    let full: &str = &event.policy;
    let before = full.rmatch_indices('/').map(|(at, _)| &full[..at]);
    let mut names = std::iter::once(full).chain(before.take(8));
    names
        .find(|name| registry.get(event.kind, name).is_some())
        .map_or_else(|| event.policy.clone(), Name::from)
}

#[cfg(test)]
mod tests {
    use portcullis::{Breaker, KeyedBreaker, event::Interest};

    use super::*;

    fn heard(registry: &Registry) -> (Arc<Refusals>, Arc<AtomicU64>, portcullis::event::Subscription) {
        let (refusals, kept) = (Arc::<Refusals>::default(), Arc::new(AtomicU64::new(0)));
        let (inside, count, own) = (refusals.clone(), kept.clone(), registry.clone());
        let subscription = registry.events().listen(Interest::All, move |event| {
            if inside.hear(event, &own) && event.what.as_str() == "rejected" {
                count.fetch_add(1, Relaxed);
            }
        });
        (refusals, kept, subscription)
    }

    #[tokio::test(start_paused = true)]
    async fn one_of_many_is_kept_in_a_tenth_of_a_second() {
        let registry = Registry::new();
        let (refusals, kept, _subscription) = heard(&registry);
        let breaker = Breaker::builder("x").registry(&registry).build().unwrap();
        breaker.isolate();
        for _ in 0..3 {
            (0..1000).for_each(|_| drop(breaker.try_admit().unwrap_err()));
            tokio::time::advance(std::time::Duration::from_millis(100)).await;
        }
        assert_eq!(kept.load(Relaxed), 3);
        assert!(refusals.last(PolicyKind::Breaker, &Name::from("x")).is_some());
        assert!(refusals.last(PolicyKind::Bulkhead, &Name::from("x")).is_none());
    }

    #[test]
    fn a_key_refuses_for_its_policy() {
        let registry = Registry::new();
        let (refusals, _kept, _subscription) = heard(&registry);
        let keyed = KeyedBreaker::builder("a/b").registry(&registry).build().unwrap();
        let key = keyed.get_or_make("c/d").unwrap();
        key.isolate();
        key.try_admit().unwrap_err();
        let last = refusals.last(PolicyKind::Breaker, &Name::from("a/b")).unwrap();
        assert_eq!(&*last.policy, "a/b/c/d");
    }

    #[test]
    fn names_without_end_are_bounded() {
        let registry = Registry::new();
        let (refusals, _kept, _subscription) = heard(&registry);
        for n in 0..2 * MOST {
            let breaker = Breaker::builder(format!("b{n}")).registry(&registry).build().unwrap();
            breaker.isolate();
            breaker.try_admit().unwrap_err();
        }
        let slots = refusals.0.read().unwrap();
        assert!(slots.values().map(HashMap::len).sum::<usize>() <= MOST);
    }
}
