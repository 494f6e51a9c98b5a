//! The bulkhead where there is no timer for the wait.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Context,
};

use portcullis::{Bulkhead, Registry};
use std::{future::Future, task::Waker, time::Duration};

#[test]
fn a_wait_that_cannot_be_timed_leaves_the_queue() {
    let bulkhead = Bulkhead::builder("untimed")
        .max_in_flight(1)
        .queue(1, Duration::from_secs(1))
        .registry(&Registry::new())
        .build()
        .unwrap();
    let running = bulkhead.try_admit().unwrap();

    // Outside a runtime there are no timers, and tokio says so by a panic.
    let waiting = catch_unwind(AssertUnwindSafe(|| {
        let _ = pin!(bulkhead.admit()).poll(&mut Context::from_waker(Waker::noop()));
    }));
    assert!(waiting.is_err());

    assert_eq!(bulkhead.status().queued, 0, "its place is free");
    drop(running);
    assert_eq!(bulkhead.status().in_flight, 0, "nobody holds the permit");
}
