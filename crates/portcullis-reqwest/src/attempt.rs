//! The caller's side of a stack: it runs the calls that the stack makes.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use reqwest::Body;
use reqwest_middleware::Next;

use crate::{
    convert,
    error::NextError,
    extensions,
    link::{Job, Jobs, Link, Outcome},
};

/// Waits for `call`, and meanwhile runs each of the `jobs` it makes through `next`.
///
/// All of it happens in the caller's task, because `next` is borrowed from the caller: dropping
/// this future drops every attempt, and what is still queued.
pub(crate) async fn drive<F: Future>(call: F, mut jobs: Jobs, next: Next<'_>) -> F::Output {
    let mut call = pin!(call);
    let mut running = FuturesUnordered::new();
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(output) = call.as_mut().poll(cx) {
                return Poll::Ready(output);
            }
            while let Poll::Ready(Some(job)) = jobs.poll_recv(cx) {
                running.push(attempt(next.clone(), job));
            }
            // Each of the three has our waker now. Only an attempt that ended has something for
            // `call`, which is asked again at once instead of by way of the scheduler.
            let Poll::Ready(Some(())) = running.poll_next_unpin(cx) else { return Poll::Pending };
        }
    })
    .await
}

/// Runs one job until it has a reply, or until nobody waits for the reply any more: a timeout
/// struck, a hedge was lost.
async fn attempt(next: Next<'_>, job: Job) {
    let Job { request, mut reply, link } = job;
    let result = {
        let mut run = pin!(run(next, request, link));
        poll_fn(|cx| match run.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending => reply.poll_closed(cx).map(|()| None),
        })
        .await
    };
    if let Some(result) = result {
        // Not waited for any more: the response is dropped, as it would have been a moment before.
        drop(reply.send(result));
    }
}

async fn run(
    next: Next<'_>,
    request: http::Request<Body>,
    link: Link,
) -> Result<http::Response<Body>, NextError> {
    let (request, mut extensions) = extensions::leave(request).map_err(reqwest_middleware::Error::from)?;
    let result = next.run(request, &mut extensions).await;
    let outcome = Outcome { link, extensions };
    match result {
        Ok(response) => {
            let mut response = convert::into_http(response);
            response.extensions_mut().insert(outcome);
            Ok(response)
        }
        Err(error) => Err(NextError::new(error, outcome)),
    }
}
