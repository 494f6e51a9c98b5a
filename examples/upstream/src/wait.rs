//! Waiting in tests.

use std::{future::Future, time::Duration};

/// Far more than anything on loopback takes, also on a machine that is busy with other things.
const LONG: Duration = Duration::from_secs(60);

/// What must happen soon; fails, rather than hangs, if it does not.
///
/// # Panics
///
/// After a minute.
#[track_caller]
pub fn soon<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let caller = std::panic::Location::caller();
    async move {
        #[expect(clippy::panic, reason = "a test that cannot go on fails")]
        match tokio::time::timeout(LONG, future).await {
            Ok(output) => output,
            Err(_) => panic!("what was awaited at {caller} has not happened"),
        }
    }
}

/// Looks again and again until it is so: for conditions that tell nobody when they come true.
///
/// # Panics
///
/// After a minute.
#[track_caller]
pub fn until(mut condition: impl FnMut() -> bool) -> impl Future<Output = ()> {
    soon(async move {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
}
