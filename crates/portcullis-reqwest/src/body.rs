use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http_body::Body as _;
use reqwest::Body;

/// A second body with the bytes of the first, or `None` if the first is a stream.
///
/// The bytes are shared, not copied, and both bodies stay what they were for reqwest: in memory,
/// of known length, and sent again when a redirect asks for it. This is what a retry needs before
/// it gives the request away. A stream is left untouched; whoever wants to send one twice has to
/// buffer it.
///
/// # Errors and cancellation
///
/// There are none: the bytes are in memory, so nothing is waited for.
///
/// # Example
///
/// ```
/// use portcullis_reqwest::duplicate;
///
/// let mut body = reqwest::Body::from("order 7");
/// let again = duplicate(&mut body).expect("in memory");
/// assert_eq!(body.as_bytes(), again.as_bytes());
/// ```
#[must_use = "the second body is the only effect"]
pub fn duplicate(body: &mut Body) -> Option<Body> {
    share(body).map(Body::from)
}

/// The bytes of a body in memory, which stays what it was.
pub(crate) fn share(body: &mut Body) -> Option<Bytes> {
    if body.as_bytes()?.is_empty() {
        return Some(Bytes::new());
    }
    let bytes = take_bytes(body)?;
    *body = Body::from(bytes.clone());
    Some(bytes)
}

/// reqwest lends its bytes only as a slice; as a body, it hands them over in one frame, at once.
fn take_bytes(body: &mut Body) -> Option<Bytes> {
    match Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Some(Ok(frame))) => frame.into_data().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(body: &Body) -> *const u8 {
        body.as_bytes().expect("in memory").as_ptr()
    }

    #[test]
    fn bytes_are_shared_between_all_copies() {
        let mut first = Body::from(vec![7; 100_000]);
        let original = address(&first);
        let mut second = duplicate(&mut first).expect("in memory");
        let third = duplicate(&mut second).expect("in memory");
        assert_eq!([address(&first), address(&second), address(&third)], [original; 3]);
        assert_eq!(third.as_bytes().map(<[u8]>::len), Some(100_000));
    }

    #[test]
    fn an_empty_body_has_an_empty_copy() {
        let mut body = Body::default();
        assert_eq!(duplicate(&mut body).and_then(|copy| copy.as_bytes().map(<[u8]>::len)), Some(0));
        assert_eq!(body.as_bytes().map(<[u8]>::len), Some(0));
    }

    #[test]
    fn a_stream_has_no_copy_and_is_not_read() {
        let mut body = Body::wrap(Body::from("only once"));
        assert!(duplicate(&mut body).is_none());
        assert_eq!(take_bytes(&mut body), Some(Bytes::from_static(b"only once")));
    }
}
