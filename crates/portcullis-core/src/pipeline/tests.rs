//! The arithmetic, and what goes together.

use std::{collections::BTreeSet, time::Duration};

use super::*;
use crate::{
    FailureKind, Mode, Name, adaptive, breaker, bulkhead, rate,
    retry::{Backoff, BudgetConfig, Jitter},
    timeout,
};

const SECOND: Duration = Duration::from_secs(1);

fn part(place: Place, facts: impl Into<Facts>) -> Part {
    Part { place, name: Name::from("x"), facts: facts.into(), repeats: Repeats::FromRequest }
}

fn limit(place: Place, time: Duration) -> Part {
    part(place, &timeout::Config::from(time))
}

fn budget(id: usize, counts_calls: bool) -> Budget {
    Budget { name: "both".into(), id: Some(id), config: BudgetConfig::SHARE, counts_calls }
}

fn retry(max_attempts: u32, backoff: &Backoff) -> Part {
    let waits = Waits::of(backoff, max_attempts);
    let (max_retry_after, total_time, budget) = (Duration::ZERO, None, budget(1, true));
    part(Place::Retry, Facts::of(What::Retry { max_attempts, waits, max_retry_after, total_time, budget }))
}

fn hedge(id: usize, counts_calls: bool, delay: Duration) -> Part {
    let (delay, budget) = (Some((delay, delay)), budget(id, counts_calls));
    part(Place::Hedge, Facts::of(What::Hedge { max_attempts: 2, delay, budget }))
}

fn fallback(kinds: &[FailureKind], refusals: bool) -> Part {
    let kinds = BTreeSet::from_iter(kinds.iter().copied());
    part(Place::Fallback, Facts::of(What::Fallback { kinds, refusals }))
}

fn told(parts: &[Part]) -> Vec<String> {
    never(parts).iter().map(ToString::to_string).collect()
}

#[test]
fn the_order_is_the_order_of_the_places() {
    assert!(Place::ALL.is_sorted());
    let words: BTreeSet<_> = Place::ALL.iter().map(|place| place.as_str()).collect();
    assert_eq!(words.len(), Place::ALL.len());
    let alone = |side| Place::ALL.into_iter().filter(move |place| !place.is_on(side)).collect::<Vec<_>>();
    assert_eq!(alone(Side::Client), [Place::Health, Place::Drain, Place::LoadShed]);
    let outer = [Place::Retry, Place::Hedge, Place::Attempts];
    let inner = [Place::Throttle, Place::Breaker, Place::AttemptTimeout];
    assert_eq!(alone(Side::Server), [outer, inner].concat());
}

#[test]
fn every_place_of_the_other_side_is_refused_with_its_reason() {
    for side in Side::ALL {
        for place in Place::ALL {
            let parts = [part(place, Facts::of(What::Other(String::new())))];
            let refused = check(side, &parts);
            assert_eq!(refused.is_ok(), place.is_on(side), "{place}");
            let Err(wrong) = refused else { continue };
            let start = format!("{place} 'x' has no place in a {side} pipeline: it is for a ");
            assert!(wrong.to_string().starts_with(&start), "{wrong}");
            assert_eq!((wrong.first().map(|named| named.place), wrong.second()), (Some(place), None));
        }
    }
}

#[test]
fn what_does_not_go_together_names_both() {
    let refused = |parts: &[Part]| check(Side::Client, parts).unwrap_err().to_string();
    assert_eq!(refused(&[]), "a client pipeline without a policy does nothing");
    let (one, two) = (limit(Place::Deadline, SECOND), limit(Place::Deadline, 2 * SECOND));
    assert!(refused(&[one.clone(), two]).starts_with("deadline 'x' and deadline 'x' have one place"));
    assert_eq!(
        refused(&[limit(Place::AttemptTimeout, 2 * SECOND), one.clone()]),
        "attempt_timeout 'x' does not go with deadline 'x': its limit of 2s is longer than the 1s of the whole call"
    );
    assert_eq!(check(Side::Client, &[limit(Place::AttemptTimeout, SECOND), one]), Ok(()));

    let first = retry(3, &Backoff::NONE);
    assert!(refused(&[first.clone(), hedge(2, false, SECOND)]).contains("each has a budget"));
    assert!(
        refused(&[first.clone(), hedge(1, true, SECOND)])
            .contains("both count calls towards the budget 'both'")
    );
    assert_eq!(check(Side::Client, &[first, hedge(1, false, SECOND)]), Ok(()));
    let unsafe_hedge = Part { repeats: Repeats::Unknown, ..hedge(1, true, SECOND) };
    assert!(refused(&[unsafe_hedge]).starts_with("hedge 'x' can send nothing: nobody says which calls"));
}

#[test]
fn what_is_disabled_is_in_nobodys_way() {
    let off = |part: Part| Part { facts: Facts { mode: Mode::Disabled, ..part.facts }, ..part };
    let parts = [limit(Place::Deadline, SECOND), off(limit(Place::AttemptTimeout, 2 * SECOND))];
    assert_eq!(check(Side::Client, &parts), Ok(()));
    assert_eq!(latency(&parts).attempt, None);
    let repeated = [retry(3, &Backoff::NONE), off(hedge(2, true, SECOND))];
    assert_eq!(check(Side::Client, &repeated), Ok(()));
    assert_eq!(amplification(&repeated).one_call, 3);
    // What only counts is there to be enforced one day.
    let shadow = |part: Part| Part { facts: Facts { mode: Mode::Shadow, ..part.facts }, ..part };
    let parts = [limit(Place::Deadline, SECOND), shadow(limit(Place::AttemptTimeout, 2 * SECOND))];
    assert!(check(Side::Client, &parts).is_err());
    assert_eq!(latency(&parts).attempt, None);
}

#[test]
fn the_longest_call_is_attempts_and_waits_within_the_deadline() {
    let backoff = Backoff::fixed(SECOND / 10).jitter(Jitter::None);
    let attempt = limit(Place::AttemptTimeout, SECOND);
    let mut parts = vec![attempt.clone(), retry(3, &backoff)];
    let found = latency(&parts);
    assert_eq!((found.attempt, found.all_attempts), (Some(SECOND), Some(3 * SECOND + SECOND / 5)));
    assert_eq!(found.call, found.all_attempts);
    assert_eq!(found.to_string(), "3.2s, of which one attempt takes 1s");

    let queue = bulkhead::Config { max_queued: 1, max_wait: SECOND / 2, ..bulkhead::Config::default() };
    parts.push(part(Place::Bulkhead, &queue));
    assert_eq!(latency(&parts).all_attempts, Some(Duration::from_millis(4700)));
    parts.push(limit(Place::Deadline, 2 * SECOND));
    assert_eq!(latency(&parts).to_string(), "2s, where the deadline ends it; without it 4.7s");

    assert_eq!(latency(&[retry(3, &backoff)]).to_string(), "without end: nothing ends a call");
    let hung = [retry(3, &backoff), limit(Place::Deadline, SECOND)];
    assert_eq!(latency(&hung).to_string(), "1s, where the deadline ends it");
    let hedged = [attempt, hedge(1, true, SECOND / 4)];
    assert_eq!(latency(&hedged).call, Some(SECOND + SECOND / 4));
}

#[test]
fn attempts_multiply_and_budgets_bound_them() {
    let parts = [retry(3, &Backoff::NONE), hedge(1, false, SECOND)];
    let found = amplification(&parts);
    assert_eq!((found.one_call, found.many_calls, found.besides_per_second), (6, Some(1.2), 10));
    assert_eq!(
        found.to_string(),
        "one call is at most 6 attempts; all together are at most 1.2 times as many, and 10 a second"
    );
    assert_eq!(amplification(&[]).to_string(), "none: each call is one attempt");
    let mut unbounded = retry(3, &Backoff::NONE);
    let What::Retry { budget, .. } = &mut unbounded.facts.what else { unreachable!() };
    budget.config = BudgetConfig::Unlimited;
    let told = amplification(&[unbounded]).to_string();
    assert_eq!(told, "one call is at most 3 attempts; and so are all, for no budget says less");
}

#[test]
fn no_arithmetic_overflows() {
    let forever = limit(Place::AttemptTimeout, Duration::MAX);
    let parts = [forever, retry(100, &Backoff::fixed(Duration::MAX)), hedge(1, true, Duration::MAX)];
    assert_eq!(latency(&parts).call, Some(Duration::MAX));
    let _ = explain("x".into(), Side::Client, &parts).to_string();
}

#[test]
fn timeouts_and_waits_that_are_never_over_are_told() {
    let deadline = limit(Place::Deadline, SECOND);
    let equal = [deadline.clone(), limit(Place::AttemptTimeout, SECOND)];
    assert_eq!(told(&equal), ["attempt_timeout 'x': its 1s are never over before the 1s of the deadline"]);

    let slow = Backoff::fixed(2 * SECOND).jitter(Jitter::None);
    assert_eq!(
        told(&[deadline.clone(), retry(2, &slow)]),
        ["retry 'x': its first wait of at least 2s never fits into the deadline of 1s"]
    );
    let late = [deadline.clone(), retry(3, &Backoff::NONE), limit(Place::AttemptTimeout, SECOND / 2)];
    assert_eq!(
        told(&late),
        ["retry 'x': when attempts take their 500ms, attempt 3 of 3 never begins within the deadline of 1s"]
    );
    let hangs = [deadline.clone(), retry(3, &Backoff::NONE)];
    assert!(told(&hangs)[0].starts_with("retry 'x': an attempt that hangs uses up the deadline of 1s"));
    assert_eq!(told(&[retry(1, &Backoff::NONE)]), ["retry 'x': one attempt is all it makes"]);
    let queue = bulkhead::Config { max_queued: 1, max_wait: SECOND, ..bulkhead::Config::default() };
    assert_eq!(
        told(&[deadline, part(Place::Bulkhead, &queue)]),
        ["bulkhead 'x': nobody waits for 1s in its line: the deadline ends after 1s"]
    );
}

#[test]
fn hedges_that_come_too_late_are_told() {
    let attempt = limit(Place::AttemptTimeout, SECOND / 2);
    assert_eq!(
        told(&[hedge(1, true, SECOND), attempt]),
        ["hedge 'x': its delay of 1s is never over before the attempt ends, after 500ms"]
    );
    assert_eq!(
        told(&[hedge(1, true, SECOND), limit(Place::Deadline, SECOND)]),
        ["hedge 'x': its delay of 1s is never over before the call ends, after 1s"]
    );
}

#[test]
fn breakers_that_never_open_are_told() {
    let none =
        breaker::Config { consecutive_failures: None, failure_ratio: None, ..breaker::Config::default() };
    assert_eq!(told(&[part(Place::Breaker, &none)]), ["breaker 'x': it has no rule that could open it"]);
    let in_time =
        breaker::Config { time_window: Some(breaker::TimeRule::default()), ..breaker::Config::default() };
    let slowly = rate::Config { permits: 1, burst: Some(1), ..rate::Config::default() };
    assert_eq!(
        told(&[part(Place::Breaker, &in_time), part(Place::RateLimit, &slowly)]),
        ["breaker 'x': it asks for 20 calls within 10s, and rate_limit 'x' lets 11 through"]
    );
    let one = bulkhead::Config { max_in_flight: 1, ..bulkhead::Config::default() };
    assert_eq!(
        told(&[part(Place::Breaker, &breaker::Config::default()), part(Place::Bulkhead, &one)]),
        ["breaker 'x': of its 3 probes at a time, bulkhead 'x' lets 1 through"]
    );
    let slow = breaker::SlowRule::after(2 * SECOND);
    let slow = breaker::Config { slow_calls: Some(slow), ..breaker::Config::default() };
    assert_eq!(
        told(&[part(Place::Breaker, &slow), limit(Place::AttemptTimeout, SECOND)]),
        ["breaker 'x': no call is slower than 2s: attempts end after 1s"]
    );
}

#[test]
fn fallbacks_and_bulkheads_that_nothing_reaches_are_told() {
    assert_eq!(
        told(&[fallback(&[], true), limit(Place::Deadline, SECOND)]),
        ["fallback 'x': it covers refusals, and nothing below refuses"]
    );
    assert_eq!(told(&[fallback(&[], true), part(Place::Breaker, &breaker::Config::default())]), [""; 0]);
    assert_eq!(
        told(&[fallback(&[FailureKind::Panic], false)]),
        ["fallback 'x': it covers panics, and nothing below makes failures of them"]
    );
    let small = adaptive::Config { max: 50, ..adaptive::Config::default() };
    assert_eq!(
        told(&[part(Place::Bulkhead, &bulkhead::Config::default()), part(Place::AdaptiveLimit, &small)]),
        ["bulkhead 'x': its 100 are never in flight: adaptive_limit 'x' refuses beyond 50"]
    );
}

#[test]
fn any_order_is_explained_in_the_one() {
    let parts = [
        limit(Place::AttemptTimeout, SECOND),
        part(Place::Breaker, &breaker::Config::default()),
        part(Place::Bulkhead, &bulkhead::Config { mode: Mode::Shadow, ..bulkhead::Config::default() }),
        limit(Place::Deadline, 5 * SECOND),
    ];
    let explained = explain("shop".into(), Side::Client, &parts);
    assert_eq!(
        explained.to_string(),
        "pipeline 'shop', client, from the outside to the inside:\n\
         \x20 1. deadline         'x': 5s\n\
         \x20 2. breaker          'x': opens after 5 failures in a row or at 50% of the last 100 calls, for 5s\n\
         \x20 3. bulkhead         'x': 100 at a time (shadow)\n\
         \x20 4. attempt_timeout  'x': 1s\n\
         longest call: 1s\n\
         attempts: none: each call is one attempt"
    );
    let backwards: Vec<_> = parts.iter().rev().cloned().collect();
    assert_eq!(explain("shop".into(), Side::Client, &backwards), explained);
}
