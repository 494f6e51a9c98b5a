//! That waits are spread as each kind of jitter says, at the cap too.

use std::{collections::HashSet, time::Duration};

use proptest::prelude::*;

use super::{After, Backoff, Curve, Jitter};
use crate::{Failure, FailureKind};

const CLIENTS: usize = 20_000;
const FAILURE: Failure = Failure::new(FailureKind::Other);
const BASE: Duration = Duration::from_millis(500);
const CAP: Duration = Duration::from_secs(8);
const KINDS: [Jitter; 5] =
    [Jitter::Full, Jitter::Equal, Jitter::Uniform(0.2), Jitter::Exponential, Jitter::Decorrelated];

/// A fixed sequence (splitmix64, Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

fn after(retry: u32, previous: Duration) -> After<'static> {
    After { retry, failure: &FAILURE, previous }
}

/// The waits of all clients before their retry of this number, all after waits of `previous`.
fn draw(backoff: &Backoff, retry: u32, previous: Duration) -> Vec<f64> {
    let mut random = Random(retry.into());
    let wait = |_| backoff.delay(&after(retry, previous), random.next()).as_secs_f64();
    (0..CLIENTS).map(wait).collect()
}

/// The waits of all clients in each round of their retries.
fn rounds(backoff: &Backoff, rounds: u32) -> Vec<Vec<Duration>> {
    let mut random = Random(42);
    let mut waits = vec![Duration::ZERO; CLIENTS];
    let round = |retry| {
        for wait in &mut waits {
            *wait = backoff.delay(&after(retry, *wait), random.next());
        }
        waits.clone()
    };
    (1..=rounds).map(round).collect()
}

/// Kolmogorov and Smirnov's distance of the waits from a distribution: what a true sample of 20,000 exceeds
/// once in a thousand.
#[track_caller]
fn is_distributed(mut waits: Vec<f64>, cdf: impl Fn(f64) -> f64) {
    waits.sort_by(f64::total_cmp);
    let count = waits.len() as f64;
    let distance = waits.iter().enumerate().fold(0.0f64, |far, (i, &wait)| {
        let at = cdf(wait);
        far.max(at - i as f64 / count).max((i + 1) as f64 / count - at)
    });
    let critical = 1.95 / count.sqrt();
    assert!(distance < critical, "{distance} is not below {critical}");
}

fn uniform(low: f64, high: f64) -> impl Fn(f64) -> f64 {
    move |wait| ((wait - low) / (high - low)).clamp(0.0, 1.0)
}

fn truncated_exponential(mean: f64, cap: f64) -> impl Fn(f64) -> f64 {
    move |wait| ((1.0 - (-wait / mean).exp()) / (1.0 - (-cap / mean).exp())).clamp(0.0, 1.0)
}

/// Retry 1 waits for 0.5 s, retry 3 for 2 s, retry 9 for the cap of 8 s.
fn kind(jitter: Jitter) -> impl Fn(u32) -> Vec<f64> {
    let backoff = Backoff::exponential(BASE).cap(CAP).jitter(jitter);
    move |retry| draw(&backoff, retry, Duration::ZERO)
}

#[test]
fn full_is_uniform_from_nothing() {
    let waits = kind(Jitter::Full);
    is_distributed(waits(1), uniform(0.0, 0.5));
    is_distributed(waits(3), uniform(0.0, 2.0));
    is_distributed(waits(9), uniform(0.0, 8.0));
}

#[test]
fn equal_is_uniform_from_the_half() {
    let waits = kind(Jitter::Equal);
    is_distributed(waits(1), uniform(0.25, 0.5));
    is_distributed(waits(9), uniform(4.0, 8.0));
}

#[test]
fn uniform_is_uniform_around_the_wait_and_below_the_cap() {
    let waits = kind(Jitter::Uniform(0.2));
    is_distributed(waits(1), uniform(0.4, 0.6));
    is_distributed(waits(3), uniform(1.6, 2.4));
    is_distributed(waits(9), uniform(6.4, 8.0));
}

#[test]
fn exponential_is_exponential_below_the_cap() {
    let waits = kind(Jitter::Exponential);
    is_distributed(waits(1), truncated_exponential(0.5, 8.0));
    is_distributed(waits(3), truncated_exponential(2.0, 8.0));
    is_distributed(waits(9), truncated_exponential(8.0, 8.0));
}

#[test]
fn decorrelated_is_uniform_from_the_base_to_three_times_the_last() {
    let backoff = Backoff::decorrelated(BASE).cap(CAP);
    is_distributed(draw(&backoff, 1, Duration::ZERO), uniform(0.5, 1.5));
    is_distributed(draw(&backoff, 2, Duration::from_secs(1)), uniform(0.5, 3.0));
    is_distributed(draw(&backoff, 9, CAP), uniform(0.5, 8.0));
}

/// The test of the test: a distribution that is a fortieth off is found.
#[test]
#[should_panic(expected = "is not below")]
fn wrong_distribution_is_found() {
    is_distributed(kind(Jitter::Full)(3), uniform(0.0, 2.05));
}

fn curves() -> [Curve; 6] {
    [
        Curve::Exponential,
        Curve::Linear,
        Curve::Fixed,
        Curve::Fibonacci,
        Curve::list([BASE, CAP, CAP * 3]),
        Curve::function(|_| Duration::MAX),
    ]
}

/// T23: jitter that is lost at the cap brings all clients back together.
#[test]
fn t23_waits_at_the_cap_are_spread_below_it() {
    for (curve, jitter) in curves().into_iter().flat_map(|curve| KINDS.map(|kind| (curve.clone(), kind))) {
        let base = if curve == Curve::Fixed { CAP / 2 } else { BASE };
        let backoff = Backoff { curve, base, factor: 2.0, cap: CAP, jitter };
        for (round, waits) in rounds(&backoff, 20).iter().enumerate() {
            let at_cap = waits.iter().filter(|&&wait| wait >= CAP).count();
            assert!(at_cap < CLIENTS / 100, "{at_cap} at the cap in round {round} of {backoff:?}");
        }
    }
    // A base at the cap, which only the decorrelated kind refuses.
    for jitter in [Jitter::Full, Jitter::Equal, Jitter::Uniform(0.2), Jitter::Exponential] {
        let waits = rounds(&Backoff::fixed(CAP).cap(CAP).jitter(jitter), 1);
        let at_cap = waits[0].iter().filter(|&&wait| wait >= CAP).count();
        assert!(at_cap < CLIENTS / 100, "{at_cap} at the cap with {jitter:?}");
    }
}

/// T23: all clients waited equally long.
#[test]
fn t23_the_waits_of_all_clients_differ() {
    for jitter in KINDS {
        let backoff = Backoff::exponential(BASE).cap(CAP).jitter(jitter);
        for round in rounds(&backoff, 12) {
            let different: HashSet<_> = round.iter().copied().collect();
            // Some of 20,000 draws from the nanoseconds of half a second are the same by chance.
            assert!(different.len() > CLIENTS - 20, "only {} differ with {jitter:?}", different.len());
            let few: HashSet<_> = round[..100].iter().map(Duration::as_micros).collect();
            assert!(few.len() > 98, "only {} of 100 are microseconds apart with {jitter:?}", few.len());
        }
    }
}

fn any_jitter() -> impl Strategy<Value = Jitter> {
    prop_oneof![
        Just(Jitter::Full),
        Just(Jitter::Equal),
        any::<f64>().prop_map(Jitter::Uniform),
        (0.0f64..=1.0).prop_map(Jitter::Uniform),
        Just(Jitter::Exponential),
        Just(Jitter::Decorrelated),
        Just(Jitter::None),
    ]
}

fn any_time() -> impl Strategy<Value = Duration> {
    prop_oneof![any::<Duration>(), (0u64..86_400_000).prop_map(Duration::from_millis), Just(Duration::MAX)]
}

proptest! {
    /// For values that a check would refuse, too.
    #[test]
    fn never_above_the_cap_and_never_a_panic(
        curve in prop::sample::select(curves().to_vec()), jitter in any_jitter(), base in any_time(),
        factor in any::<f64>(), cap in any_time(), previous in any_time(),
        retry in any::<u32>(), random in any::<u64>(),
    ) {
        let backoff = Backoff { curve, base, factor, cap, jitter };
        let _ = backoff.check();
        prop_assert!(backoff.delay(&after(retry, previous), random) <= cap);
    }
}
