//! Calls without tower.

use std::future::Future;

use portcullis_core::Verdict;

use super::RetryCall;
use crate::{FromRejection, protocol::Attempt};

/// Makes attempts until one succeeds, or there is no further one.
pub(super) async fn run<F, Fut, T, E>(mut call: RetryCall, mut attempt: F) -> Result<T, E>
where
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: FromRejection,
{
    loop {
        let result = attempt(call.attempt()).await;
        let Err(error) = &result else {
            call.succeeded();
            return result;
        };
        let failure = match (error.verdict(), error.as_rejection()) {
            (Verdict::Failure(failure), _) => Some(failure),
            (_, Some(refusal)) => call.failure_of(refusal),
            _ => None,
        };
        let Some(wait) = failure.and_then(|failure| call.next(&failure).ok()) else { return result };
        drop(result);
        tokio::time::sleep(wait).await;
    }
}
