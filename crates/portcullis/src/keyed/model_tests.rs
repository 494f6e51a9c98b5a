//! Histories nobody would write by hand, against a list that is searched from end to end.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

use proptest::prelude::*;

use super::*;

const IDLE: u64 = 50;

#[derive(Debug, Default)]
struct Value(AtomicBool);

impl KeyedValue for Value {
    fn may_go(&self, _now: Time, _idle: bool) -> bool {
        !self.0.load(Relaxed)
    }
}

type Held = Arc<Entry<u8, Value>>;

#[derive(Clone, Copy, Debug)]
enum Step {
    Ask(u8),
    Hold(u8),
    Release(u8),
    Open(u8, bool),
    Wait(u64),
    Sweep,
}

/// What is known of a key that is in the map.
#[derive(Clone, Copy, Debug)]
struct Known {
    used: u64,
    open: bool,
}

struct Pair {
    map: Keyed<u8, Value>,
    model: BTreeMap<u8, Known>,
    held: BTreeMap<u8, Held>,
    now: u64,
}

impl Pair {
    fn new(max_keys: usize, shards: usize) -> Self {
        let limits = Limits { max_keys, idle_after: Duration::from_millis(IDLE) };
        let map = Keyed::with_shards(limits, shards).unwrap();
        Self { map, model: BTreeMap::new(), held: BTreeMap::new(), now: 0 }
    }

    fn may_go(&self, key: u8) -> bool {
        !self.model[&key].open && !self.held.contains_key(&key)
    }

    fn is_idle(&self, key: u8) -> bool {
        self.now - self.model[&key].used >= IDLE
    }

    /// Whether no key but `key` itself could go in its place.
    fn is_oldest(&self, key: u8) -> bool {
        let used = self.model[&key].used;
        self.model.keys().all(|other| !self.may_go(*other) || used <= self.model[other].used)
    }

    /// Takes the keys that are gone out of the model; returns how many of them were not idle.
    fn take_gone(&mut self, exact: bool) -> Result<usize, TestCaseError> {
        let mut there = Vec::new();
        self.map.for_each(|entry| there.push(*entry.key()));
        let gone: Vec<u8> = self.model.keys().copied().filter(|key| !there.contains(key)).collect();
        for &key in &gone {
            prop_assert!(self.may_go(key), "{} must stay", key);
            prop_assert!(!exact || self.is_idle(key) || self.is_oldest(key), "{} was not the oldest", key);
        }
        let spare = gone.iter().filter(|&&key| !self.is_idle(key)).count();
        self.model.retain(|key, _| !gone.contains(key));
        Ok(spare)
    }

    fn ask(&mut self, key: u8, exact: bool) -> Result<Option<Held>, TestCaseError> {
        let full = self.model.len() == self.map.limits().max_keys;
        let can_go = self.model.keys().any(|&key| self.may_go(key));
        let known = self.model.contains_key(&key);
        let (lookup, now) =
            (self.map.get_or_insert_with(&key, Time::from_millis(self.now), Value::default), self.now);
        let entry = match lookup {
            Lookup::Found(entry) => {
                prop_assert!(known);
                Some(entry)
            }
            Lookup::Made(entry) => {
                prop_assert!(!known && (!full || can_go));
                Some(entry)
            }
            Lookup::Overflow => {
                prop_assert!(!known && full && !(exact && can_go));
                None
            }
        };
        let spare = self.take_gone(exact)?;
        prop_assert!(spare <= usize::from(full && !known), "only a full map gives up what is not idle");
        if let Some(entry) = &entry {
            let open = entry.value().0.load(Relaxed);
            prop_assert_eq!(open, self.model.get(&key).is_some_and(|known| known.open));
            self.model.insert(key, Known { used: now, open });
        }
        Ok(entry)
    }

    fn sweep(&mut self) -> Result<(), TestCaseError> {
        let idle: Vec<u8> =
            self.model.keys().copied().filter(|&k| self.is_idle(k) && self.may_go(k)).collect();
        prop_assert_eq!(self.map.sweep(Time::from_millis(self.now)), idle.len());
        self.take_gone(false)?;
        prop_assert!(idle.iter().all(|key| !self.model.contains_key(key)));
        Ok(())
    }

    fn step(&mut self, step: Step, exact: bool) -> Result<(), TestCaseError> {
        match step {
            Step::Ask(key) => drop(self.ask(key, exact)?),
            Step::Hold(key) => {
                if let Some(entry) = self.ask(key, exact)? {
                    self.held.insert(key, entry);
                }
            }
            Step::Release(key) => drop(self.held.remove(&key)),
            Step::Open(key, open) => {
                if let Some(known) = self.model.get_mut(&key) {
                    known.open = open;
                    self.map.get(&key).expect("it is known").value().0.store(open, Relaxed);
                }
            }
            Step::Wait(time) => self.now += time,
            Step::Sweep => self.sweep()?,
        }
        self.check()
    }

    fn check(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.map.len(), self.model.len());
        prop_assert!(self.map.len() <= self.map.limits().max_keys);
        for (key, held) in &self.held {
            prop_assert!(self.map.get(key).is_some_and(|entry| Arc::ptr_eq(&entry, held)));
        }
        Ok(())
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = 0..40_u8;
    let step = prop_oneof![
        8 => key.clone().prop_map(Step::Ask),
        1 => key.clone().prop_map(Step::Hold),
        1 => key.clone().prop_map(Step::Release),
        2 => (key, any::<bool>()).prop_map(|(key, open)| Step::Open(key, open)),
        3 => (1..IDLE).prop_map(Step::Wait),
        1 => Just(Step::Sweep),
    ];
    prop::collection::vec(step, 1..200)
}

proptest! {
    #[test]
    fn a_small_map_forgets_exactly_the_oldest(max_keys in 1..=16_usize, steps in steps()) {
        let mut pair = Pair::new(max_keys, 1);
        for step in steps {
            pair.step(step, true)?;
        }
    }

    #[test]
    fn shards_keep_the_limit_and_what_must_stay(max_keys in 1..=30_usize, shards in 2..=5_usize, steps in steps()) {
        let mut pair = Pair::new(max_keys, shards);
        for step in steps {
            pair.step(step, false)?;
        }
    }
}
