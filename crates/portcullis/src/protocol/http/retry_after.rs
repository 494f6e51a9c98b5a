//! `Retry-After`, and what gRPC has in its place.

use std::time::{Duration, SystemTime};

use ::http::{HeaderMap, header};

/// Nobody is told to wait longer than this; what is asked beyond it is taken as this.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
pub(super) const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// The wait a response asks for (RFC 9110, section 10.2.3): seconds, or a date, which is measured against
/// the response's own `Date`, because clocks differ.
pub(super) fn read(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match number(value) {
        Some(seconds) => Duration::from_secs(seconds),
        None => {
            let until = httpdate::parse_http_date(value).ok()?;
            until.duration_since(date(headers)?).unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST))
}

/// The wait a gRPC answer asks for by its pushback (gRFC A6), beside its status: milliseconds. What is
/// negative or no number asks for no time.
pub(super) fn read_pushback(beside: &HeaderMap) -> Option<Duration> {
    let millis = number(beside.get(PUSHBACK)?.to_str().ok()?)?;
    Some(Duration::from_millis(millis).min(LONGEST))
}

/// A number without a sign. More digits than fit are more than any cap.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(header::DATE)?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use ::http::{HeaderName, HeaderValue};

    use super::*;

    fn wait(retry_after: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(header::DATE, "Fri, 20 Nov 2026 10:00:00 GMT".parse().unwrap());
        headers.insert(header::RETRY_AFTER, retry_after.parse().unwrap());
        read(&headers)
    }

    #[test]
    fn reads_seconds_and_dates() {
        assert_eq!(wait("120"), Some(Duration::from_secs(120)));
        assert_eq!(wait("Fri, 20 Nov 2026 10:00:07 GMT"), Some(Duration::from_secs(7)));
        assert_eq!(wait("Fri, 20 Nov 2026 09:00:00 GMT"), Some(Duration::ZERO), "past");
    }

    #[test]
    fn caps_what_is_too_long_and_ignores_what_is_not_a_wait() {
        assert_eq!(wait("99999999999999999999999"), Some(LONGEST));
        for not in ["", "+5", "-1", "1.5", "soon"] {
            assert_eq!(wait(not), None, "{not:?}");
        }
    }

    #[test]
    fn reads_a_pushback_in_milliseconds() {
        let wait = |said: &'static str| {
            read_pushback(&HeaderMap::from_iter([(
                HeaderName::from_static(PUSHBACK),
                HeaderValue::from_static(said),
            )]))
        };
        assert_eq!(wait("1500"), Some(Duration::from_millis(1500)));
        assert_eq!(wait("0"), Some(Duration::ZERO));
        assert_eq!(wait("99999999999999999999999"), Some(LONGEST));
        for not in ["", "-1", "+5", "1.5", "soon"] {
            assert_eq!(wait(not), None, "{not:?}");
        }
    }
}
