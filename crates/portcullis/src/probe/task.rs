//! The task that asks.

use std::sync::{Arc, Weak};

use super::policy::Shared;
use crate::{
    check::{self, AnyAsk},
    clock,
};

/// Asks again and again, until the probe is dropped. A check's bug does not end it, or it would stay at its last word
/// for ever.
pub(super) async fn run(probe: Weak<Shared>, check: Arc<dyn AnyAsk>) {
    loop {
        let Some(limit) = probe.upgrade().map(|probe| probe.config.load().timeout) else { return };
        let before = clock::now();
        let answer = check::run(&*check, limit).await;
        let took = clock::now().since(before);
        let Some(wait) = probe.upgrade().map(|probe| probe.record(&answer, took)) else { return };
        tokio::time::sleep(wait).await;
    }
}
