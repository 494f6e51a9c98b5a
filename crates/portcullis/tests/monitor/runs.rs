//! When checks run, and what they may do.

use std::{
    panic::panic_any,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use portcullis::{BoxError, Bulkhead, Level, check::Outcome};
use tokio::time::{Instant, sleep};

use crate::support::{Runs, fails, hangs, monitor, ms, secs, taking, well};

/// The bar: nine checks, one hung and one panicking, are answered within the longest time limit.
#[tokio::test(start_paused = true)]
async fn nine_checks_one_hung_and_one_panicking_end_within_the_longest_timeout() {
    let monitor = monitor();
    let runs = Runs::default();
    for n in 1..=7 {
        monitor.check(format!("check-{n}")).spawn(taking(ms(100 * n), &runs)).unwrap();
    }
    monitor.check("hung").timeout(secs(3)).spawn(hangs).unwrap();
    monitor.check("panics").spawn(|| async { panic!("a bug") as Result<(), BoxError> }).unwrap();

    let began = Instant::now();
    let level = monitor.run_now().await;
    assert_eq!(began.elapsed(), secs(3), "side by side: as long as the longest");
    assert_eq!(level, Level::Degraded);

    let statuses = monitor.statuses();
    assert_eq!(statuses.len(), 9);
    assert!(statuses.iter().all(|status| status.started && status.outcome.is_some()), "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| status.level == Level::Healthy).count(), 7);
    let hung = monitor.status("hung").unwrap();
    assert_eq!((hung.outcome, hung.took), (Some(Outcome::Timeout), Some(secs(3))));
    let panics = monitor.status("panics").unwrap();
    assert_eq!(panics.outcome, Some(Outcome::Panic));
    assert_eq!(panics.message.as_deref(), Some("the check panicked: a bug"));
}

#[tokio::test(start_paused = true)]
async fn a_check_runs_when_it_is_added_and_then_after_each_interval() {
    let (monitor, runs) = (monitor(), Runs::default());
    monitor.check("x").interval(secs(10)).jitter(0.0).spawn(taking(ms(500), &runs)).unwrap();
    assert_eq!(monitor.status("x").unwrap().level, Level::Warning, "nothing is known yet");

    sleep(secs(1)).await;
    assert_eq!((runs.count(), monitor.status("x").unwrap().level), (1, Level::Healthy));
    // Half a second each, and ten seconds between.
    sleep(secs(9)).await;
    assert_eq!(runs.count(), 1);
    sleep(secs(1)).await;
    assert_eq!(runs.count(), 2);
    sleep(secs(105)).await;
    assert_eq!(runs.count(), 12);
}

#[tokio::test(start_paused = true)]
async fn jitter_spreads_the_runs() {
    let (monitor, runs) = (monitor(), Runs::default());
    for n in 0..50 {
        monitor.check(format!("{n}")).interval(secs(10)).jitter(0.5).spawn(taking(secs(0), &runs)).unwrap();
    }
    sleep(ms(4_900)).await;
    assert_eq!(runs.count(), 50);
    sleep(ms(2_600)).await;
    let early = runs.count() - 50;
    assert!((5..=45).contains(&early), "{early} of 50 in the first half of the time that is left to chance");
    sleep(ms(2_600)).await;
    assert!(runs.count() >= 100, "{}", runs.count());
}

/// Whoever asks while it runs waits for that run, and a run that was wanted is one run.
#[tokio::test(start_paused = true)]
async fn many_who_ask_at_once_make_one_run() {
    let (monitor, runs) = (monitor(), Runs::default());
    monitor.check("x").interval(secs(3600)).spawn(taking(secs(1), &runs)).unwrap();
    sleep(secs(2)).await;

    let asking: Vec<_> = (0..100)
        .map(|n| {
            let monitor = monitor.clone();
            tokio::spawn(async move {
                sleep(ms(5 * n)).await;
                monitor.run_now().await
            })
        })
        .collect();
    for asked in asking {
        assert_eq!(asked.await.unwrap(), Level::Healthy);
    }
    assert_eq!((runs.count(), runs.most()), (2, 1));
    sleep(secs(60)).await;
    assert_eq!(runs.count(), 2, "and none afterwards");
}

#[tokio::test(start_paused = true)]
async fn refresh_runs_what_is_older_than_its_cache() {
    let (monitor, short, long) = (monitor(), Runs::default(), Runs::default());
    monitor.check("short").cache(secs(5)).interval(secs(3600)).spawn(taking(secs(0), &short)).unwrap();
    monitor.check("long").cache(secs(60)).interval(secs(3600)).spawn(taking(secs(0), &long)).unwrap();
    monitor.refresh().await;
    assert_eq!((short.count(), long.count()), (1, 1), "the runs that began when they were added");

    for _ in 0..10_000 {
        monitor.refresh().await;
    }
    assert_eq!((short.count(), long.count()), (1, 1));
    sleep(secs(6)).await;
    monitor.refresh().await;
    assert_eq!((short.count(), long.count()), (2, 1));
    monitor.run_now().await;
    assert_eq!((short.count(), long.count()), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn a_hung_check_costs_only_itself() {
    let (monitor, hung, runs) = (monitor(), Runs::default(), Runs::default());
    monitor.check("hung").timeout(secs(20)).interval(secs(1)).spawn(taking(secs(600), &hung)).unwrap();
    monitor.check("well").interval(secs(1)).jitter(0.0).spawn(taking(secs(0), &runs)).unwrap();

    sleep(ms(60_500)).await;
    assert_eq!(runs.count(), 61);
    assert_eq!((hung.count(), hung.most()), (3, 1), "a run at a time, dropped when its time is over");
    let status = monitor.status("hung").unwrap();
    assert_eq!((status.level, status.consecutive_failures), (Level::Degraded, 2));
    assert_eq!(status.message.as_deref(), Some("no answer within 20s"));
}

#[tokio::test(start_paused = true)]
async fn a_check_may_panic_at_any_point_and_is_asked_again() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("in drop");
            }
        }
    }
    fn never() -> std::future::Ready<Result<(), BoxError>> {
        panic!("before it waits")
    }
    #[derive(Debug)]
    struct Mute;
    impl std::fmt::Display for Mute {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("while it is told")
        }
    }
    impl std::error::Error for Mute {}

    let monitor = monitor();
    let check = |name: &'static str| monitor.check(name).interval(secs(1)).timeout(ms(100));
    check("early").spawn(never).unwrap();
    check("late").spawn(|| async { panic_any(7) as Result<(), BoxError> }).unwrap();
    check("error").spawn(|| async { Err::<(), _>(Mute) }).unwrap();
    let dropped = || async {
        let _bomb = Bomb;
        hangs().await
    };
    check("drop").spawn(dropped).unwrap();

    sleep(secs(5)).await;
    for (name, said) in [
        ("early", "the check panicked: before it waits"),
        ("late", "the check panicked: it did not say why"),
        ("error", "the check panicked: while it is told"),
        ("drop", "the check panicked: in drop"),
    ] {
        let status = monitor.status(name).unwrap();
        assert!(status.started && status.runs >= 4, "{status:?}");
        assert_eq!((status.outcome, status.message.as_deref()), (Some(Outcome::Panic), Some(said)));
    }
}

/// T11, for checks: a full bulkhead says nothing about what is behind it.
#[tokio::test(start_paused = true)]
async fn a_check_that_is_refused_on_its_way_says_nothing() {
    let monitor = monitor();
    let bulkhead = Bulkhead::builder("full").max_in_flight(1).registry(monitor.registry()).build().unwrap();
    let way = bulkhead.clone();
    let asked = move || {
        let way = way.clone();
        async move { way.try_admit().map(drop) }
    };
    monitor.check("behind").interval(secs(1)).spawn(asked).unwrap();
    sleep(ms(500)).await;
    assert_eq!(monitor.status("behind").unwrap().level, Level::Healthy);

    let taken = bulkhead.try_admit().unwrap();
    sleep(secs(5)).await;
    let status = monitor.status("behind").unwrap();
    assert_eq!((status.level, status.outcome), (Level::Healthy, Some(Outcome::Refused)));
    assert_eq!(status.consecutive_failures, 0);
    drop(taken);
}

#[tokio::test(start_paused = true)]
async fn on_demand_means_only_where_somebody_asks() {
    let (monitor, runs) = (monitor(), Runs::default());
    monitor.check("dear").on_demand().cache(secs(300)).spawn(taking(secs(1), &runs)).unwrap();
    sleep(secs(3600)).await;
    assert_eq!(runs.count(), 1, "the first, and no other");
    monitor.refresh().await;
    monitor.refresh().await;
    assert_eq!(runs.count(), 2);
    assert_eq!(monitor.run_one("dear").await.unwrap().runs, 3);
    assert!(monitor.run_one("unknown").await.is_none());
}

#[tokio::test(start_paused = true)]
async fn failures_in_a_row_are_counted_until_a_success() {
    static WELL: AtomicBool = AtomicBool::new(false);
    let monitor = monitor();
    let check = || async { if WELL.load(Relaxed) { well().await } else { fails().await } };
    monitor.check("x").interval(secs(3600)).spawn(check).unwrap();
    for n in 1..=5 {
        monitor.run_now().await;
        assert_eq!(monitor.status("x").unwrap().consecutive_failures, n);
    }
    WELL.store(true, Relaxed);
    monitor.run_now().await;
    let status = monitor.status("x").unwrap();
    assert_eq!((status.consecutive_failures, status.runs, status.message), (0, 6, None));
}
