//! What the tests share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use portcullis::{BoxError, HealthMonitor, Registry, check::Ask};

pub(crate) fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A monitor with a registry of its own.
pub(crate) fn monitor() -> HealthMonitor {
    HealthMonitor::new(&Registry::new())
}

/// Counts how often a check ran, and how often at the same time.
#[derive(Clone, Default)]
pub(crate) struct Runs(Arc<[AtomicU32; 3]>);

impl Runs {
    pub(crate) fn count(&self) -> u32 {
        self.0[0].load(Relaxed)
    }

    /// Runs that are going on.
    pub(crate) fn going(&self) -> u32 {
        self.0[1].load(Relaxed)
    }

    /// The most runs that ever went on at once.
    pub(crate) fn most(&self) -> u32 {
        self.0[2].load(Relaxed)
    }

    pub(crate) fn begin(&self) -> Going {
        self.0[0].fetch_add(1, Relaxed);
        let going = self.0[1].fetch_add(1, Relaxed) + 1;
        self.0[2].fetch_max(going, Relaxed);
        Going(self.clone())
    }
}

/// Ends when it is dropped.
pub(crate) struct Going(Runs);

impl Drop for Going {
    fn drop(&mut self) {
        self.0.0[1].fetch_sub(1, Relaxed);
    }
}

/// A check that takes so long, and is counted.
pub(crate) fn taking(time: Duration, runs: &Runs) -> impl Ask + use<> {
    let runs = runs.clone();
    move || {
        let going = runs.begin();
        async move {
            tokio::time::sleep(time).await;
            drop(going);
            Ok::<_, BoxError>(())
        }
    }
}

pub(crate) async fn hangs() -> Result<(), BoxError> {
    std::future::pending().await
}

pub(crate) async fn fails() -> Result<(), BoxError> {
    Err("no route to host".into())
}

pub(crate) async fn well() -> Result<(), BoxError> {
    Ok(())
}
