//! When a request began to wait, as proxies write it.

use std::time::{Duration, SystemTime};

use crate::clock;

/// How long it is since the time of a stamp; `None` when that is no time, or none that can be meant.
pub(super) fn waited(stamp: &str) -> Option<Duration> {
    since(began(stamp)?, clock::wall(Duration::ZERO))
}

/// A request that waited longer than this has nobody who waits for it: the stamp is wrong.
const LONGEST: Duration = Duration::from_secs(3600);

fn since(began: Duration, now: SystemTime) -> Option<Duration> {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    // The proxy's clock may be ahead of ours.
    Some(now.saturating_sub(began)).filter(|waited| *waited <= LONGEST)
}

/// The time since 1970. nginx writes `t=1700000000.123`, in seconds; Heroku milliseconds, and others
/// microseconds or nanoseconds, all without a unit. But no two of those can be meant by one number: until the
/// year 5138 each is less than a hundredth of the next.
fn began(stamp: &str) -> Option<Duration> {
    let stamp = stamp.trim();
    let number = stamp.strip_prefix("t=").unwrap_or(stamp);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 19 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let value: u64 = whole.parse().ok()?;
    let unit: u64 = match value {
        1_000_000_000..100_000_000_000 => 1_000_000_000,
        1_000_000_000_000..100_000_000_000_000 => 1_000_000,
        1_000_000_000_000_000..100_000_000_000_000_000 => 1_000,
        1_000_000_000_000_000_000.. => 1,
        _ => return None,
    };
    let nanos = value.checked_mul(unit)?;
    Some(Duration::from_nanos(nanos.saturating_add(part(fraction, unit))))
}

/// A decimal fraction of a unit of so many nanoseconds.
fn part(fraction: &str, unit: u64) -> u64 {
    let (mut part, mut place) = (0, unit);
    for digit in fraction.bytes().take(9) {
        place /= 10;
        part += u64::from(digit - b'0') * place;
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_it_is_understood() {
        let time = Duration::from_millis(1_700_000_000_123);
        for stamp in [
            "t=1700000000.123",
            "1700000000.123",
            " t=1700000000123 ",
            "1700000000123",
            "t=1700000000123000",
            "1700000000123000000",
            "1700000000123.0",
        ] {
            assert_eq!(began(stamp), Some(time), "{stamp}");
        }
        assert_eq!(began("t=1700000000"), Some(Duration::from_secs(1_700_000_000)));
        assert_eq!(began("t=1700000000."), Some(Duration::from_secs(1_700_000_000)));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for stamp in ["", "t=", "t=now", "12", "-1700000000", "1700000000.1x", "1e9", "t=t=1700000000", "."] {
            assert_eq!(began(stamp), None, "{stamp}");
        }
        assert_eq!(began(&"9".repeat(20)), None);
        assert_eq!(began(&"1".repeat(400)), None);
        assert!(began(&format!("1700000000.{}", "9".repeat(400))).is_some());
    }

    #[test]
    fn a_clock_that_is_ahead_says_nothing_was_waited() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let at = |secs| since(Duration::from_secs(secs), now);
        assert_eq!(at(1_699_999_999), Some(Duration::from_secs(1)));
        assert_eq!(at(1_700_000_005), Some(Duration::ZERO));
        assert_eq!(at(1_600_000_000), None, "nobody waits for years");
    }
}
