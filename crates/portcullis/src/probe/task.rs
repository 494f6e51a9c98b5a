//! The task that asks.

use std::{future::Future, sync::Weak};

use super::policy::Shared;
use crate::{BoxError, clock};

/// Asks again and again, until the probe is dropped.
pub(super) async fn run<F, Fut>(probe: Weak<Shared>, check: F)
where
    F: Fn() -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), BoxError>> + Send,
{
    loop {
        let Some(limit) = probe.upgrade().map(|probe| probe.config.timeout) else { return };
        let before = clock::now();
        let result = match tokio::time::timeout(limit, check()).await {
            Ok(result) => result,
            Err(elapsed) => Err(elapsed.into()),
        };
        let took = clock::now().since(before);
        let Some(wait) = probe.upgrade().map(|probe| probe.record(result, took)) else { return };
        tokio::time::sleep(wait).await;
    }
}
