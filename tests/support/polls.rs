//! Futures that are watched, or given up, poll by poll.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

/// Nobody who waits by a registered waker is polled as often as this.
const FAR_TOO_OFTEN: usize = 1000;

/// Runs a future to its end, and says how often it was polled.
///
/// # Panics
///
/// When it is polled so often that it can only be waking itself: under a paused clock, which does not move
/// while somebody is awake, such a future would never end.
pub async fn count_polls<F: Future>(future: F) -> (F::Output, usize) {
    let mut future = pin!(future);
    let mut polls = 0;
    let output = poll_fn(|cx| {
        polls += 1;
        assert!(polls < FAR_TOO_OFTEN, "it waits by waking itself");
        future.as_mut().poll(cx)
    });
    (output.await, polls)
}

/// Drops a future at its `polls`-th await point, counted from 1; `Some` when it ended before that.
///
/// # Panics
///
/// When there are so many await points that it can only be waking itself, as above.
pub async fn drop_at<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polled = 0;
    poll_fn(|cx| {
        polled += 1;
        assert!(polled < FAR_TOO_OFTEN, "it waits by waking itself");
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polled >= polls => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
