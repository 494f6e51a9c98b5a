//! The task that asks.

use std::sync::{Arc, Weak};

use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use super::policy::Shared;
use crate::{
    check::{self, AnyAsk},
    clock,
};

/// Asks again and again, until the probe is dropped. A check's bug does not end it, or it would stay at its last word
/// for ever.
pub(super) async fn run(probe: Weak<Shared>, check: Arc<dyn AnyAsk>, wake: Arc<Notify>) {
    loop {
        let Some(limit) = probe.upgrade().map(|probe| probe.config.load().timeout) else { return };
        let before = clock::now();
        let answer = check::run(&*check, limit).await;
        let took = clock::now().since(before);
        let Some(()) = probe.upgrade().map(|probe| probe.record(&answer, took)) else { return };
        if !wait(&probe, &wake).await {
            return;
        }
    }
}

/// Waits for the next time, which is planned anew when calls have found out what this has not, and with other rules;
/// `false` when the probe is gone. However often it is planned, it is as long after the last probe as the rules say.
async fn wait(probe: &Weak<Shared>, wake: &Notify) -> bool {
    let (ended, chance) = (Instant::now(), fastrand::f64());
    loop {
        let Some(wait) = probe.upgrade().map(|probe| probe.next_in(chance)) else { return false };
        if timeout_at(ended + wait, wake.notified()).await.is_err() {
            return true;
        }
    }
}
