//! What ends the tasks.

use portcullis::{HealthMonitor, Level, Registry};
use tokio::{
    runtime::{Builder, Handle},
    time::sleep,
};

use crate::support::{Runs, hangs, monitor, secs, taking};

fn alive() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test(start_paused = true)]
async fn all_tasks_end_with_the_last_handle() {
    let before = alive();
    let (monitor, runs) = (monitor(), Runs::default());
    let other = monitor.clone();
    for n in 0..20 {
        monitor.check(format!("{n}")).spawn(taking(secs(n), &runs)).unwrap();
    }
    monitor.check("hung").spawn(hangs).unwrap();
    sleep(secs(2)).await;
    assert_eq!(alive(), before + 21);

    drop(monitor);
    sleep(secs(1)).await;
    assert_eq!(alive(), before + 21, "another handle is left");
    drop(other);
    sleep(secs(1)).await;
    assert_eq!((alive(), runs.going()), (before, 0));
}

#[tokio::test(start_paused = true)]
async fn checks_that_come_and_go_leave_no_tasks() {
    let (before, monitor, runs) = (alive(), monitor(), Runs::default());
    for n in 0..1000 {
        monitor.check(format!("{}", n % 7)).spawn(taking(secs(n % 3), &runs)).unwrap();
        if n % 5 == 0 {
            monitor.remove(&format!("{}", n % 3));
        }
        tokio::task::yield_now().await;
    }
    sleep(secs(1)).await;
    assert_eq!(alive(), before + monitor.statuses().len());
    drop(monitor);
    sleep(secs(1)).await;
    assert_eq!(alive(), before);
}

/// Outside a runtime nothing can run; the first who asks inside of one starts it.
#[test]
fn a_monitor_may_be_put_together_outside_of_a_runtime() {
    let (monitor, runs) = (monitor(), Runs::default());
    monitor.check("x").spawn(taking(secs(0), &runs)).unwrap();
    assert!(!monitor.status("x").unwrap().started);
    assert_eq!(monitor.registry().snapshot()[0].state, "stopped");

    let runtime = || Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime().block_on(async {
        monitor.refresh().await;
        assert!(monitor.status("x").unwrap().started);
    });
    assert_eq!(runs.count(), 1);
    let status = monitor.status("x").unwrap();
    assert!(!status.started, "its runtime is gone");
    assert_eq!(status.level, Level::Warning, "it was well, and nobody knows how it is now");
    assert_eq!(monitor.level(), Level::Warning);
    runtime().block_on(monitor.run_now());
    assert_eq!(runs.count(), 2);
}

/// Whoever waits for a run on another runtime is not kept waiting when that ends.
#[test]
fn a_runtime_that_ends_lets_go_of_who_waits() {
    let checks = Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    let monitor = HealthMonitor::on(&Registry::new(), checks.handle());
    monitor.check("hung").timeout(secs(3600)).spawn(hangs).unwrap();

    let asking = Builder::new_current_thread().enable_time().build().unwrap();
    asking.block_on(async {
        let run = tokio::spawn(async move { monitor.run_now().await });
        tokio::task::yield_now().await;
        checks.shutdown_background();
        tokio::time::timeout(secs(20), run).await.expect("it ends").unwrap();
    });
}
