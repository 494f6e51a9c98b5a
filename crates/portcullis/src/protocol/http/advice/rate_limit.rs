//! How long until a quota is filled again.
//!
//! - `RateLimit: "default";r=0;t=30`, as draft-ietf-httpapi-ratelimit-headers has it since its eighth version,
//!   and `RateLimit: limit=100, remaining=0, reset=30`, as it was before
//! - `RateLimit-Reset`, `X-RateLimit-Reset`, `X-Rate-Limit-Reset`, each beside its `-Remaining`
//!
//! They also stand on failures that have nothing to do with a quota, so that they count only when nothing of
//! the quota is left.

use std::time::{Duration, SystemTime};

use ::http::{HeaderMap, StatusCode};

use super::{http::until, number, text};

/// The time until every quota in `RateLimit` has something left, when one of them has nothing.
///
/// Read more tolerantly than a structured field has to be (RFC 9651): a member that is not understood takes
/// none of the others with it.
pub(super) fn quota(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all("ratelimit").iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| [newest(value), older(value)]).flatten().max().map(Duration::from_secs)
}

/// `"a";r=0;t=30, "b";r=7;t=1`: the longest of those with nothing left.
fn newest(value: &str) -> Option<u64> {
    let quotas = unquoted(value, ',');
    let spent = quotas.filter_map(|quota| {
        let parameter = |key| unquoted(quota, ';').skip(1).find_map(|pair| count(pair, key));
        (parameter("r")? == 0).then(|| parameter("t"))?
    });
    spent.max()
}

/// `limit=100, remaining=0, reset=30`: one quota.
fn older(value: &str) -> Option<u64> {
    let member = |key| unquoted(value, ',').find_map(|pair| count(pair, key));
    (member("remaining")? == 0).then(|| member("reset"))?
}

fn count(pair: &str, key: &str) -> Option<u64> {
    let (found, value) = pair.split_once('=')?;
    (found.trim() == key).then(|| number(value.trim()))?
}

/// The parts between separators that are not within quotes.
fn unquoted(value: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    value.split(move |char| {
        let escape = std::mem::take(&mut escaped);
        match char {
            '"' if !escape => quoted = !quoted,
            '\\' if quoted => escaped = !escape,
            _ => {}
        }
        char == separator && !quoted
    })
}

const RESETS: [(&str, &str); 3] = [
    ("ratelimit-remaining", "ratelimit-reset"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("x-rate-limit-remaining", "x-rate-limit-reset"),
];

/// The time until the reset of a quota of which nothing remains; where it does not say what remains, the
/// status must be one of too much load. A failure while there is something left has another reason, and an
/// hour until the reset is no advice on it.
pub(super) fn reset(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    let loaded = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    RESETS.iter().find_map(|(remaining, reset)| {
        let reset = number(text(headers, reset)?)?;
        let spent = text(headers, remaining).and_then(number).map_or(loaded, |remaining| remaining == 0);
        spent.then(|| time_until(reset, headers))?
    })
}

/// As a time since 1970 this is in 2001: what is less is a time from now on, of 31 years at most.
const FIRST_TIME: u64 = 1_000_000_000;
/// As seconds since 1970 this is in 5138, as milliseconds in 1973: what is not less is milliseconds.
const FIRST_MILLIS: u64 = 100_000_000_000;

/// A reset by its magnitude: the draft and most others mean seconds from now on, GitHub and GitLab seconds
/// since 1970, some milliseconds.
fn time_until(reset: u64, headers: &HeaderMap) -> Option<Duration> {
    let since_1970 = match reset {
        ..FIRST_TIME => return Some(Duration::from_secs(reset)),
        FIRST_TIME..FIRST_MILLIS => Duration::from_secs(reset),
        _ => Duration::from_millis(reset),
    };
    match SystemTime::UNIX_EPOCH.checked_add(since_1970) {
        Some(then) => until(then, headers),
        None => Some(Duration::MAX),
    }
}
