//! The task that asks.

use std::{
    error::Error,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Weak,
    task::Poll,
};

use portcullis_core::Verdict;

use super::policy::Shared;
use crate::{clock, protocol::judge_error};

/// What one probe learned.
pub(super) enum Answer {
    Well,
    Failed(String),
    /// It was refused on its way: no information about the dependency.
    Refused(String),
}

impl Answer {
    /// What an error says.
    pub(super) fn of(error: &(dyn Error + 'static)) -> Self {
        match judge_error(error) {
            Verdict::Ignored => Self::Refused(error.to_string()),
            Verdict::Success | Verdict::Failure(_) => Self::Failed(error.to_string()),
        }
    }

    /// A check's bug must not end the probe, which would stay at its last word for ever.
    fn panicked() -> Self {
        Self::Failed("the check panicked".into())
    }
}

/// Asks again and again, until the probe is dropped.
pub(super) async fn run<F, Fut>(probe: Weak<Shared>, check: F)
where
    F: Fn() -> Fut + Send + 'static,
    Fut: Future<Output = Answer> + Send,
{
    loop {
        let Some(limit) = probe.upgrade().map(|probe| probe.config.timeout) else { return };
        let before = clock::now();
        let asked = catch_unwind(AssertUnwindSafe(&check));
        let answer = match asked {
            Ok(asked) => match tokio::time::timeout(limit, caught(asked)).await {
                Ok(answer) => answer,
                Err(elapsed) => Answer::Failed(elapsed.to_string()),
            },
            Err(_panic) => Answer::panicked(),
        };
        let took = clock::now().since(before);
        let Some(wait) = probe.upgrade().map(|probe| probe.record(answer, took)) else { return };
        tokio::time::sleep(wait).await;
    }
}

/// The answer, also of a check that panics.
async fn caught(asked: impl Future<Output = Answer>) -> Answer {
    let mut asked = pin!(asked);
    poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| asked.as_mut().poll(cx)));
        polled.unwrap_or_else(|_panic| Poll::Ready(Answer::panicked()))
    })
    .await
}
