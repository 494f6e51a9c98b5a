//! The upstream's workers: a bounded number, an unbounded queue, and work that goes on when its
//! caller has left. That is how most real servers are, and why overload outlives its cause.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::{Semaphore, watch};

use super::meter::Meter;
use crate::schedule::Fault;

/// Time one request takes when nothing is wrong.
const SERVICE_TIME: Duration = Duration::from_millis(10);
/// What `Fault::Latency` adds: with it all workers together are slower than the load.
const ADDED_LATENCY: Duration = Duration::from_millis(600);
/// Share of answers that are errors under `Fault::Flaky`: little enough for retries to hide.
const FLAKY_SHARE: f64 = 0.1;

/// The request could not be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken;

/// One life of the upstream's process.
#[derive(Clone, Debug)]
pub(crate) struct Workers {
    slots: Arc<Semaphore>,
    fault: watch::Receiver<Fault>,
    error_share: f64,
    meter: Arc<Meter>,
}

impl Workers {
    /// `count` workers that suffer from the faults told by `fault`; under `Fault::Errors` that share of
    /// their answers are errors.
    pub(crate) fn new(
        count: usize,
        error_share: f64,
        fault: watch::Receiver<Fault>,
        meter: Arc<Meter>,
    ) -> Self {
        Self { slots: Arc::new(Semaphore::new(count)), fault, error_share, meter }
    }

    /// Does one piece of work, to its end even if the caller drops this future.
    pub(crate) async fn work(&self) -> Result<(), Broken> {
        let inside = self.meter.enter();
        let (slots, fault, error_share) = (Arc::clone(&self.slots), self.fault.clone(), self.error_share);
        let work = tokio::spawn(async move {
            let _inside = inside;
            let _slot = slots.acquire_owned().await.map_err(|_| Broken)?;
            serve(fault, error_share).await
        });
        work.await.unwrap_or(Err(Broken))
    }

    /// Loses all work that is queued, as a dying process does.
    pub(crate) fn dismiss(&self) {
        self.slots.close();
    }
}

async fn serve(mut fault: watch::Receiver<Fault>, error_share: f64) -> Result<(), Broken> {
    // A closed channel means that the storm is over: nothing is left to wait for.
    let now = *fault.wait_for(|fault| *fault != Fault::Hang).await.map_err(|_| Broken)?;
    let added = if now == Fault::Latency { ADDED_LATENCY } else { Duration::ZERO };
    tokio::time::sleep(SERVICE_TIME + added).await;
    let share = match now {
        Fault::Flaky => FLAKY_SHARE,
        Fault::Errors => error_share,
        _ => 0.0,
    };
    if fastrand::f64() < share { Err(Broken) } else { Ok(()) }
}

/// Middleware: the request costs work, and what cannot be served is answered by `broken`.
pub(crate) async fn toil(
    State((workers, broken)): State<(Workers, fn() -> Response)>,
    request: Request,
    next: Next,
) -> Response {
    match workers.work().await {
        Ok(()) => next.run(request).await,
        Err(Broken) => broken(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workers(count: usize) -> (watch::Sender<Fault>, Arc<Meter>, Workers) {
        let (set, fault) = watch::channel(Fault::None);
        let meter = Arc::new(Meter::default());
        (set, Arc::clone(&meter), Workers::new(count, 1.0, fault, meter))
    }

    #[tokio::test(start_paused = true)]
    async fn more_work_than_workers_waits() {
        let (_set, _, workers) = workers(1);
        let start = tokio::time::Instant::now();
        let (first, second) = tokio::join!(workers.work(), workers.work());
        assert_eq!((first, second), (Ok(()), Ok(())));
        assert_eq!(start.elapsed(), SERVICE_TIME * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn hung_work_outlives_its_caller_and_ends_with_the_fault() {
        let (set, meter, workers) = workers(1);
        set.send_replace(Fault::Hang);
        let left = tokio::time::timeout(Duration::from_secs(60), workers.work()).await;
        assert!(left.is_err());
        assert_eq!(meter.take_peak(), 1, "the work goes on without its caller");
        set.send_replace(Fault::None);
        assert_eq!(workers.work().await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_dying_process_loses_its_queue() {
        let (set, _, workers) = workers(1);
        set.send_replace(Fault::Hang);
        let hung = tokio::spawn({
            let workers = workers.clone();
            async move { workers.work().await }
        });
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        let dismiss = async { workers.dismiss() };
        let (queued, ()) = tokio::join!(workers.work(), dismiss);
        assert_eq!(queued, Err(Broken));
        hung.abort();
    }
}
