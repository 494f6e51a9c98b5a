use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use super::*;

/// A value that may be told to stay: always, or until it is idle.
#[derive(Debug, Default)]
struct Value {
    open: AtomicBool,
    isolated: AtomicBool,
}

impl KeyedValue for Value {
    fn may_go(&self, _now: Time, idle: bool) -> bool {
        !self.isolated.load(Relaxed) && (idle || !self.open.load(Relaxed))
    }
}

type Map = Keyed<u64, Value>;

fn limits(max_keys: usize, idle_secs: u64) -> Limits {
    Limits { max_keys, idle_after: Duration::from_secs(idle_secs) }
}

fn map(max_keys: usize) -> Map {
    Map::new(limits(max_keys, 60)).unwrap()
}

fn at(secs: u64) -> Time {
    Time::from_millis(secs * 1000)
}

fn ask(map: &Map, key: u64, secs: u64) -> Lookup<u64, Value> {
    map.get_or_insert_with(&key, at(secs), Value::default)
}

fn put(map: &Map, key: u64, secs: u64) -> Arc<Entry<u64, Value>> {
    ask(map, key, secs).into_entry().expect("there is room")
}

fn has(map: &Map, key: u64) -> bool {
    map.get(&key).is_some()
}

#[test]
fn a_key_has_one_value_for_good() {
    let map = map(10);
    let Lookup::Made(made) = ask(&map, 1, 0) else { panic!("it is new") };
    let Lookup::Found(found) = ask(&map, 1, 5) else { panic!("it is there") };
    assert!(Arc::ptr_eq(&made, &found));
    assert_eq!((*found.key(), found.used(), map.len()), (1, at(5), 1));
    assert!(map.get(&2).is_none() && map.len() == 1);
}

#[test]
fn a_key_that_is_found_is_not_built() {
    let map = Keyed::<Box<str>, Value>::new(limits(10, 60)).unwrap();
    map.get_or_insert_with("host-a", at(0), Value::default);
    let counts = allocation_counter::measure(|| {
        assert!(map.get_or_insert_with("host-a", at(1), || panic!("it is there")).into_entry().is_some());
    });
    assert_eq!(counts.count_total, 0);
}

#[test]
fn all_places_are_used_and_no_more() {
    for max_keys in [1, 7, 64, 1000, 5000] {
        let map = map(max_keys);
        (0..max_keys as u64).for_each(|key| drop(put(&map, key, 0)));
        assert_eq!((map.len(), map.evictions()), (max_keys, Evictions::default()));
        (0..2 * max_keys as u64).for_each(|key| drop(put(&map, key, 1)));
        assert_eq!(map.len(), max_keys);
        let mut seen = 0;
        map.for_each(|_| seen += 1);
        assert_eq!(seen, max_keys, "and as many are in the tables");
    }
}

#[test]
fn the_one_not_used_for_longest_makes_room() {
    let map = map(4);
    (0..4).for_each(|key| drop(put(&map, key, key)));
    put(&map, 0, 10);
    put(&map, 100, 11);
    assert!(!has(&map, 1), "0 was used since");
    put(&map, 101, 12);
    assert!(!has(&map, 2));
    assert!(has(&map, 0) && has(&map, 3) && has(&map, 100) && has(&map, 101));
    assert_eq!(map.evictions(), Evictions { idle: 0, full: 2 });
}

#[test]
fn hot_keys_survive_a_flood() {
    let map = map(1000);
    for flood in 0..50_000_u64 {
        let now = Time::from_millis(flood);
        map.get_or_insert_with(&(flood % 100), now, Value::default);
        map.get_or_insert_with(&(1_000_000 + flood), now, Value::default);
    }
    let kept = (0..100).filter(|&key| has(&map, key)).count();
    assert_eq!(kept, 100);
}

#[test]
fn idle_keys_go_with_inserts() {
    let map = map(2000);
    (0..1000).for_each(|key| drop(put(&map, key, 0)));
    (1000..2000).for_each(|key| drop(put(&map, key, 60)));
    assert!(map.evictions().idle > 900, "{:?}", map.evictions());
    assert_eq!(map.len() as u64 + map.evictions().idle, 2000);
    assert_eq!(map.evictions().full, 0);
}

#[test]
fn a_sweep_removes_all_that_is_idle() {
    let map = map(20_000);
    (0..10_000).for_each(|key| drop(put(&map, key, 0)));
    (0..100).for_each(|key| drop(put(&map, key, 30)));
    assert_eq!(map.sweep(at(59)), 0);
    assert_eq!(map.sweep(at(60)), 9_900);
    assert_eq!((map.len(), map.sweep(at(60))), (100, 0));
    assert!((0..100).all(|key| has(&map, key)));
    assert_eq!(map.evictions(), Evictions { idle: 9_900, full: 0 });
}

#[test]
fn what_must_stay_stays() {
    let map = map(4);
    put(&map, 0, 0).value().isolated.store(true, Relaxed);
    put(&map, 1, 0).value().open.store(true, Relaxed);
    (100..200).for_each(|key| drop(put(&map, key, 1)));
    assert!(has(&map, 0) && has(&map, 1));

    map.sweep(at(3600));
    assert!(has(&map, 0), "isolated: for good");
    assert!(!has(&map, 1), "open: until it is idle");
}

#[test]
fn what_is_in_use_stays() {
    let map = map(2);
    let held = put(&map, 0, 0);
    (100..200).for_each(|key| drop(put(&map, key, 1)));
    map.sweep(at(3600));
    assert!(Arc::ptr_eq(&held, &map.get(&0).unwrap()));

    drop(held);
    map.sweep(at(3600));
    assert!(map.is_empty());
}

#[test]
fn no_room_is_told_and_counted() {
    let map = map(200);
    (0..200).for_each(|key| put(&map, key, 0).value().isolated.store(true, Relaxed));
    assert!(matches!(ask(&map, 1000, 1), Lookup::Overflow));
    assert!(ask(&map, 1000, 3600).into_entry().is_none());
    assert_eq!((map.overflows(), map.len(), map.evictions()), (2, 200, Evictions::default()));
    assert!(matches!(ask(&map, 7, 1), Lookup::Found(_)), "those that are there are served");

    put(&map, 7, 2).value().isolated.store(false, Relaxed);
    let made = (1000..2000).any(|key| matches!(ask(&map, key, 3), Lookup::Made(_)));
    assert!(made && map.len() == 200, "the hand comes to it");
}

#[test]
fn another_shard_makes_room() {
    let map = Map::with_shards(limits(2, 60), 8).unwrap();
    (0..1000).for_each(|key| drop(put(&map, key, key)));
    assert_eq!((map.len(), map.evictions().full, map.overflows()), (2, 998, 0));
}

#[test]
fn threads_that_ask_for_a_new_key_get_the_same_value() {
    let map = map(1000);
    let barrier = Barrier::new(4);
    let seen: Vec<Vec<_>> = thread::scope(|scope| {
        let ask_all = || {
            barrier.wait();
            (0..1000).map(|key| put(&map, key, 0)).collect()
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask_all)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for others in &seen[1..] {
        assert!(seen[0].iter().zip(others).all(|(a, b)| Arc::ptr_eq(a, b)));
    }
    assert_eq!((map.len(), map.evictions(), map.overflows()), (1000, Evictions::default(), 0));
}

#[test]
fn threads_never_exceed_the_limit_nor_lose_what_they_hold() {
    let map = map(128);
    let most = AtomicUsize::new(0);
    thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (map, most) = (&map, &most);
            scope.spawn(move || {
                for step in 0..5_000_u64 {
                    let key = (step * 7 + thread * 13) % 500;
                    let Some(held) = ask(map, key, step / 100).into_entry() else { continue };
                    let again = map.get(&key).expect("held, so it is there");
                    assert!(Arc::ptr_eq(&held, &again));
                    most.fetch_max(map.len(), Relaxed);
                }
            });
        }
    });
    let mut entries = 0;
    map.for_each(|_| entries += 1);
    assert_eq!((most.into_inner(), map.len()), (128, entries));
}

#[test]
fn an_insert_looks_at_a_few_keys_only() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    struct Asked(bool);
    impl KeyedValue for Asked {
        fn may_go(&self, _: Time, _: bool) -> bool {
            ASKED.fetch_add(1, Relaxed);
            self.0
        }
    }
    let most_asked = |may_go: bool, keys: std::ops::Range<u64>| {
        let map = Keyed::<u64, _>::with_shards(limits(4000, 60), 4).unwrap();
        let mut most = 0;
        for key in 0..keys.end {
            let before = ASKED.load(Relaxed);
            map.get_or_insert_with(&key, at(0), || Asked(may_go));
            most = if key < keys.start { 0 } else { most.max(ASKED.load(Relaxed) - before) };
        }
        most
    };
    assert_eq!(most_asked(true, 0..4000), 2, "there is room");
    assert_eq!(most_asked(true, 4000..6000), 16, "it is full");
    assert_eq!(most_asked(false, 4000..6000), 4 * 16, "it is full of what must stay");
}

#[test]
fn what_goes_is_dropped_outside_of_the_locks() {
    struct Nosy(std::sync::Weak<Keyed<u64, Nosy>>);
    impl KeyedValue for Nosy {
        fn may_go(&self, _: Time, _: bool) -> bool {
            true
        }
    }
    impl Drop for Nosy {
        fn drop(&mut self) {
            if let Some(map) = self.0.upgrade() {
                map.get_or_insert_with(&0, at(0), || Nosy(std::sync::Weak::new()));
            }
        }
    }
    let map = Arc::new(Keyed::<u64, Nosy>::new(limits(2, 60)).unwrap());
    for key in 1..4 {
        map.get_or_insert_with(&key, at(0), || Nosy(Arc::downgrade(&map)));
    }
    assert!(map.get(&0).is_some(), "made by a value that was dropped");
}

#[test]
fn callbacks_may_use_the_map() {
    let map = map(10);
    (0..5).for_each(|key| drop(put(&map, key, 0)));
    map.for_each(|entry| drop(put(&map, entry.key() + 5, 1)));
    map.get_or_insert_with(&20, at(1), || {
        put(&map, 20, 1);
        Value::default()
    });
    assert!(has(&map, 20) && map.len() <= 10);
}

#[test]
fn limits_are_checked() {
    let field = |limits| Map::new(limits).map(drop).unwrap_err().field();
    assert_eq!(field(limits(0, 60)), "keyed.max_keys");
    assert_eq!(field(limits(usize::MAX, 60)), "keyed.max_keys");
    assert_eq!(field(limits(10, 0)), "keyed.idle_after");
    assert_eq!(field(limits(10, u64::MAX)), "keyed.idle_after");
    assert_eq!(Limits::default().check(), Ok(()));
    assert_eq!(Map::new(limits(1 << 24, 30 * 24 * 60 * 60)).unwrap().limits().max_keys, 16_777_216);
    assert_eq!(field(limits((1 << 24) + 1, 60)), "keyed.max_keys");
    assert_eq!(field(limits(10, 30 * 24 * 60 * 60 + 1)), "keyed.idle_after");
}

#[test]
fn the_defaults() {
    let expected = Limits { max_keys: 10_000, idle_after: Duration::from_secs(600) };
    assert_eq!(Limits::default(), expected);
}

#[test]
fn shows_its_counts_and_no_keys() {
    let map = map(1);
    assert!(map.is_empty());
    put(&map, 12345, 0);
    assert!(!map.is_empty());
    let shown = format!("{map:?}");
    assert!(
        shown.contains("max_keys: 1,") && shown.contains("len: 1,") && !shown.contains("12345"),
        "{shown}"
    );
    let entry = format!("{:?}", map.get(&12345).unwrap());
    assert!(entry.contains("12345") && entry.contains("isolated: false"), "{entry}");
}

#[test]
fn a_clock_that_goes_back_removes_nothing() {
    let map = map(10);
    put(&map, 1, 3600);
    assert_eq!(map.sweep(at(0)), 0);
    put(&map, 2, 0);
    assert_eq!(map.len(), 2);
}
