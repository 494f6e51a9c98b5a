//! Several threads at a time.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    thread,
};

use super::*;

fn at_once(threads: usize, work: impl Fn(usize) + Sync) {
    thread::scope(|scope| {
        for n in 0..threads {
            let work = &work;
            scope.spawn(move || work(n));
        }
    });
}

#[test]
fn a_half_open_key_gives_exactly_its_permits() {
    for _ in 0..200 {
        let hosts = builder().permits(3).successes(100).open_for(Duration::from_millis(1)).build().unwrap();
        fail(&hosts, "a");
        while hosts.try_admit("a").is_err() {
            thread::yield_now();
        }
        let admitted = AtomicUsize::new(0);
        at_once(2, |_| {
            let mine: Vec<_> = (0..5).filter_map(|_| hosts.try_admit("a").ok()).collect();
            admitted.fetch_add(mine.len(), Relaxed);
            mine.into_iter().for_each(std::mem::forget);
        });
        assert_eq!(admitted.load(Relaxed), 3);
    }
}

#[test]
fn a_new_key_has_one_breaker_whoever_comes_first() {
    let hosts = builder().build().unwrap();
    at_once(2, |_| (0..2_000).for_each(|n| succeed(&hosts, &format!("host-{n}"))));
    let mut successes = 0;
    hosts.for_each(|host| successes += host.status().successes);
    assert_eq!((hosts.len(), successes), (2_000, 4_000));
    assert_eq!(hosts.status().in_state(State::Closed), 2_000);
}

/// Whoever changes settings while keys come reaches all of them.
#[test]
fn keys_that_come_during_a_change_have_the_new_settings() {
    for round in 0..50 {
        let hosts = builder().build().unwrap();
        at_once(2, |thread| match thread {
            0 => (0..200).for_each(|n| drop(hosts.try_admit(format!("{round}-{n}").as_str()))),
            _ => hosts.set_mode(crate::breaker::Mode::Disabled).unwrap(),
        });
        assert_eq!(hosts.status().in_state(State::Disabled), 200);
    }
}

#[test]
fn counts_are_right_after_a_flood_of_failures_from_all_sides() {
    let hosts = builder().max_keys(64).open_for(Duration::from_millis(1)).build().unwrap();
    let stop = AtomicBool::new(false);
    at_once(2, |thread| {
        if thread == 0 {
            for n in 0..20_000_usize {
                if let Ok(mut ticket) = hosts.try_admit(format!("host-{}", n % 1000).as_str()) {
                    ticket.settle(if n % 7 == 0 { failure() } else { Verdict::Success });
                }
            }
            stop.store(true, Relaxed);
        }
        while !stop.load(Relaxed) {
            hosts.abnormal().iter().for_each(|host| host.close());
            hosts.sweep();
        }
    });
    let mut states = [0; State::ALL.len()];
    hosts.for_each(|host| states[host.state() as usize] += 1);
    assert_eq!(State::ALL.map(|state| hosts.status().in_state(state)), states);
    assert_eq!(states.iter().sum::<u64>(), hosts.len() as u64);
    assert!(hosts.len() <= 64);
}
