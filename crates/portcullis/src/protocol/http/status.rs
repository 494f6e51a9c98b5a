//! What status codes say.

use ::http::{HeaderMap, HeaderValue, StatusCode};
use portcullis_core::{Delivery, Failure, FailureKind, Rejection, Verdict};

use super::{Head, retry_after};

/// A response to a client.
pub(super) fn judge_client(head: &Head<'_>) -> Verdict {
    // A layer below may have answered in its own name.
    if let Some(rejection) = head.extensions.get::<Rejection>() {
        return rejection.verdict();
    }
    let kind = match head.status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => FailureKind::Timeout,
        StatusCode::TOO_MANY_REQUESTS => FailureKind::RateLimited,
        StatusCode::BAD_GATEWAY => FailureKind::Network,
        StatusCode::SERVICE_UNAVAILABLE => FailureKind::Unavailable,
        StatusCode::INSUFFICIENT_STORAGE => FailureKind::ResourceExhausted,
        // What was asked for does not exist there: an answer, and the same at every try.
        StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED => return Verdict::Success,
        status if status.is_server_error() => FailureKind::Internal,
        _ => return Verdict::Success,
    };
    // 408 and 429 say that the request was not taken up (RFC 9110 15.5.9, RFC 6585 section 4).
    let delivery = match head.status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Delivery::NotProcessed,
        _ => Delivery::MaybeProcessed,
    };
    Failure::new(kind).delivery(delivery).retry_after(retry_after::read(head.headers)).into()
}

/// A response of a server, seen from within: what it refuses is not its failure.
pub(super) fn judge_server(head: &Head<'_>) -> Verdict {
    match head.status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Verdict::Ignored,
        _ => judge_client(head),
    }
}

/// A gRPC response by what its head says, which may be no gRPC at all, but `http`; `None` when the trailers
/// will say it.
pub(super) fn judge_grpc(head: &Head<'_>, http: fn(&Head<'_>) -> Verdict) -> Option<Verdict> {
    if let Some(rejection) = head.extensions.get::<Rejection>() {
        return Some(rejection.verdict());
    }
    if let Some(status) = head.headers.get(GRPC_STATUS) {
        return Some(grpc_status(status, head.headers));
    }
    (head.status != StatusCode::OK).then(|| http(head))
}

pub(super) const GRPC_STATUS: &str = "grpc-status";

/// A gRPC call by its trailers. A call must end with a status; one that does not has failed.
pub(super) fn judge_trailers(trailers: &HeaderMap) -> Verdict {
    match trailers.get(GRPC_STATUS) {
        Some(status) => grpc_status(status, trailers),
        None => no_grpc_status(),
    }
}

/// A gRPC call that ended without a status.
pub(super) fn no_grpc_status() -> Verdict {
    Failure::new(FailureKind::Network).into()
}

/// Codes of <https://grpc.io/docs/guides/status-codes/>. None of them says that nothing was done: a handler
/// that is half through answers `UNAVAILABLE` too, when a dependency of its own is.
fn grpc_status(status: &HeaderValue, beside: &HeaderMap) -> Verdict {
    let kind = match status.as_bytes() {
        // OK; and what is the caller's doing: invalid argument, not found, already exists, permission
        // denied, failed precondition, out of range, unimplemented, unauthenticated
        b"0" | b"3" | b"5" | b"6" | b"7" | b"9" | b"11" | b"12" | b"16" => return Verdict::Success,
        // cancelled by the caller; aborted by a conflict between callers
        b"1" | b"10" => return Verdict::Ignored,
        b"4" => FailureKind::Timeout,
        b"8" => FailureKind::ResourceExhausted,
        b"13" => FailureKind::Internal,
        b"14" => FailureKind::Unavailable,
        b"15" => FailureKind::DataLoss,
        _ => FailureKind::Other,
    };
    Failure::new(kind).retry_after(retry_after::read_pushback(beside)).into()
}
