//! The bulkhead: what waits, and how much of it.

use portcullis::{Bulkhead, BulkheadLayer, PolicyKind};
use portcullis_testkit::script::Step;
use tower::{ServiceBuilder, ServiceExt};

use crate::common::{healthy, ms, rejection, settle};

/// Fifty thousand calls wait, and none is refused.
#[tokio::test(start_paused = true)]
async fn t18_nothing_queues_unless_asked_for_and_never_without_a_bound() {
    for (queue, running_or_waiting) in [(0, 1), (10, 11)] {
        let bulkhead = Bulkhead::builder("t18").max_in_flight(1);
        let bulkhead = if queue == 0 { bulkhead } else { bulkhead.queue(queue, ms(1000)) }.build().unwrap();
        let (inner, dependency) = healthy();
        dependency.otherwise(|n| Step::ok(*n).held());
        let service = ServiceBuilder::new().layer(BulkheadLayer::new(bulkhead.clone())).service(inner);
        let calls: Vec<_> =
            (0..running_or_waiting).map(|n| tokio::spawn(service.clone().oneshot(n))).collect();
        settle().await;

        for n in 0..50_000 {
            assert_eq!(rejection(service.clone().oneshot(n).await).kind(), PolicyKind::Bulkhead);
        }

        let status = bulkhead.status();
        assert_eq!((status.in_flight, status.queued, status.rejected), (1, queue, 50_000));
        calls.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
