//! `Retry-After`.

use std::time::{Duration, SystemTime};

use ::http::{HeaderMap, header};

/// Nobody is told to wait longer than this; what is asked beyond it is taken as this.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The wait a response asks for (RFC 9110, section 10.2.3): seconds, or a date, which is measured against
/// the response's own `Date`, because clocks differ.
pub(super) fn read(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !value.is_empty() && value.bytes().all(|digit| digit.is_ascii_digit()) {
        // More digits than fit are more than the cap.
        value.parse().map_or(LONGEST, Duration::from_secs)
    } else {
        let until = httpdate::parse_http_date(value).ok()?;
        until.duration_since(date(headers)?).unwrap_or_default()
    };
    Some(wait.min(LONGEST))
}

fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(header::DATE)?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
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
}
