//! How late the runtime is.

use std::time::Duration;

use portcullis::{
    HealthMonitor, Level, Registry,
    check::{Lag, Outcome},
    clock,
    monitor::Grades,
};
use tokio::runtime::Builder;

use crate::found;

#[tokio::test]
async fn a_runtime_with_nothing_to_do_is_well() {
    let lag = Lag::new().grades(Grades { critical: Some(2.0), ..Grades::default() }).unwrap();
    assert_eq!(found(lag).await.level, Level::Healthy);
}

/// Tasks that keep its one thread for 20 ms at a time, and there is always one more.
#[tokio::test]
async fn a_runtime_that_is_always_busy_is_late() {
    let busy = || async {
        loop {
            let until = clock::now() + Duration::from_millis(20);
            while clock::now() < until {
                std::hint::spin_loop();
            }
            tokio::task::yield_now().await;
        }
    };
    let tasks: Vec<_> = (0..4).map(|_| tokio::spawn(busy())).collect();
    let lag = Lag::new().grades(Grades::of(0.01, 0.015, 30.0)).unwrap();
    let status = found(lag).await;
    assert_eq!(status.level, Level::Degraded, "{status:?}");
    assert!(status.message.unwrap().ends_with(" late"));
    tasks.iter().for_each(|task| task.abort());
}

/// Its threads are blocked for good: it cannot say so itself, but a monitor elsewhere can.
#[tokio::test]
async fn a_runtime_that_is_blocked_is_found_from_another() {
    let served = Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    let registry = Registry::new();
    let monitor = HealthMonitor::new(&registry);
    let lag = Lag::of(served.handle()).grades(Grades { critical: Some(30.0), ..Grades::default() }).unwrap();
    monitor.check("served").timeout(Duration::from_secs(2)).on_demand().spawn(lag).unwrap();
    assert_eq!(monitor.run_one("served").await.unwrap().level, Level::Healthy);

    let (release, blocked) = std::sync::mpsc::channel::<()>();
    served.spawn(async move { blocked.recv() });
    let status = monitor.run_one("served").await.unwrap();
    assert_eq!((status.outcome, status.level), (Some(Outcome::Timeout), Level::Degraded));
    drop(release);
    assert_eq!(monitor.run_one("served").await.unwrap().level, Level::Healthy);

    served.shutdown_background();
    let status = monitor.run_one("served").await.unwrap();
    assert_eq!(status.outcome, Some(Outcome::Failure), "{status:?}");
}

#[test]
fn levels_out_of_order_are_errors() {
    let error = Lag::new().grades(Grades::of(0.5, 0.2, 1.0)).unwrap_err();
    assert_eq!(error.to_string(), "lag.seconds.degraded is 0.2: allowed is 0.5 to 60.0");
}
