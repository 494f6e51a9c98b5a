use ::http::{HeaderName, HeaderValue};
use portcullis_core::{Failure, FailureKind};
use proptest::prelude::*;

use super::*;

#[cfg(feature = "grpc-details")]
mod details;
mod services;

/// 1795168800 seconds since 1970.
const DATE: (&str, &str) = ("date", "Fri, 20 Nov 2026 10:00:00 GMT");

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let line = |(name, value): &(&str, &str)| {
        (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap())
    };
    lines.iter().map(line).collect()
}

/// The wait in milliseconds.
fn asked(status: u16, lines: &[(&str, &str)]) -> Option<u128> {
    wait(status.try_into().unwrap(), &headers(lines)).map(|wait| wait.as_millis())
}

/// What a 503 asks for by this one header.
fn says(name: &str, value: &str) -> Option<u128> {
    asked(503, &[DATE, (name, value)])
}

const CAP: u128 = LONGEST.as_millis();

#[test]
fn reads_seconds_and_all_three_forms_of_a_date() {
    assert_eq!(says("retry-after", "120"), Some(120_000));
    let dates =
        ["Fri, 20 Nov 2026 10:00:07 GMT", "Friday, 20-Nov-26 10:00:07 GMT", "Fri Nov 20 10:00:07 2026"];
    for date in dates {
        assert_eq!(says("retry-after", date), Some(7000), "{date:?}");
        assert_eq!(asked(503, &[("retry-after", date)]), None, "{date:?} without a Date");
    }
    assert_eq!(says("retry-after", "Fri, 20 Nov 2026 09:00:00 GMT"), Some(0), "past");
    assert_eq!(says("retry-after", "Thu, 31 Dec 2099 23:59:59 GMT"), Some(CAP), "far");
}

#[test]
fn caps_what_is_too_long_and_ignores_what_is_not_a_wait() {
    let long = "99999999999999999999999";
    for name in
        ["retry-after", "retry-after-ms", "x-ms-retry-after-ms", "ratelimit-reset", "x-ratelimit-reset"]
    {
        assert_eq!(says(name, long), Some(CAP), "{name}");
        for not in ["", "+5", "-1", "0x5", "1e3", "inf", "NaN", "soon", "5 s", "5,5", "\u{2002}5", "１"] {
            assert_eq!(says(name, not), None, "{name}: {not:?}");
        }
    }
    assert_eq!(says("retry-after", "1.5"), None, "seconds are whole");
    assert_eq!(says("ratelimit", "\"a\";r=0;t=99999999999999999999999"), Some(CAP));
}

#[test]
fn reads_fractions_of_a_millisecond() {
    let wait = |value| wait(503.try_into().unwrap(), &headers(&[("retry-after-ms", value)]));
    assert_eq!(wait("1250"), Some(Duration::from_millis(1250)));
    assert_eq!(wait("0.5"), Some(Duration::from_micros(500)));
    assert_eq!(wait("1234.5"), Some(Duration::from_micros(1_234_500)));
    assert_eq!([wait("."), wait("1."), wait(".5"), wait("1.2.3"), wait("1.-5")], [None; 5]);
}

#[test]
fn the_most_precise_word_wins_and_one_that_cannot_be_read_is_passed_over() {
    let mut lines = vec![
        DATE,
        ("retry-after-ms", "100"),
        ("x-ms-retry-after-ms", "200"),
        ("retry-after", "3"),
        ("ratelimit", "\"default\";r=0;t=4"),
        ("ratelimit-reset", "5"),
        ("x-ratelimit-reset", "6"),
        ("x-rate-limit-reset", "7"),
    ];
    for wait in [100, 200, 3000, 4000, 5000, 6000, 7000] {
        assert_eq!(asked(429, &lines), Some(wait));
        let first = &mut lines[1];
        first.1 = "garbage";
        assert_ne!(asked(429, &lines), Some(wait));
        lines.remove(1);
    }
    assert_eq!(asked(429, &lines), None);
}

#[test]
fn reads_the_quotas_that_are_spent() {
    let table = [
        ("\"default\";r=0;t=30", Some(30_000)),
        ("\"default\";t=30;r=0", Some(30_000)),
        ("\"default\" ; r=0 ; t=30 ; pk=:Y29tcGFueQ==:", Some(30_000)),
        ("\"minute\";r=0;t=12, \"day\";r=0;t=3600, \"burst\";r=9;t=7200", Some(3_600_000)),
        ("\"a,b;r=0;t=9\";r=0;t=1", Some(1000)),
        ("\"a\\\";r=0;t=9\";r=0;t=1", Some(1000)),
        ("what?;r=x, default;r=0;t=2", Some(2000)),
        ("\"default\";r=5;t=30", None),
        ("\"default\";r=0", None),
        ("\"default\";t=30", None),
        ("\"default\";r=-0;t=30", None),
        ("r=0;t=30", None),
        ("\"open;r=0;t=30", None),
        ("limit=100, remaining=0, reset=30", Some(30_000)),
        ("limit=100, remaining=7, reset=30", None),
        ("limit=100", None),
    ];
    for (value, wait) in table {
        assert_eq!(asked(500, &[("ratelimit", value)]), wait, "{value}");
    }
    let two = [("ratelimit", "\"a\";r=0;t=1"), ("ratelimit", "\"b\";r=0;t=2")];
    assert_eq!(asked(429, &two), Some(2000), "two lines are one list");
}

#[test]
fn reads_a_reset_by_its_magnitude() {
    let table = [
        ("0", 0),
        ("30", 30_000),
        ("999999999", CAP),
        ("1795168815", 15_000),
        ("1795168815250", 15_250),
        ("1795168799", 0),
        ("1000000000", 0),
        ("100000000000", 0),
        ("1895168815", CAP),
    ];
    for (reset, wait) in table {
        assert_eq!(says("x-ratelimit-reset", reset), Some(wait), "{reset}");
    }
    assert_eq!(asked(429, &[("x-ratelimit-reset", "1795168815")]), None, "without a Date");
}

#[test]
fn a_reset_counts_only_when_nothing_is_left() {
    let left = |status, remaining| {
        asked(status, &[("x-ratelimit-remaining", remaining), ("x-ratelimit-reset", "30")])
    };
    for status in [429, 500, 502, 503] {
        assert_eq!(left(status, "0"), Some(30_000), "{status}");
        assert_eq!(left(status, "4999"), None, "{status}");
    }
    let silent = |status| asked(status, &[("x-ratelimit-reset", "30")]);
    assert_eq!([silent(429), silent(503), silent(500)], [Some(30_000), Some(30_000), None]);
}

fn grpc(lines: &[(&str, &str)]) -> Failure {
    advised(Failure::new(FailureKind::Unavailable), &headers(lines))
}

#[test]
fn waits_for_a_pushback_or_does_not_retry() {
    for (said, millis) in [("1500", 1500), ("0", 0), ("99999999999999999999999", CAP)] {
        let failure = grpc(&[(PUSHBACK, said)]);
        assert_eq!(failure.retry_after.map(|wait| wait.as_millis()), Some(millis), "{said}");
        assert!(!failure.do_not_retry, "{said}");
    }
    for not in ["", "-1", "-99999999999999999999", "+5", "1.5", "soon", "ü"] {
        let failure = grpc(&[(PUSHBACK, not)]);
        assert!(failure.do_not_retry && failure.retry_after.is_none(), "{not:?}");
    }
    assert_eq!(grpc(&[]), Failure::new(FailureKind::Unavailable));
}

const NAMES: [&str; 14] = [
    "date",
    "retry-after-ms",
    "x-ms-retry-after-ms",
    "retry-after",
    "ratelimit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-rate-limit-remaining",
    "x-rate-limit-reset",
    "grpc-retry-pushback-ms",
    "grpc-status-details-bin",
    "grpc-status",
];

/// Bytes at random, and what is nearly right.
fn value() -> impl Strategy<Value = HeaderValue> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        "[-+]?[0-9]{0,25}(\\.[0-9]{0,25})?".prop_map(String::into_bytes),
        "(\"?[a-z\\\\\"]{0,3}\"?(; ?[rt]=[0-9]{0,21}){0,3},? ?){0,3}".prop_map(String::into_bytes),
        "(Mon|Fri), [0-9]{2} (Nov|Feb) [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT".prop_map(String::into_bytes),
        "[A-Za-z0-9+/]{0,40}={0,3}".prop_map(String::into_bytes),
    ];
    bytes.prop_filter_map("no header value", |bytes| HeaderValue::from_bytes(&bytes).ok())
}

proptest! {
    #[test]
    fn nothing_that_is_said_panics_or_exceeds_the_cap(
        lines in prop::collection::vec((prop::sample::select(NAMES.as_slice()), value()), 0..8),
        status in prop::sample::select([429_u16, 500, 503].as_slice()),
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, value);
        }
        let failure = advised(Failure::new(FailureKind::Other), &headers);
        for wait in [wait(status.try_into().unwrap(), &headers), failure.retry_after] {
            prop_assert!(wait.is_none_or(|wait| wait <= LONGEST));
        }
        prop_assert!(!(failure.do_not_retry && failure.retry_after.is_some()));
    }
}
