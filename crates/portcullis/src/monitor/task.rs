//! The task of a check.

use std::sync::{Arc, Weak};

use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use super::check::{Check, End, Phase};
use crate::{check, clock};

/// Asks again and again, until the check is dropped.
pub(super) async fn run(check: Weak<Check>, wake: Arc<Notify>, _end: End) {
    while let Some(next) = once(&check).await {
        if !wait(&check, &wake, next).await {
            return;
        }
    }
}

/// When the next run is; `None` for never.
type Next = Option<Instant>;

/// One run; `None` when the check is gone.
async fn once(check: &Weak<Check>) -> Option<Next> {
    let (ask, limit) = {
        let check = check.upgrade()?;
        check.begin();
        (check.ask.clone(), check.config.load().timeout)
    };
    let before = clock::now();
    let answer = check::run(&*ask, limit).await;
    let took = clock::now().since(before);
    let wait = check.upgrade()?.end(answer, took);
    // So far away that it cannot be said is never.
    Some(wait.and_then(|wait| Instant::now().checked_add(wait)))
}

/// Waits for the next time, or until somebody wants a run before; `false` when the check is gone.
async fn wait(check: &Weak<Check>, wake: &Notify, next: Next) -> bool {
    loop {
        let waited = match next {
            Some(next) => timeout_at(next, wake.notified()).await,
            None => {
                wake.notified().await;
                Ok(())
            }
        };
        let Some(check) = check.upgrade() else { return false };
        // A wish may be fulfilled already, by a run whose time had come.
        if waited.is_err() || check.state().phase == Phase::Wanted {
            return true;
        }
    }
}
