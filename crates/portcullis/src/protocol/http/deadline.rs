//! Until when an answer is of use.

use std::time::Duration;

use ::http::{HeaderName, HeaderValue, Request};
use portcullis_core::Time;

use crate::clock;

const GRPC_TIMEOUT: &str = "grpc-timeout";

/// In a request's extensions: the time after which nobody waits for the answer. Retries and hedges begin no wait
/// that would end after it. An attempt whose instance gets ready only then is made all the same: a total
/// [timeout](crate::timeout) ends it.
///
/// ```
/// use portcullis::{clock, protocol::Deadline};
/// use std::time::Duration;
///
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(Deadline::after(Duration::from_millis(300)));
///
/// let deadline = Deadline::of(&request).expect("it was just put there");
/// assert!(deadline.at() <= clock::now() + Duration::from_millis(300));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Time);

impl Deadline {
    /// At this time.
    pub const fn new(at: Time) -> Self {
        Self(at)
    }

    /// So long from now.
    pub fn after(time: Duration) -> Self {
        Self(clock::now() + time)
    }

    /// The time.
    pub const fn at(self) -> Time {
        self.0
    }

    /// The deadline in a request's extensions.
    pub fn of<B>(request: &Request<B>) -> Option<Self> {
        request.extensions().get().copied()
    }
}

/// The deadline of a request, by its extensions.
pub(super) fn of<B>(request: &Request<B>) -> Option<Time> {
    Deadline::of(request).map(Deadline::at)
}

/// The deadline of a gRPC request, which may tell it by its header besides; the sooner one counts.
pub(super) fn of_grpc<B>(request: &Request<B>) -> Option<Time> {
    let told = grpc_timeout(request).map(|left| clock::now() + left);
    match (of(request), told) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}

/// How much time the header of a gRPC request says that it has.
pub(crate) fn grpc_timeout<B>(request: &Request<B>) -> Option<Duration> {
    parse(request.headers().get(GRPC_TIMEOUT)?.to_str().ok()?)
}

/// In the extensions of a request that tells the next hop how much time it has: how it does, for further attempts.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// The header of plain HTTP.
    pub(crate) header: HeaderName,
    /// How much less than there is.
    pub(crate) margin: Duration,
}

/// What is left until a deadline, in the header of a request that tells it there.
pub(super) fn tell<B>(request: &mut Request<B>, deadline: Time) {
    let left = deadline.since(clock::now());
    if let Some(header) = request.headers_mut().get_mut(GRPC_TIMEOUT) {
        // A deadline that was read from here has the margin in it.
        *header = written(left);
    } else if let Some(Told { header, margin }) = request.extensions().get().cloned() {
        write_millis(request, &header, left.saturating_sub(margin));
    }
}

/// The same where a [`Told`] says that it is told.
pub(super) fn tell_again<B>(request: &mut Request<B>, deadline: Time) {
    if request.extensions().get::<Told>().is_some() {
        tell(request, deadline);
    }
}

/// Writes how much time a request has, in milliseconds.
pub(crate) fn write_millis<B>(request: &mut Request<B>, header: &HeaderName, left: Duration) {
    let millis = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
    request.headers_mut().insert(header, HeaderValue::from(millis));
}

/// Writes how much time a gRPC request has.
pub(crate) fn write_grpc_timeout<B>(request: &mut Request<B>, left: Duration) {
    request.headers_mut().insert(GRPC_TIMEOUT, written(left));
}

/// In the smallest unit in which it has eight digits; rounded down, and never nothing.
fn written(left: Duration) -> HeaderValue {
    let nanos = left.as_nanos().max(1);
    let units = [("n", 1), ("u", 1_000), ("m", 1_000_000), ("S", 1_000_000_000), ("M", 60_000_000_000)];
    let fitting = units.into_iter().find(|(_, unit)| nanos / unit <= MOST);
    let (unit, nanos_each) = fitting.unwrap_or(("H", 3_600_000_000_000));
    let text = format!("{}{unit}", (nanos / nanos_each).min(MOST));
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("1n"))
}

/// The most that eight digits say.
const MOST: u128 = 99_999_999;

/// At most eight digits and a unit (gRPC over HTTP/2, "Timeout").
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 60 * 60),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_grpc_allows_and_nothing_else() {
        assert_eq!(parse("100m"), Some(Duration::from_millis(100)));
        assert_eq!(parse("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        assert_eq!(parse("1n"), Some(Duration::from_nanos(1)));
        for not in ["", "S", "1", "+1S", "-1S", "123456789S", "1s", "1.5S", "é", "1é"] {
            assert_eq!(parse(not), None, "{not:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_and_never_more() {
        for left in [0, 1, 99_999_999, 100_000_000, 1_999_999_999, 86_400_000_000_000, u64::MAX] {
            let left = Duration::from_nanos(left);
            let read = parse(written(left).to_str().unwrap()).unwrap();
            assert!(read <= left.max(Duration::from_nanos(1)), "{left:?}: {read:?}");
            assert!(read.as_secs_f64() >= left.as_secs_f64() * 0.999_999, "{left:?}: {read:?}");
        }
        assert_eq!(written(Duration::MAX).to_str().unwrap(), "99999999H");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_tells_what_is_left_if_it_tells_anything() {
        let mut request = Request::builder().header(GRPC_TIMEOUT, "100m").body(()).unwrap();
        let deadline = of_grpc(&request).unwrap();
        tokio::time::advance(Duration::from_millis(30)).await;
        tell(&mut request, deadline);
        assert_eq!(request.headers()[GRPC_TIMEOUT], "70000000n");
        let mut silent = Request::new(());
        tell(&mut silent, deadline);
        assert!(silent.headers().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn the_sooner_one_counts() {
        let in_ms = |ms| clock::now() + Duration::from_millis(ms);
        let mut request = Request::builder().header(GRPC_TIMEOUT, "100m").body(()).unwrap();
        assert_eq!(of_grpc(&request), Some(in_ms(100)));
        request.extensions_mut().insert(Deadline::after(Duration::from_millis(50)));
        assert_eq!(of_grpc(&request), Some(in_ms(50)));
        assert_eq!(of(&request), Some(in_ms(50)));
    }
}
