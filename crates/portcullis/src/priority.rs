//! How much a request says that it matters.

use ::http::{HeaderName, Request};
use portcullis_core::Priority;

/// What the request's extension says; if it has none, what its header says, if that is a priority.
pub(crate) fn told<B>(request: &Request<B>, header: Option<&HeaderName>) -> Option<Priority> {
    let in_header = || request.headers().get(header?)?.to_str().ok()?.trim().parse().ok();
    request.extensions().get::<Priority>().copied().or_else(in_header)
}
