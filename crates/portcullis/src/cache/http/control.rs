//! `Cache-Control`.

use std::time::Duration;

use ::http::{HeaderMap, header};

/// What a `Cache-Control` says, of which there may be several. What cannot be read is taken as what keeps least.
///
/// Only directives that a cache without revalidation can follow are looked at:
/// [RFC 9111, section 5.2](https://www.rfc-editor.org/rfc/rfc9111#section-5.2), and
/// [RFC 5861](https://www.rfc-editor.org/rfc/rfc5861).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Control {
    pub(super) no_store: bool,
    pub(super) no_cache: bool,
    pub(super) private: bool,
    pub(super) public: bool,
    /// Nothing stale may be served.
    pub(super) must_revalidate: bool,
    pub(super) max_age: Option<Duration>,
    pub(super) s_maxage: Option<Duration>,
    pub(super) stale_while_revalidate: Option<Duration>,
    pub(super) stale_if_error: Option<Duration>,
    pub(super) min_fresh: Option<Duration>,
}

impl Control {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut control = Self::default();
        for value in headers.get_all(header::CACHE_CONTROL) {
            // A comma in quotes cuts the directive's argument into pieces, none of which is a directive that allows
            // anything: the first has what counts.
            value.as_bytes().split(|byte| *byte == b',').for_each(|directive| control.read(directive));
        }
        control
    }

    fn read(&mut self, directive: &[u8]) {
        let mut parts = directive.splitn(2, |byte| *byte == b'=').map(<[u8]>::trim_ascii);
        let (name, argument) = (parts.next().unwrap_or_default(), parts.next());
        let is = |word: &str| name.eq_ignore_ascii_case(word.as_bytes());
        let time = || seconds(argument);
        match () {
            () if is("no-store") => self.no_store = true,
            () if is("no-cache") => self.no_cache = true,
            () if is("private") => self.private = true,
            () if is("public") => self.public = true,
            () if is("must-revalidate") || is("proxy-revalidate") => self.must_revalidate = true,
            () if is("max-age") => shorten(&mut self.max_age, time()),
            () if is("s-maxage") => shorten(&mut self.s_maxage, time()),
            () if is("stale-while-revalidate") => shorten(&mut self.stale_while_revalidate, time()),
            () if is("stale-if-error") => shorten(&mut self.stale_if_error, time()),
            () if is("min-fresh") => self.min_fresh = self.min_fresh.max(Some(time())),
            () => {}
        }
    }
}

/// Of several the shortest.
fn shorten(time: &mut Option<Duration>, other: Duration) {
    *time = Some(time.map_or(other, |time| time.min(other)));
}

/// Whole seconds, in quotes or not; what cannot be read is none, and what is too long is very long.
fn seconds(argument: Option<&[u8]>) -> Duration {
    let digits = argument.unwrap_or_default();
    let digits = digits.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(digits);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Duration::ZERO;
    }
    let add = |sum: u64, digit: &u8| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Duration::from_secs(digits.iter().fold(0, add))
}

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[&str]) -> Control {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::CACHE_CONTROL, HeaderValue::from_str(value).unwrap());
        }
        Control::of(&headers)
    }

    #[test]
    fn reads_what_it_knows() {
        let control = of(&["Public, MAX-AGE = 60, x=y", "s-maxage=\"30\",stale-while-revalidate=5"]);
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert!(control.public && !control.private);
        assert_eq!((control.max_age, control.s_maxage), (seconds(60), seconds(30)));
        assert_eq!((control.stale_while_revalidate, control.stale_if_error), (seconds(5), None));
    }

    #[test]
    fn what_is_said_twice_or_badly_keeps_least() {
        assert_eq!(of(&["max-age=60, max-age=5"]).max_age, Some(Duration::from_secs(5)));
        for bad in ["max-age", "max-age=", "max-age=-1", "max-age=1.5", "max-age=\"60"] {
            assert_eq!(of(&[bad]).max_age, Some(Duration::ZERO), "{bad}");
        }
        assert_eq!(of(&["max-age=99999999999999999999"]).max_age, Some(Duration::from_secs(u64::MAX)));
        assert!(of(&["private=\"set-cookie, public\""]).private);
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..50)) {
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                headers.insert(header::CACHE_CONTROL, value);
            }
            let _ = Control::of(&headers);
        }
    }
}
