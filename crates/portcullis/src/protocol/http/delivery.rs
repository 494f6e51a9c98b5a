//! Whether a request was sent, and who ended it, from the errors of hyper, hyper-util and h2.

use std::error::Error;

use hyper_util::client::legacy;
use portcullis_core::{Delivery, Failure, FailureKind};

/// What one error of a chain says; `None` when it says nothing.
pub(crate) fn judge(error: &(dyn Error + 'static)) -> Option<Failure> {
    if let Some(error) = error.downcast_ref::<legacy::Error>() {
        // Every error after a connection was chosen carries its `connect_info`.
        let unsent = error.is_connect() || error.connect_info().is_none();
        return unsent.then(|| Failure::new(FailureKind::Connection).delivery(Delivery::NotSent));
    }
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        return judge_hyper(error);
    }
    error.downcast_ref::<h2::Error>().map(judge_h2)
}

/// Whether the caller's own doing ended the call: the body of its request broke off, or it asked for what
/// hyper does not do.
pub(crate) fn is_callers(error: &(dyn Error + 'static)) -> bool {
    let mut chain = std::iter::successors(Some(error), |&error| error.source());
    chain.any(|error| {
        error.downcast_ref().is_some_and(hyper::Error::is_user)
            || error.downcast_ref().is_some_and(is_refused_by_client)
            || error.downcast_ref().is_some_and(is_reset_on_this_side)
    })
}

/// A request that hyper-util's client will not send, such as one with a relative URI: only the word of its kind
/// tells, and a test that it still does.
fn is_refused_by_client(error: &legacy::Error) -> bool {
    !error.is_connect() && error.source().is_none() && error.to_string().contains("(User")
}

/// With HTTP/2 that is all that is left of a request's body that broke off.
fn is_reset_on_this_side(error: &h2::Error) -> bool {
    error.is_reset() && !error.is_remote() && !error.is_library()
}

fn judge_hyper(error: &hyper::Error) -> Option<Failure> {
    if error.is_canceled() {
        // hyper cancels what it still holds: the message never left.
        Some(Failure::new(FailureKind::Connection).delivery(Delivery::NotSent))
    } else if error.is_timeout() {
        Some(Failure::new(FailureKind::Timeout))
    } else if error.is_incomplete_message() || error.is_closed() {
        Some(Failure::new(FailureKind::Network))
    } else {
        None
    }
}

/// A stream that was refused, or that the peer's GOAWAY leaves out, was not processed (RFC 9113, 6.8, 8.7).
fn judge_h2(error: &h2::Error) -> Failure {
    let reason = error.reason();
    let refused = error.is_reset() && reason == Some(h2::Reason::REFUSED_STREAM);
    let left_out = error.is_go_away() && reason == Some(h2::Reason::NO_ERROR);
    let failure = Failure::new(FailureKind::Network);
    if error.is_remote() && (refused || left_out) {
        failure.delivery(Delivery::NotProcessed)
    } else {
        failure
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        pin::Pin,
        task::{Context, Poll},
    };

    use hyper::{
        client::conn::http1,
        rt::{Read, ReadBufCursor, Write},
    };
    use portcullis_core::Verdict;

    use crate::{BoxError, protocol::judge_error};

    /// A peer that reads everything and says nothing.
    struct Silent;

    impl Read for Silent {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: ReadBufCursor<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl Write for Silent {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// A body whose source breaks off.
    struct Broken;

    impl http_body::Body for Broken {
        type Data = bytes::Bytes;
        type Error = io::Error;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<io::Result<http_body::Frame<bytes::Bytes>>>> {
            Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
        }
    }

    #[tokio::test]
    async fn an_upload_that_its_caller_breaks_off_says_nothing_about_the_dependency() {
        let (mut sender, connection) = http1::handshake(Silent).await.unwrap();
        let request = ::http::Request::post("/").header("host", "x").body(Broken).unwrap();

        let (answer, _) = tokio::join!(sender.send_request(request), connection);

        let error = BoxError::from(answer.unwrap_err());
        assert_eq!(judge_error(&*error), Verdict::Ignored, "{error:?}");
    }

    /// hyper resets a stream when the body that it sends there breaks off.
    #[tokio::test]
    async fn nor_does_a_stream_that_was_reset_on_this_side() {
        let (near, _far) = tokio::io::duplex(1024);
        let (sender, connection) = h2::client::handshake(near).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = ::http::Request::post("http://x/").body(()).unwrap();
        let (answer, mut upload) = sender.ready().await.unwrap().send_request(request, false).unwrap();

        upload.send_reset(h2::Reason::INTERNAL_ERROR);

        let error = BoxError::from(answer.await.unwrap_err());
        assert_eq!(judge_error(&*error), Verdict::Ignored, "{error:?}");
        connection.abort();
    }
}
