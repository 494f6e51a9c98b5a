//! A refusal as a response.

use std::time::Duration;

use ::http::{HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use portcullis_core::{FailureKind, Reason, Rejection, breaker::Cause};
use serde_json::{Value, json};

use crate::Ticket;

use super::{ResponseBody, Wire, advice::PUSHBACK, status::GRPC_STATUS};

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
/// The reason in one word, for proxies and access logs, which read no bodies.
const REASON: &str = "portcullis-reason";
const UNAVAILABLE: &str = "14";
const RESOURCE_EXHAUSTED: &str = "8";
const INTERNAL: &str = "13";
const DATA_LOSS: &str = "15";
const DEADLINE_EXCEEDED: &str = "4";

/// The refusal in the words of the protocol that the request came in.
pub(super) fn response<B, T: Ticket>(wire: Wire, rejection: Rejection) -> Response<ResponseBody<B, T>> {
    let response = match wire {
        Wire::Http => refusal(rejection),
        Wire::Head => without_content(refusal(rejection)),
        Wire::Grpc => grpc(rejection),
    };
    response.map(ResponseBody::full)
}

/// The response by which [`HttpServer`](crate::HttpServer) refuses: 503, 504 for a timeout, 429 for a rate
/// limit and for a key that has its share, 500 for a panic, with `Retry-After`, the reason in one word in `portcullis-reason`, and a problem document (RFC 9457). For
/// handlers that meet the rejection of a stack below and want to pass it on.
///
/// ```
/// use portcullis::{Breaker, protocol::refusal};
///
/// let breaker = Breaker::new("inventory");
/// breaker.trip();
/// let response = refusal(breaker.try_admit().unwrap_err());
/// assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (503, &"5".parse().unwrap()));
/// ```
pub fn refusal(rejection: Rejection) -> Response<Bytes> {
    let status = match rejection.reason() {
        Reason::Timeout { .. } => StatusCode::GATEWAY_TIMEOUT,
        Reason::RateLimited { .. } | Reason::KeyFull { .. } => StatusCode::TOO_MANY_REQUESTS,
        Reason::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        Reason::Injected { kind } => status_of(kind),
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let document = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": rejection.to_string(),
        "policy": &**rejection.policy(),
        "kind": rejection.kind().as_str(),
        "reason": rejection.reason().as_str(),
        "retry_after_ms": rejection.retry_after().map(whole_millis),
        "evidence": evidence(rejection.reason()),
    });
    let mut response = Response::new(Bytes::from(document.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, PROBLEM_JSON);
    response.headers_mut().insert(REASON, HeaderValue::from_static(rejection.reason().as_str()));
    if let Some(after) = rejection.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(after)));
    }
    response.extensions_mut().insert(rejection);
    response
}

/// The status of a dependency that fails in this way.
fn status_of(kind: FailureKind) -> StatusCode {
    match kind {
        FailureKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        FailureKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        FailureKind::Connection | FailureKind::Network => StatusCode::BAD_GATEWAY,
        FailureKind::Unavailable | FailureKind::ResourceExhausted => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The gRPC status of a dependency that fails in this way.
fn code_of(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Timeout => DEADLINE_EXCEEDED,
        FailureKind::RateLimited | FailureKind::ResourceExhausted => RESOURCE_EXHAUSTED,
        FailureKind::Connection | FailureKind::Network | FailureKind::Unavailable => UNAVAILABLE,
        FailureKind::DataLoss => DATA_LOSS,
        _ => INTERNAL,
    }
}

/// What the policy measured, and what it held that against.
fn evidence(reason: Reason) -> Value {
    match reason {
        Reason::Breaker(evidence) => json!({
            "rule": evidence.cause.map(Cause::as_str),
            "limit": evidence.cause.map(|_| evidence.limit),
            "calls": evidence.calls,
            "failures": evidence.failures,
            "slow": evidence.slow,
            "failure_ratio": evidence.failure_ratio(),
            "last_failure": evidence.last_failure.map(FailureKind::as_str),
        }),
        Reason::BulkheadFull { limit, queued } => json!({ "limit": limit, "queued": queued }),
        Reason::BulkheadShort { limit, free, queued, weight } => {
            json!({ "limit": limit, "free": free, "queued": queued, "weight": weight })
        }
        Reason::QueueDropped { limit, waited, target } => json!({
            "limit": limit,
            "waited_ms": whole_millis(waited),
            "target_ms": whole_millis(target),
        }),
        Reason::QueueTimeout { limit, max_wait } => {
            json!({ "limit": limit, "max_wait_ms": whole_millis(max_wait) })
        }
        Reason::Timeout { scope, limit, sent } => {
            json!({ "scope": scope.as_str(), "limit_ms": whole_millis(limit), "sent": sent })
        }
        Reason::RateLimited { permits, period, cost, queued } => json!({
            "permits": permits, "period_ms": whole_millis(period), "cost": cost, "queued": queued,
        }),
        Reason::KeyFull { limit, in_flight, overall, queued } => {
            json!({ "limit": limit, "in_flight": in_flight, "overall": overall, "queued": queued })
        }
        Reason::LimitReached { limit, in_flight } => json!({ "limit": limit, "in_flight": in_flight }),
        Reason::Throttled { requests, accepted, chance } => {
            json!({ "requests": requests, "accepted": accepted, "chance": chance })
        }
        Reason::Overloaded { signal, measured, limit } => {
            json!({ "signal": signal.as_str(), "measured": measured, "limit": limit })
        }
        Reason::NoEndpoint { endpoints } => json!({ "endpoints": endpoints }),
        Reason::PoolFull { threads, queued } => json!({ "threads": threads, "queued": queued }),
        Reason::PoolTimeout { threads, max_wait } => {
            json!({ "threads": threads, "max_wait_ms": whole_millis(max_wait) })
        }
        Reason::Injected { kind } => json!({ "kind": kind.as_str() }),
        _ => Value::Null,
    }
}

/// The answer to a `HEAD`: what a `GET` would get, but for the content. hyper takes that off by itself only
/// with HTTP/1; with HTTP/2 the client would see a broken stream.
pub(crate) fn without_content(mut response: Response<Bytes>) -> Response<Bytes> {
    let length = std::mem::take(response.body_mut()).len();
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// Whole seconds, rounded up, at least one: nobody is to come back too early.
fn whole_seconds(after: Duration) -> u64 {
    after.as_secs().saturating_add(u64::from(after.subsec_nanos() > 0)).max(1)
}

/// Whole milliseconds, rounded up.
fn whole_millis(after: Duration) -> u64 {
    u64::try_from(after.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// A trailers-only response: the status stands in the headers, and there is no body.
fn grpc(rejection: Rejection) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, GRPC);
    status_headers(&rejection, headers);
    if let Some(after) = rejection.retry_after() {
        // Read as a signed number of 32 bits; what does not fit would forbid to try again.
        let pushback = i32::try_from(whole_millis(after)).unwrap_or(i32::MAX);
        headers.insert(PUSHBACK, HeaderValue::from(pushback));
    }
    response.extensions_mut().insert(rejection);
    response
}

/// The gRPC status of a refusal, for headers or trailers.
pub(super) fn status_headers(rejection: &Rejection, headers: &mut ::http::HeaderMap) {
    let code = match rejection.reason() {
        Reason::Timeout { .. } => DEADLINE_EXCEEDED,
        Reason::BulkheadFull { .. }
        | Reason::BulkheadShort { .. }
        | Reason::QueueTimeout { .. }
        | Reason::QueueDropped { .. }
        | Reason::RateLimited { .. }
        | Reason::KeyFull { .. }
        | Reason::LimitReached { .. }
        | Reason::PoolFull { .. }
        | Reason::PoolTimeout { .. } => RESOURCE_EXHAUSTED,
        Reason::Panicked => INTERNAL,
        Reason::Injected { kind } => code_of(kind),
        _ => UNAVAILABLE,
    };
    headers.insert(GRPC_STATUS, HeaderValue::from_static(code));
    headers.insert("grpc-message", percent_encoded(&rejection.to_string()));
    headers.insert(REASON, HeaderValue::from_static(rejection.reason().as_str()));
}

/// As the gRPC protocol wants its messages: everything but printable ASCII, and `%`, in percent.
fn percent_encoded(message: &str) -> HeaderValue {
    let mut encoded = String::with_capacity(message.len());
    for byte in message.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    // Printable ASCII alone is always a value.
    HeaderValue::try_from(encoded).unwrap_or(HeaderValue::from_static("refused"))
}

#[cfg(test)]
mod tests {
    use portcullis_core::Name;

    use super::*;

    fn rejection(after: Duration) -> Rejection {
        let reason = Reason::BulkheadFull { limit: 1, queued: 0 };
        Rejection::new(Name::from("lager-50%-ü\n"), reason).with_retry_after(Some(after))
    }

    fn document(response: &Response<Bytes>) -> Value {
        serde_json::from_slice(response.body()).unwrap()
    }

    #[test]
    fn the_document_tells_by_which_rule_and_which_values() {
        let breaker = crate::Breaker::builder("shop").registry(&crate::Registry::new()).build().unwrap();
        for _ in 0..5 {
            let failure = portcullis_core::Failure::new(FailureKind::Timeout);
            crate::Ticket::settle(&mut breaker.try_admit().unwrap(), failure.into());
        }
        let response = refusal(breaker.try_admit().unwrap_err());
        let document = document(&response);
        let expected = json!({
            "rule": "consecutive_failures", "limit": 5.0, "calls": 5, "failures": 5, "slow": 0,
            "failure_ratio": 1.0, "last_failure": "timeout",
        });
        assert_eq!(document["evidence"], expected);
        assert_eq!(response.headers()["portcullis-reason"], "open");
        assert!(
            document["detail"].as_str().unwrap().contains("5 of 5 calls failed (consecutive_failures 5)")
        );
    }

    #[test]
    fn no_wait_is_too_long_or_comes_out_too_short() {
        for (after, seconds, millis, pushback) in [
            (Duration::ZERO, "1", 0, "0"),
            (Duration::from_micros(1), "1", 1, "1"),
            (Duration::from_micros(1_000_001), "2", 1001, "1001"),
            // 584 years: a rejection counts nanoseconds in 64 bits.
            (Duration::MAX, "18446744074", 18_446_744_073_710_u64, "2147483647"),
        ] {
            let http = refusal(rejection(after));
            assert_eq!(http.headers()[header::RETRY_AFTER], seconds, "{after:?}");
            assert_eq!(document(&http)["retry_after_ms"], millis, "{after:?}");
            assert_eq!(grpc(rejection(after)).headers()["grpc-retry-pushback-ms"], pushback, "{after:?}");
        }
    }

    #[test]
    fn any_name_fits_into_a_grpc_message() {
        let response = grpc(rejection(Duration::ZERO));
        let message = response.headers()["grpc-message"].to_str().unwrap();
        assert!(message.starts_with("bulkhead 'lager-50%25-%C3%BC%0A' is full"), "{message}");
    }
}
