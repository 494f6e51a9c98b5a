//! The way from a stack back to the caller.
//!
//! A stack is built once and lives for ever; the rest of a middleware chain is borrowed anew for
//! each request. So the stack ends in a service that holds nothing, and each request brings along,
//! in its extensions, a channel to the one who waits for it and holds the borrow.

use http::Extensions;
use reqwest::Body;
use tokio::sync::{mpsc, oneshot};

use crate::error::NextError;

/// What one call of the stack's end asks of the caller: send this, and say what came of it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) request: http::Request<Body>,
    pub(crate) reply: Reply,
    pub(crate) link: Link,
}

pub(crate) type Reply = oneshot::Sender<Result<http::Response<Body>, NextError>>;

/// The caller's end: the calls its stack makes, in order.
///
/// Unbounded, because a stack that waits here while its caller waits for the stack would never
/// end; it holds what the stack starts between two polls of the caller.
pub(crate) type Jobs = mpsc::UnboundedReceiver<Job>;

/// The stack's end, one for each request that enters it.
#[derive(Clone, Debug)]
pub(crate) struct Link(mpsc::UnboundedSender<Job>);

impl Link {
    pub(crate) fn new() -> (Self, Jobs) {
        let (sender, jobs) = mpsc::unbounded_channel();
        (Self(sender), jobs)
    }

    /// Hands the request to the caller. If the caller is gone the reply is dropped with it, which
    /// is what its receiver waits for.
    pub(crate) fn send(self, request: http::Request<Body>, reply: Reply) {
        let job = Job { request, reply, link: self.clone() };
        drop(self.0.send(job));
    }
}

/// The extensions as an attempt left them, on their way to the middleware before the stack.
///
/// They travel with the response or the error, so that it is the attempt that won whose
/// extensions are taken.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) link: Link,
    pub(crate) extensions: Extensions,
}

impl Outcome {
    /// Writes the extensions back, unless they are another request's: a layer may answer from a
    /// cache, or give one answer to several callers.
    pub(crate) fn restore(self, link: &Link, extensions: &mut Extensions) {
        if self.link.0.same_channel(&link.0) {
            *extensions = self.extensions;
        }
    }
}
