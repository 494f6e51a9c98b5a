//! What a key costs, in bytes of the heap.

use allocation_counter::measure;

use super::*;

/// As large as a keyed breaker's state.
struct State([u64; 15]);

impl KeyedValue for State {
    fn may_go(&self, _now: Time, _idle: bool) -> bool {
        self.0[0] == 0
    }
}

fn fill(map: &Keyed<Box<str>, State>, keys: std::ops::Range<usize>, open_every: usize) {
    for n in keys {
        let state = State([u64::from((n + 1) % open_every == 0); 15]);
        let key = format!("host-{n}");
        map.get_or_insert_with(key.as_str(), Time::from_nanos(n as u64), || state);
    }
}

fn map(max_keys: usize) -> Keyed<Box<str>, State> {
    Keyed::new(Limits { max_keys, ..Limits::default() }).unwrap()
}

#[test]
fn a_million_keys_cost_less_than_256_bytes_each() {
    const KEYS: usize = 1_000_000;
    let mut kept = None;
    let counts = measure(|| {
        let map = map(KEYS);
        fill(&map, 0..KEYS, usize::MAX);
        kept = Some(map);
    });
    let map = kept.unwrap();
    let each = counts.bytes_current as usize / map.len();
    println!("{each} bytes a key, of which the state is {}", size_of::<State>());
    assert_eq!(map.len(), KEYS);
    assert!(each <= 220, "{each} bytes a key");
}

/// 200,000 keys once took 216 MiB of a map that forgets nothing.
#[test]
fn a_flood_of_keys_takes_no_more_than_the_limit() {
    let map = map(10_000);
    let filled = measure(|| fill(&map, 0..10_000, 100)).bytes_current;
    let flooded = measure(|| fill(&map, 10_000..200_000, usize::MAX)).bytes_current;
    // Longer names, and here and there a table that was grown for a few more.
    assert!(flooded < filled / 10, "{filled} bytes at first, and {flooded} more");
    assert_eq!(map.len(), 10_000);
    assert!(
        (99..10_000).step_by(100).all(|n| map.get(format!("host-{n}").as_str()).is_some()),
        "the open ones"
    );
    assert_eq!(map.overflows(), 0);
}

#[test]
fn a_map_that_was_full_gives_its_memory_back() {
    let map = map(100_000);
    let empty_after = measure(|| {
        fill(&map, 0..100_000, usize::MAX);
        map.sweep(Time::from_millis(u64::MAX));
    });
    assert!(map.is_empty());
    assert!(empty_after.bytes_current < 100_000, "{} bytes", empty_after.bytes_current);
}
