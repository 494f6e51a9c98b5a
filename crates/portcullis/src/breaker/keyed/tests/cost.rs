//! What keys and calls cost in memory.

use allocation_counter::measure;

use super::*;

fn fill(hosts: &KeyedBreaker, keys: std::ops::Range<usize>) {
    for n in keys {
        succeed(hosts, &format!("host-{n:011}"));
    }
}

#[test]
fn a_million_keys_cost_less_than_256_bytes_each() {
    const KEYS: usize = 1_000_000;
    let mut kept = None;
    let counts = measure(|| {
        let registry = Registry::new();
        let hosts = KeyedBreaker::builder("big").max_keys(KEYS).registry(&registry).build().unwrap();
        fill(&hosts, 0..KEYS);
        kept = Some(hosts);
    });
    let hosts = kept.unwrap();
    let each = counts.bytes_current as usize / hosts.len();
    println!("{each} bytes a key of 16 bytes");
    assert_eq!(hosts.len(), KEYS);
    assert!(each <= 256, "{each} bytes a key");
}

#[test]
fn calls_of_known_keys_allocate_nothing() {
    let hosts = builder().build().unwrap();
    fail(&hosts, "open");
    succeed(&hosts, "closed");
    drop(hosts.try_admit("open"));
    let admitted = measure(|| (0..100).for_each(|_| succeed(&hosts, "closed")));
    assert_eq!(admitted.count_total, 0);
    let refused = measure(|| (0..100).for_each(|_| drop(hosts.try_admit("open"))));
    assert_eq!((refused.count_total, hosts.get("open").unwrap().status().refused), (0, 101));
}

/// Of a million keys most have never failed, and stay small whatever is done to all of them.
#[test]
fn what_is_done_to_all_keys_leaves_healthy_ones_small() {
    let hosts = builder().build().unwrap();
    fill(&hosts, 0..1_000);
    let grown = measure(|| {
        hosts.reset();
        hosts.isolate();
        hosts.release();
        hosts.reconfigure((*hosts.config()).clone()).unwrap();
    });
    assert!(grown.bytes_current < 5_000, "{} bytes", grown.bytes_current);
}

#[test]
fn a_key_in_trouble_costs_less_than_a_kilobyte_more() {
    let hosts = builder().build().unwrap();
    fill(&hosts, 0..1_000);
    let opened = measure(|| hosts.for_each(|host| host.try_admit().unwrap().settle(failure())));
    let each = opened.bytes_current / 1_000;
    println!("{each} bytes more for a key that is open");
    assert_eq!(hosts.status().in_state(State::Open), 1_000);
    assert!(each <= 1_024, "{each} bytes more");
}
