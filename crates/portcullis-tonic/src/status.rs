//! Statuses: made of rejections and errors, and read.

use std::{error::Error, sync::Arc};

use http::{HeaderMap, Request, Response, header::CONTENT_TYPE};
use portcullis::{
    BoxError, Delivery, Failure, FailureKind, FromRejection, Grpc, Protocol, Rejection, Verdict,
    protocol::CallError,
};
use tonic::{Code, ConnectError, Status, TimeoutExpired, body::Body};

/// What a [`Status`] knows of this library's refusals.
pub trait StatusExt {
    /// The refusal that this status tells of, or that is among its sources.
    ///
    /// ```
    /// use portcullis::{Bulkhead, Reason};
    /// use portcullis_tonic::{StatusExt, refusal};
    /// use tonic::{Code, Status};
    ///
    /// let bulkhead = Bulkhead::builder("reports").max_in_flight(1).build()?;
    /// let taken = bulkhead.try_admit()?;
    /// let status = refusal(bulkhead.try_admit().unwrap_err());
    ///
    /// assert_eq!(status.code(), Code::ResourceExhausted);
    /// let rejection = status.rejection().expect("it is one");
    /// assert!(matches!(rejection.reason(), Reason::BulkheadFull { limit: 1, .. }));
    /// assert!(Status::unavailable("by the server").rejection().is_none());
    /// # Ok::<(), portcullis::BoxError>(())
    /// ```
    fn rejection(&self) -> Option<&Rejection>;
}

impl StatusExt for Status {
    fn rejection(&self) -> Option<&Rejection> {
        Rejection::find(self)
    }
}

/// The status by which [`Tonic`](crate::Tonic) refuses: the code and the metadata that
/// [`Grpc`](portcullis::Grpc) has, and the rejection as its source. For handlers that meet the rejection of
/// a stack below and want to pass it on.
pub fn refusal(rejection: Rejection) -> Status {
    let mut status = told(&rejection);
    status.set_source(Arc::new(rejection));
    status
}

/// The status of a rejection, without the rejection.
fn told(rejection: &Rejection) -> Status {
    // Codes and metadata are told in one place.
    let refused: Result<Response<_>, CallError> = Protocol::<Request<()>, Response<Body>, CallError>::refuse::<
        (),
    >(&Grpc::default(), (), rejection.clone());
    let status = refused.ok().and_then(|response| {
        let mut headers = response.into_parts().0.headers;
        headers.remove(CONTENT_TYPE);
        Status::from_header_map(&headers)
    });
    status.unwrap_or_else(|| Status::unavailable(rejection.to_string()))
}

/// The status of an error below a layer. One that is a status already stays it; one that a refusal caused
/// gets the refusal's code, where tonic knows of none but `Unknown`. A channel's own timeout is what it is: to
/// tonic it is `Cancelled`, as if the caller had given up.
pub(crate) fn of_error(error: BoxError) -> Status {
    let error = match error.downcast::<CallError>() {
        Ok(held) => held.into_inner(),
        Err(error) => error,
    };
    match Rejection::find(&*error) {
        Some(rejection) if !is_told(&*error) => {
            let mut status = told(rejection);
            status.set_source(Arc::from(error));
            status
        }
        None if !is_told(&*error) && has::<TimeoutExpired>(Some(&*error)) => {
            let mut status = Status::deadline_exceeded(error.to_string());
            status.set_source(Arc::from(error));
            status
        }
        _ => Status::from_error(error),
    }
}

/// Whether an error is a status, or has one among its sources.
fn is_told(error: &(dyn Error + 'static)) -> bool {
    has::<Status>(Some(error))
}

/// Whether there is an error of this type in a chain of sources.
fn has<E: Error + 'static>(first: Option<&(dyn Error + 'static)>) -> bool {
    std::iter::successors(first, |&error| error.source()).any(|error| error.is::<E>())
}

/// What a status says about the dependency: by what caused it, and if that is not known, by its code.
pub(crate) fn judge(status: &Status) -> Verdict {
    if status.source().is_some() {
        let verdict = BoxError::from(status.clone()).verdict();
        if matches!(verdict, Verdict::Failure(_)) {
            // Whatever the connector said, nothing was sent.
            if has::<ConnectError>(status.source()) {
                return Failure::new(FailureKind::Connection).delivery(Delivery::NotSent).into();
            }
            if has::<TimeoutExpired>(status.source()) {
                return Failure::new(FailureKind::Timeout).into();
            }
        }
        if !matches!(verdict, Verdict::Failure(failure) if failure.kind == FailureKind::Other) {
            return verdict;
        }
    }
    if status.code() == Code::Ok {
        return Verdict::Success;
    }
    let mut headers = HeaderMap::new();
    // A message that fits into no header takes nothing away from the code.
    let _ = status.add_header(&mut headers);
    let mut response = Response::new(Body::empty());
    *response.headers_mut() = headers;
    Protocol::<Request<()>, _, CallError>::judge(&Grpc::default(), &(), &response).unwrap_or(Verdict::Success)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// A name that is not found, a certificate that does not fit: said before anything is sent.
    #[test]
    fn whatever_a_connector_says_nothing_was_sent() {
        for kind in [io::ErrorKind::Other, io::ErrorKind::TimedOut, io::ErrorKind::ConnectionReset] {
            let status = of_error(ConnectError(io::Error::from(kind).into()).into());
            let unsent = Failure::new(FailureKind::Connection).delivery(Delivery::NotSent);
            assert_eq!((status.code(), judge(&status)), (Code::Unavailable, unsent.into()), "{kind:?}");
        }
        let status = of_error(io::Error::from(io::ErrorKind::ConnectionReset).into());
        let sent = judge(&status).failure().map(|failure| failure.delivery);
        assert_eq!(sent, Some(Delivery::MaybeProcessed), "without a connector's error");
    }

    /// T46: it was `Cancelled`, which counts for nothing: a breaker stayed closed over a server that hung.
    #[test]
    fn t46_a_channels_own_timeout_is_a_timeout() {
        let status = of_error(TimeoutExpired(()).into());
        assert_eq!((status.code(), judge(&status)), (Code::DeadlineExceeded, timeout()));
        let tonics = Status::from_error(TimeoutExpired(()).into());
        assert_eq!((tonics.code(), judge(&tonics)), (Code::Cancelled, timeout()));
    }

    fn timeout() -> Verdict {
        Failure::new(FailureKind::Timeout).into()
    }
}
