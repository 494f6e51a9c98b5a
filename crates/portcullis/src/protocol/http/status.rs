//! What status codes say.

use ::http::{HeaderMap, HeaderValue, StatusCode};
use portcullis_core::{Delivery, Failure, FailureKind, GrpcCode, Rejection, Verdict};

use super::{Head, advice};

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
    let wait = advice::wait(head.status, head.headers);
    Failure::new(kind).delivery(delivery).retry_after(wait).status(head.status.as_u16()).into()
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

/// The gRPC status in a head, unless it is OK, as a failure, whether or not it counts as one.
pub(super) fn grpc_failure(head: &Head<'_>) -> Option<(GrpcCode, Failure)> {
    let status = head.headers.get(GRPC_STATUS)?;
    let code = GrpcCode::from_number(status.to_str().ok()?.parse().ok()?)?;
    if code == GrpcCode::Ok || head.extensions.get::<Rejection>().is_some() {
        return None;
    }
    let failure = match grpc_status(status, head.headers) {
        Verdict::Failure(failure) => failure,
        _ => grpc_failed(FailureKind::Other, status, head.headers),
    };
    Some((code, failure))
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
    grpc_failed(kind, status, beside).into()
}

fn grpc_failed(kind: FailureKind, status: &HeaderValue, beside: &HeaderMap) -> Failure {
    let code = status.to_str().ok().and_then(|code| code.parse().ok());
    advice::advised(Failure::new(kind).status(code.unwrap_or_default()), beside)
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroU16, time::Duration};

    use ::http::Response;

    use super::*;

    fn failure(verdict: Option<Verdict>) -> Failure {
        *verdict.as_ref().and_then(Verdict::failure).unwrap()
    }

    #[test]
    fn a_failure_knows_its_status_and_what_was_asked_for() {
        let response = Response::builder().status(429).header("retry-after-ms", "20.5").body(()).unwrap();
        let asked = failure(Some(judge_client(&Head::of(&response))));
        assert_eq!(asked.status.map(NonZeroU16::get), Some(429));
        assert_eq!(asked.retry_after, Some(Duration::from_micros(20_500)));

        let http = Response::builder().status(503).body(()).unwrap();
        let asked = failure(judge_grpc(&Head::of(&http), judge_client));
        assert_eq!(asked.status.map(NonZeroU16::get), Some(503), "no gRPC at all");
    }

    #[test]
    fn a_grpc_call_says_so_in_its_head_or_its_trailers() {
        let end = |pushback| {
            Response::builder().header(GRPC_STATUS, "14").header(advice::PUSHBACK, pushback).body(()).unwrap()
        };
        let (wait, never) = (end("70"), end("-1"));
        for asked in [
            failure(judge_grpc(&Head::of(&wait), judge_client)),
            failure(Some(judge_trailers(wait.headers()))),
        ] {
            assert_eq!((asked.status.map(NonZeroU16::get), asked.do_not_retry), (Some(14), false));
            assert_eq!(asked.retry_after, Some(Duration::from_millis(70)));
        }
        for asked in [
            failure(judge_grpc(&Head::of(&never), judge_client)),
            failure(Some(judge_trailers(never.headers()))),
        ] {
            assert!(asked.do_not_retry && asked.retry_after.is_none());
        }
    }
}
