//! What the tests share.

use std::time::Duration;

use portcullis::{
    BoxError, KeyedBulkhead, Registry, Rejection,
    bulkhead::keyed::{KeyedBulkheadBuilder, KeyedBulkheadTicket},
};
use tokio::task::JoinHandle;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A call that has its permits, or was refused.
pub(crate) type Admitted = JoinHandle<Result<KeyedBulkheadTicket, Rejection>>;

/// So many for all keys, in a registry of its own.
pub(crate) fn tenants(overall: u32) -> KeyedBulkheadBuilder {
    KeyedBulkhead::builder("tenants").overall(overall).registry(&Registry::new())
}

/// Takes so many permits, one by one; as many as it got.
pub(crate) fn take(tenants: &KeyedBulkhead, key: &str, calls: usize) -> Vec<KeyedBulkheadTicket> {
    (0..calls).map_while(|_| tenants.try_admit(key).ok()).collect()
}

/// A call that waits for its permit.
pub(crate) async fn wait(tenants: &KeyedBulkhead, key: &'static str) -> Admitted {
    let tenants = tenants.clone();
    let call = tokio::spawn(async move { tenants.admit(key).await });
    settle().await;
    call
}

/// Lets every other task run until it waits; no time goes by.
pub(crate) async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// The rejection that a call ended with.
pub(crate) fn rejection<T: std::fmt::Debug>(result: Result<T, BoxError>) -> Rejection {
    Rejection::find(&*result.unwrap_err()).unwrap().clone()
}
