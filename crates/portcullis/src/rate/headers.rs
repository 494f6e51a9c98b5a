//! The headers by which a server tells its clients of the limit.

use http::{HeaderMap, HeaderName, HeaderValue, Response};
use portcullis_core::Time;

use super::{Algorithm, RateLimit, Tell, tell::Told};
use crate::clock;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");
/// The largest integer of a structured field (RFC 9651).
const LARGEST: u64 = 999_999_999_999_999;

/// Adds `RateLimit-Policy` and `RateLimit` to every response, refusals too, as
/// [draft-ietf-httpapi-ratelimit-headers-10](https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/)
/// has them: `"search";q=100;w=60` and `"search";r=42;t=7`. Those that are there already, from a limit below, are
/// kept, and these are added. The limit's name is shown, never that of a key.
#[derive(Clone, Copy, Debug, Default)]
pub struct TellHeaders;

/// The limit, for the headers of one response.
#[derive(Debug)]
pub struct Headers(RateLimit);

impl Tell for TellHeaders {
    type Kept = Headers;

    fn keep(&self, limit: &RateLimit) -> Headers {
        Headers(limit.clone())
    }
}

impl<B> Told<Response<B>> for Headers {
    fn tell(&self, response: &mut Response<B>) {
        add(&self.0, clock::now(), response.headers_mut());
    }
}

fn add(limit: &RateLimit, now: Time, headers: &mut HeaderMap) {
    let (config, limiter) = (limit.config(), &limit.shared.limiter);
    let name = quoted(limit.shared.common.emitter.name());
    // A bucket gives its burst at once; a window what it has. Neither gives more than the rate for long.
    let quota = match config.algorithm {
        Algorithm::Gcra => config.burst().max(config.permits),
        _ => config.permits,
    };
    let mut policy = format!("{name};q={quota}");
    // There are no parts of a second in these headers.
    if config.period.subsec_nanos() == 0 {
        policy.push_str(&format!(";w={}", config.period.as_secs()));
    }
    let whole = limiter.whole_in(now).as_nanos().div_ceil(1_000_000_000);
    let (remaining, whole) = (limiter.available(now).min(LARGEST), whole.min(u128::from(LARGEST)));
    append(headers, POLICY, policy);
    append(headers, STATE, format!("{name};r={remaining};t={whole}"));
}

fn append(headers: &mut HeaderMap, name: HeaderName, value: String) {
    // Printable ASCII alone is always a value.
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.append(name, value);
    }
}

/// A string of a structured field: printable ASCII, with two escapes.
fn quoted(name: &str) -> String {
    let mut quoted = String::from("\"");
    for character in name.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            ' '..='~' => quoted.push(character),
            _ => quoted.push('_'),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_is_a_string() {
        assert_eq!(quoted("a \"b\" \\ ü\n"), r#""a \"b\" \\ __""#);
    }
}
