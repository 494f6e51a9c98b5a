//! Work of a pool that is disabled.

use std::{convert::Infallible, panic::resume_unwind};

use tokio::{runtime::Handle, sync::oneshot};

use super::caller::Caller;

/// Runs `work` where it would run without the pool: on one of the threads that its runtime keeps for what
/// blocks, or right here if there is no runtime that it could keep from its work.
pub(super) async fn run<T: Send + 'static>(work: impl FnOnce(&Caller<'_>) -> T + Send + 'static) -> T {
    let Ok(runtime) = Handle::try_current() else { return work(&Caller::new(&|| false)) };
    let (alive, _dropped_with_the_call) = oneshot::channel::<Infallible>();
    let done = runtime.spawn_blocking(move || {
        let is_gone = || alive.is_closed();
        if is_gone() { None } else { Some(work(&Caller::new(&is_gone))) }
    });
    match done.await {
        Ok(Some(value)) => value,
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        // The runtime is going, and its tasks with it.
        Ok(None) | Err(_) => std::future::pending().await,
    }
}
