//! Checks that come, go and change while others run.

use portcullis::{
    Level,
    monitor::{CheckConfig, CheckPreset},
};
use tokio::time::sleep;

use crate::support::{Runs, fails, monitor, ms, secs, taking, well};

#[tokio::test(start_paused = true)]
async fn a_removed_check_is_gone_and_its_run_is_dropped() {
    let (monitor, runs) = (monitor(), Runs::default());
    monitor.check("x").spawn(taking(secs(2), &runs)).unwrap();
    sleep(secs(1)).await;
    assert_eq!(runs.going(), 1);

    assert!(monitor.remove("x") && !monitor.remove("x"));
    tokio::task::yield_now().await;
    assert_eq!(runs.going(), 0);
    assert!(monitor.registry().snapshot().is_empty());
    assert_eq!(monitor.run_now().await, Level::Healthy);
    assert!(monitor.status("x").is_none() && monitor.history("x").is_empty());
}

/// Whoever waits for a run of a check that is removed meanwhile is not kept waiting.
#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_check_that_is_gone() {
    let (monitor, runs) = (monitor(), Runs::default());
    monitor.check("x").timeout(secs(3600)).spawn(taking(secs(3000), &runs)).unwrap();
    let asked = tokio::spawn({
        let monitor = monitor.clone();
        async move { monitor.run_now().await }
    });
    sleep(secs(1)).await;
    monitor.remove("x");
    tokio::time::timeout(secs(1), asked).await.expect("it ends").unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_check_of_a_name_replaces_the_one_before() {
    let monitor = monitor();
    monitor.check("x").critical(true).spawn(fails).unwrap();
    monitor.check("y").spawn(well).unwrap();
    assert_eq!(monitor.run_now().await, Level::Critical);

    monitor.check("x").spawn(well).unwrap();
    assert_eq!(monitor.run_now().await, Level::Healthy);
    let names: Vec<_> = monitor.statuses().into_iter().map(|status| status.name.to_string()).collect();
    assert_eq!(names, ["x", "y"]);
    assert_eq!(monitor.registry().snapshot().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn new_settings_are_taken_at_once_and_results_stay() {
    let (monitor, runs) = (monitor(), Runs::default());
    monitor.check("x").interval(secs(3600)).spawn(taking(secs(0), &runs)).unwrap();
    sleep(secs(1)).await;

    let every_second = CheckConfig { interval: Some(secs(1)), jitter: 0.0, ..CheckConfig::default() };
    assert!(monitor.reconfigure("x", every_second.clone()).unwrap());
    assert_eq!(monitor.config("x"), Some(every_second.clone()));
    sleep(ms(10_500)).await;
    assert_eq!(runs.count(), 12, "one when it was added, one with the new settings, ten more");
    assert_eq!(monitor.status("x").unwrap().runs, 12);

    assert!(!monitor.reconfigure("y", every_second.clone()).unwrap());
    let error = monitor.reconfigure("x", CheckConfig { history: 0, ..every_second }).unwrap_err();
    assert_eq!(error.field(), "health_check.history");
    assert_eq!(monitor.config("x").unwrap().history, 32);
}

#[tokio::test(start_paused = true)]
async fn only_the_last_results_are_kept() {
    let monitor = monitor();
    monitor.check("x").history(3).preset(CheckPreset::OnDemand).history(3).spawn(well).unwrap();
    for _ in 0..10 {
        monitor.run_now().await;
        sleep(secs(1)).await;
    }
    let ages: Vec<_> = monitor.history("x").into_iter().map(|result| result.age).collect();
    assert_eq!(ages, [secs(3), secs(2), secs(1)]);
    monitor.reconfigure("x", CheckConfig { history: 1, ..CheckConfig::default() }).unwrap();
    monitor.run_now().await;
    assert_eq!(monitor.history("x").len(), 1);
}
