//! How late the runtime is.

use std::time::Duration;

use portcullis::{Level, check::Lag, clock, monitor::Grades};

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

#[test]
fn levels_out_of_order_are_errors() {
    let error = Lag::new().grades(Grades::of(0.5, 0.2, 1.0)).unwrap_err();
    assert_eq!(error.to_string(), "lag.seconds.degraded is 0.2: allowed is 0.5 to 60.0");
}
