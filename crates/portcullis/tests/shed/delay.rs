//! Work that waits.

use portcullis::{Overload, Priority, Reason, shed::Arrival};

use super::support::{admit, lag, ms, overload, refused, settle, shed};

#[tokio::test(start_paused = true)]
async fn a_late_runtime_sheds_the_lowest_first() {
    let shed = shed().build().unwrap();
    assert_eq!(refused(&shed), [0; 5]);
    overload(&shed, ms(800)).await;
    let [lowest, low, .., highest] = refused(&shed);
    assert!(lowest == 100 && low > 0 && highest == 0, "{:?}", shed.status());
    let status = shed.status();
    assert_eq!(status.overload, Some(Overload::QueueDelay));
    assert!(status.queue_delay >= Some(ms(29)) && status.shedding && status.level > 0);
    let refusal = admit(&shed, Priority::Lowest).unwrap_err();
    let Reason::Overloaded { signal: Overload::QueueDelay, measured, limit } = refusal.reason() else {
        panic!("{refusal}")
    };
    assert!(measured > 0.029 && limit == 0.02, "{refusal}");
}

#[tokio::test(start_paused = true)]
async fn an_overload_that_is_over_is_forgotten() {
    let shed = shed().build().unwrap();
    overload(&shed, ms(3000)).await;
    assert!(shed.status().cut > 0.5);
    for _ in 0..60 {
        let _ = shed.try_admit();
        tokio::time::sleep(ms(100)).await;
    }
    let status = shed.status();
    assert_eq!((status.cut, status.level, status.overload), (0.0, 0, None));
    assert_eq!(refused(&shed), [0; 5]);
}

#[tokio::test(start_paused = true)]
async fn one_stall_sheds_nobody() {
    let shed = shed().build().unwrap();
    for _ in 0..20 {
        let _ = shed.try_admit();
        lag(ms(0), ms(300)).await;
        tokio::time::advance(ms(400)).await;
        settle().await;
        assert_eq!(refused(&shed), [0; 5]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_calls_say_that_they_waited_counts_too() {
    let shed = shed().queue_delay(ms(50), ms(100)).build().unwrap();
    let late = |waited| Arrival { waited: Some(waited), ..Arrival::of(Priority::Low) };
    for round in 0..100 {
        // One that was fast is enough.
        let _ = shed.try_admit_as(&late(ms(if round % 5 == 0 { 1 } else { 500 })));
        tokio::time::sleep(ms(20)).await;
    }
    assert_eq!(shed.status().cut, 0.0);
    for _ in 0..100 {
        let _ = shed.try_admit_as(&late(ms(500)));
        tokio::time::sleep(ms(20)).await;
    }
    assert!(shed.status().queue_delay == Some(ms(500)) && shed.status().cut > 0.3, "{:?}", shed.status());
}

#[tokio::test(start_paused = true)]
async fn a_user_is_served_or_refused_as_a_whole_and_not_for_ever() {
    let shed = shed().cut(0.5).build().unwrap();
    let of = |user| Arrival { user: Some(user), ..Arrival::PLAIN };
    let refused = || -> Vec<bool> { (0..100).map(|user| shed.try_admit_as(&of(user)).is_err()).collect() };
    for _ in 0..50 {
        refused();
        tokio::time::sleep(ms(20)).await;
    }
    let (first, second) = (refused(), refused());
    let share = first.iter().filter(|refused| **refused).count();
    assert!((35..65).contains(&share), "{share}");
    let changed = first.iter().zip(&second).filter(|(first, second)| first != second).count();
    assert!(changed <= 3, "only those at the edge are served by lot: {changed}");
    tokio::time::sleep(ms(3_600_000)).await;
    for _ in 0..20 {
        refused();
        tokio::time::sleep(ms(20)).await;
    }
    let next = refused();
    let changed = first.iter().zip(&next).filter(|(first, next)| first != next).count();
    assert!(changed > 20, "an hour later others are the ones: {changed}");
}
