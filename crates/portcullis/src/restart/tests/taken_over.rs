//! What is taken over, and for how long.

use super::*;
use crate::{
    AdaptiveLimit, Breaker, Bulkhead, Hedge, KeyedBreaker, KeyedRateLimit, Outliers, RateLimit, RetryBudget,
    Throttle, Timeout,
    breaker::State,
    restart::{FRESH, LIMIT_FRESH, Which},
    retry::BudgetConfig,
    timeout::Adaptive,
};

fn breaker(registry: &Registry) -> Breaker {
    let builder = Breaker::builder("inventory").registry(registry);
    builder.consecutive_failures(3).open_for_exactly(s(5)).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_is_open_for_what_is_left() {
    for (after, refuses_for) in [(0, Some(5)), (2, Some(3)), (6, None), (100_000, None)] {
        let (one, other) = (Registry::new(), Registry::new());
        let (before, breaker) = (breaker(&one), breaker(&other));
        (0..3).for_each(|_| fail(before.try_admit()));
        let told = restart(&one, &other, s(after)).await;
        assert_eq!((breaker.state(), told.restored.len()), (State::Open, 1));
        let refused = breaker.try_admit().err().and_then(|rejection| rejection.retry_after());
        assert_eq!(refused, refuses_for.map(s), "after {after} s");
        assert_eq!(breaker.status().trips, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn failures_in_a_row_count_for_a_while() {
    for (after, opens) in [(s(1), true), (FRESH, true), (FRESH + s(1), false)] {
        let (one, other) = (Registry::new(), Registry::new());
        let (before, breaker) = (breaker(&one), breaker(&other));
        (0..2).for_each(|_| fail(before.try_admit()));
        restart(&one, &other, after).await;
        fail(breaker.try_admit());
        assert_eq!(breaker.state() == State::Open, opens, "after {after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_done_by_hand_stays_until_it_is_taken_back() {
    let (one, other) = (Registry::new(), Registry::new());
    let names = ["isolated", "forced", "for a while", "over"];
    let of =
        |registry: &Registry| names.map(|name| Breaker::builder(name).registry(registry).build().unwrap());
    let (before, after) = (of(&one), of(&other));
    before[0].isolate();
    before[1].force_close(None);
    before[2].isolate_for(s(7200));
    before[3].isolate_for(s(60));
    let told = restart(&one, &other, s(3600)).await;
    let states = after.each_ref().map(Breaker::state);
    assert_eq!(states, [State::Isolated, State::ForcedClosed, State::Isolated, State::Closed]);
    assert_eq!(after[2].status().override_ends_in, Some(s(3600)));
    assert_eq!(told.skipped, [Which { kind: "breaker".into(), name: "over".into() }]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_and_its_reason_are_taken_over_by_all_who_come() {
    let (one, other) = (Registry::new(), Registry::new());
    let bulkhead = |registry| Bulkhead::builder("reports").registry(registry).build().unwrap();
    let (_before, breaker_before) = (bulkhead(&one), breaker(&one));
    one.stop_all("the vault is open");
    let (bulkhead, breaker) = (bulkhead(&other), breaker(&other));
    restart(&one, &other, s(100_000)).await;
    let refused = [bulkhead.try_admit().err(), breaker.try_admit().err()].map(|one| one.unwrap().to_string());
    assert_eq!(refused[0], "bulkhead 'reports' is stopped: the vault is open");
    assert_eq!(refused[1], "breaker 'inventory' is stopped: the vault is open");
    assert_eq!(other.stopped(), Some("the vault is open"));
    other.release_all();
    assert!(bulkhead.try_admit().is_ok() && breaker.try_admit().is_ok());
    drop(breaker_before);
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_open_are_open() {
    let (one, other) = (Registry::new(), Registry::new());
    let hosts =
        |registry| KeyedBreaker::builder("hosts").consecutive_failures(1).registry(registry).build().unwrap();
    let (before, after) = (hosts(&one), hosts(&other));
    fail(before.try_admit("host-a"));
    assert!(before.try_admit("host-b").is_ok());
    restart(&one, &other, s(1)).await;
    assert!(after.try_admit("host-a").is_err() && after.try_admit("host-b").is_ok());
    assert_eq!(after.len(), 2, "those that are closed are not written down");
}

#[tokio::test(start_paused = true)]
async fn a_rate_that_was_used_up_is_used_up() {
    for sliding in [false, true] {
        let (one, other) = (Registry::new(), Registry::new());
        let limit = |registry| {
            let builder = RateLimit::builder("mail").rate(10, s(10)).registry(registry);
            if sliding { builder.sliding_window() } else { builder }.build().unwrap()
        };
        let keyed = |registry| KeyedRateLimit::builder("users").rate(10, s(10)).registry(registry).build();
        let (before, users_before) = (limit(&one), keyed(&one).unwrap());
        while before.try_admit().is_ok() {}
        while users_before.limit("ann").try_admit().is_ok() {}
        let (after, users) = (limit(&other), keyed(&other).unwrap());
        restart(&one, &other, s(4)).await;
        let left = if sliding { 0 } else { 4 };
        assert_eq!((after.status().available, before.status().available), (left, left));
        assert_eq!([users.limit("ann"), users.limit("bob")].map(|user| user.status().available), [4, 10]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_retries_spent_is_spent() {
    let share = BudgetConfig::Share { ratio: 0.1, min_per_second: 4 };
    for (config, after, left) in [
        (share, s(0), 0),
        (share, Duration::from_millis(500), 2),
        (BudgetConfig::THROTTLE, FRESH, 0),
        (BudgetConfig::THROTTLE, FRESH + s(1), 5),
        (BudgetConfig::COST, FRESH, 0),
        (BudgetConfig::COST, FRESH + s(1), 100),
    ] {
        let (one, other) = (Registry::new(), Registry::new());
        let budget = |registry| RetryBudget::in_registry("orders", config, registry).unwrap();
        let (spent, budget) = (budget(&one), budget(&other));
        let failure = Failure::new(FailureKind::Unavailable);
        for _ in 0..1000 {
            spent.failed(None, &failure);
            let _ = spent.withdraw(failure.kind);
        }
        restart(&one, &other, after).await;
        assert_eq!(budget.available(), left, "{config:?} after {after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_was_found_is_the_first_guess() {
    for (after, limit) in [(LIMIT_FRESH, 90), (LIMIT_FRESH + s(1), 20)] {
        let (one, other) = (Registry::new(), Registry::new());
        let found = AdaptiveLimit::builder("db").initial(90).between(1, 200).registry(&one).build().unwrap();
        let new = AdaptiveLimit::builder("db").initial(20).between(1, 200).registry(&other).build().unwrap();
        restart(&one, &other, after).await;
        assert_eq!((found.status().limit, new.status().limit), (90, limit));
    }
}

#[tokio::test(start_paused = true)]
async fn how_long_calls_take_is_known() {
    let (one, other) = (Registry::new(), Registry::new());
    let adaptive = Adaptive { min_calls: 20, ..Adaptive::default() };
    let timeout = |registry| Timeout::builder("search", s(2)).adaptive(adaptive).registry(registry).build();
    let hedge = |registry| Hedge::builder("search").percentile(0.95).registry(registry).build();
    let (timeout_before, hedge_before) = (timeout(&one).unwrap(), hedge(&one).unwrap());
    for _ in 0..200 {
        let take = || async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok::<_, crate::BoxError>(())
        };
        timeout_before.call(take).await.unwrap();
        hedge_before.call(|_| take()).await.unwrap();
    }
    let (timeout, hedge) = (timeout(&other).unwrap(), hedge(&other).unwrap());
    restart(&one, &other, s(1)).await;
    assert_eq!(timeout.status().limit, timeout_before.status().limit);
    assert!(timeout.status().limit < Duration::from_millis(110));
    assert_eq!(hedge.status().delay, hedge_before.status().delay);
    assert_eq!(hedge.status().calls, 0, "no totals");
}

#[tokio::test(start_paused = true)]
async fn a_throttle_holds_back_at_once() {
    let (one, other) = (Registry::new(), Registry::new());
    let throttle = |registry| Throttle::builder("ads").window(s(60)).registry(registry).build().unwrap();
    let (before, after) = (throttle(&one), throttle(&other));
    for _ in 0..200 {
        if let Ok(mut ticket) = before.try_admit() {
            ticket.settle(Failure::new(FailureKind::ResourceExhausted).into());
        }
    }
    restart(&one, &other, s(10)).await;
    assert!(after.status().chance > 0.5, "{:?}", after.status());
    assert_eq!(after.status().chance, before.status().chance);
}

#[tokio::test(start_paused = true)]
async fn who_was_ejected_is_ejected_for_what_is_left() {
    let (one, other) = (Registry::new(), Registry::new());
    let fleet = |registry| Outliers::builder("hosts").registry(registry).build().unwrap();
    let (before, after) = (fleet(&one), fleet(&other));
    let join = |fleet: &Outliers| ["a", "b", "c"].map(|name| fleet.join(name));
    let (hosts_before, hosts) = (join(&before), join(&after));
    for _ in 0..20 {
        hosts_before[1].admit().settle(failed());
    }
    assert!(!hosts_before[1].is_usable());
    restart(&one, &other, s(10)).await;
    assert_eq!(hosts.each_ref().map(|host| host.is_usable()), [true, false, true]);
    let seen = |fleet: &Outliers| fleet.endpoints().swap_remove(1);
    assert_eq!((seen(&after).ejected_for, seen(&after).times), (seen(&before).ejected_for, 1));
    tokio::time::advance(s(400)).await;
    assert_eq!(after.status().ejected, 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_unknown_is_told_and_two_of_one_name_are_told_apart() {
    let (one, other) = (Registry::new(), Registry::new());
    let (first, second, gone) =
        (breaker(&one), breaker(&one), Breaker::builder("gone").registry(&one).build());
    second.trip();
    gone.unwrap().trip();
    let gone = Breaker::builder("gone").registry(&one).build().unwrap();
    gone.trip();
    let (new_first, new_second) = (breaker(&other), breaker(&other));
    let told = restart(&one, &other, s(1)).await;
    assert_eq!([first, new_first].map(|breaker| breaker.state()), [State::Closed; 2]);
    assert_eq!(new_second.state(), State::Open);
    let text = "1 policies restored from 1.0 s ago; unknown: breaker 'gone'";
    assert_eq!(told.to_string(), text);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_back_makes_no_time_go_by() {
    let (one, other) = (Registry::new(), Registry::new());
    let (before, breaker) = (breaker(&one), breaker(&other));
    before.trip();
    let then = SystemTime::UNIX_EPOCH + s(1_000_000);
    let told = take_over(&other, &document(&one, then), then - s(500));
    assert_eq!(told.age, Some(Duration::ZERO));
    assert_eq!(breaker.status().retry_in, Some(s(5)));
}
