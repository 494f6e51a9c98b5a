//! The wait that an HTTP response asks for.

use std::time::{Duration, SystemTime};

use ::http::{HeaderMap, StatusCode};

use super::{LONGEST, number, rate_limit, text};

/// The wait a failed response asks for. The first of these that can be read: what was meant for this very
/// request before what tells of a quota, and the more precise first.
///
/// 1. `retry-after-ms` (OpenAI, Azure), `x-ms-retry-after-ms` (Azure): milliseconds, also fractions of one
/// 2. `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date
/// 3. `RateLimit`, then `RateLimit-Reset`, `X-RateLimit-Reset`, `X-Rate-Limit-Reset`: see [`rate_limit`]
pub(in super::super) fn wait(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    let wait = retry_after_ms(headers)
        .or_else(|| retry_after(headers))
        .or_else(|| rate_limit::quota(headers))
        .or_else(|| rate_limit::reset(status, headers))?;
    Some(wait.min(LONGEST))
}

fn retry_after_ms(headers: &HeaderMap) -> Option<Duration> {
    let wait = |name| millis(text(headers, name)?);
    wait("retry-after-ms").or_else(|| wait("x-ms-retry-after-ms"))
}

/// Digits, and a fraction of them if need be: no sign, exponent or infinity, which a float may have.
fn millis(value: &str) -> Option<Duration> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    number(whole).and(number(fraction))?;
    let millis: f64 = value.parse().ok()?;
    Some(Duration::try_from_secs_f64(millis / 1000.0).unwrap_or(LONGEST))
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers, "retry-after")?;
    match number(value) {
        Some(seconds) => Some(Duration::from_secs(seconds)),
        None => until(httpdate::parse_http_date(value).ok()?, headers),
    }
}

/// The time until then, measured against the response's own `Date`, because clocks differ. Without one it
/// cannot be told.
pub(super) fn until(then: SystemTime, headers: &HeaderMap) -> Option<Duration> {
    let now = httpdate::parse_http_date(text(headers, "date")?).ok()?;
    Some(then.duration_since(now).unwrap_or_default())
}
