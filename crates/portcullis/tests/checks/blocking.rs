//! Checks that block.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
        mpsc,
    },
    time::Duration,
};

use portcullis::{
    BoxError, HealthMonitor, Level, Registry,
    check::{Blocking, Outcome},
};

use crate::found;

#[tokio::test]
async fn it_says_what_the_function_says() {
    let status = found(Blocking::new(|| Ok::<_, BoxError>((Level::Warning, "half full")))).await;
    assert_eq!((status.level, status.message.as_deref()), (Level::Warning, Some("half full")));
    let status = found(Blocking::new(|| Err::<(), _>(BoxError::from("gone")))).await;
    assert_eq!((status.outcome, status.message.as_deref()), (Some(Outcome::Failure), Some("gone")));
    let status = found(Blocking::new(|| -> Result<(), BoxError> { panic!("a bug") })).await;
    assert_eq!(status.outcome, Some(Outcome::Panic));
    assert_eq!(status.message.as_deref(), Some("the check panicked: a bug"));
}

/// A disk that hangs costs one thread, however often it is asked; and nobody else anything.
#[tokio::test]
async fn what_hangs_is_not_run_again_before_it_has_ended() {
    let (release, hang) = mpsc::channel::<()>();
    let (hang, runs) = (Mutex::new(hang), Arc::new(AtomicU32::new(0)));
    let counted = runs.clone();
    let check = Blocking::new(move || {
        counted.fetch_add(1, Relaxed);
        let _ = hang.lock().unwrap().recv();
        Ok::<_, BoxError>(())
    });
    let monitor = HealthMonitor::new(&Registry::new());
    monitor.check("x").timeout(Duration::from_millis(20)).on_demand().spawn(check).unwrap();

    assert_eq!(monitor.run_one("x").await.unwrap().outcome, Some(Outcome::Timeout));
    for _ in 0..20 {
        let status = monitor.run_one("x").await.unwrap();
        assert_eq!(status.message.as_deref(), Some("the run before has not ended yet"));
    }
    assert_eq!(runs.load(Relaxed), 1);

    drop(release);
    while monitor.run_one("x").await.unwrap().outcome != Some(Outcome::Success) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
