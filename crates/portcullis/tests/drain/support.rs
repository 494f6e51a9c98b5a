//! What the tests share.

use std::time::Duration;

use portcullis::{Drain, Registry, drain::DrainBuilder};

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// In a registry of its own: announced for 5 s, and 10 s of grace.
pub(crate) fn drain() -> DrainBuilder {
    Drain::builder("shop").grace(secs(10)).registry(&Registry::new())
}

/// Lets every other task run until it waits; no time goes by.
pub(crate) async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}
