//! What the tests share.

use std::time::Duration;

use portcullis::{AdaptiveLimit, Registry, Ticket, Verdict, adaptive::AdaptiveLimitBuilder};
use tokio::time::advance;

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// One in a registry of its own, with so many places at first.
pub(crate) fn limit(initial: u32) -> AdaptiveLimitBuilder {
    AdaptiveLimit::builder("limit").initial(initial).registry(&Registry::new())
}

/// So many rounds of as many calls as there are places, which end together after this time.
pub(crate) async fn rounds(limit: &AdaptiveLimit, rounds: usize, takes: Duration, verdict: Verdict) {
    for _ in 0..rounds {
        let tickets: Vec<_> = std::iter::from_fn(|| limit.try_admit().ok()).collect();
        advance(takes).await;
        for mut ticket in tickets {
            ticket.settle(verdict);
        }
    }
}
