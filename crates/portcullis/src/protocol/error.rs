//! Errors: carrying a rejection, and being judged.

use std::{error::Error, io};

use portcullis_core::{Delivery, Failure, FailureKind, Rejection, Verdict};

use crate::BoxError;

/// An error that can carry a [`Rejection`].
///
/// ```
/// use portcullis::{FromRejection, Rejection};
///
/// #[derive(Debug)]
/// enum ShopError { SoldOut, Busy(Rejection) }
///
/// impl FromRejection for ShopError {
///     fn from_rejection(rejection: Rejection) -> Self {
///         Self::Busy(rejection)
///     }
///
///     fn as_rejection(&self) -> Option<&Rejection> {
///         match self {
///             Self::Busy(rejection) => Some(rejection),
///             Self::SoldOut => None,
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot carry a rejection",
    label = "this error type has no room for the layer's own refusals",
    note = "implement `portcullis::FromRejection` for it, or use a protocol that answers otherwise: \
            `.http_server()` and `.grpc()` answer with a response, `Boxed` (the default) with a `BoxError`"
)]
pub trait FromRejection {
    /// Makes the error of a rejection.
    fn from_rejection(rejection: Rejection) -> Self;

    /// The rejection in this error, so that outer layers do not count it against the dependency.
    fn as_rejection(&self) -> Option<&Rejection>;
}

impl FromRejection for Rejection {
    fn from_rejection(rejection: Rejection) -> Self {
        rejection
    }

    fn as_rejection(&self) -> Option<&Rejection> {
        Some(self)
    }
}

impl FromRejection for BoxError {
    fn from_rejection(rejection: Rejection) -> Self {
        Box::new(rejection)
    }

    fn as_rejection(&self) -> Option<&Rejection> {
        Rejection::find(&**self)
    }
}

/// Judges an error by its chain of sources.
pub(crate) fn judge_error(error: &(dyn Error + 'static)) -> Verdict {
    if let Some(rejection) = Rejection::find(error) {
        return rejection.verdict();
    }
    let mut failure = Failure::new(FailureKind::Other);
    let mut next = Some(error);
    while let Some(error) = next {
        let io_error = error.downcast_ref::<io::Error>();
        let known = io_error.map(judge_io).or_else(|| known_error(error));
        if let Some(known) = known.filter(|known| known.kind != FailureKind::Other) {
            failure = known;
        }
        if failure.delivery != Delivery::MaybeProcessed {
            break;
        }
        let inner = io_error.and_then(io::Error::get_ref);
        next = inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source());
    }
    failure.into()
}

/// Judges an error that may or may not be one that std knows.
#[cfg(feature = "http")]
pub(crate) fn judge_any<E: 'static>(error: &E) -> Verdict {
    let error: &dyn std::any::Any = error;
    if let Some(boxed) = error.downcast_ref::<BoxError>() {
        judge_error(&**boxed)
    } else if let Some(rejection) = error.downcast_ref::<Rejection>() {
        rejection.verdict()
    } else {
        Failure::new(FailureKind::Other).into()
    }
}

fn judge_io(error: &io::Error) -> Failure {
    use io::ErrorKind as Kind;
    match error.kind() {
        // Only connecting can be refused: nothing was sent.
        Kind::ConnectionRefused
        | Kind::NetworkUnreachable
        | Kind::HostUnreachable
        | Kind::AddrNotAvailable => Failure::new(FailureKind::Connection).delivery(Delivery::NotSent),
        Kind::NotConnected => Failure::new(FailureKind::Connection),
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof => {
            Failure::new(FailureKind::Network)
        }
        Kind::TimedOut => Failure::new(FailureKind::Timeout),
        Kind::InvalidData => Failure::new(FailureKind::Validation),
        _ => Failure::new(FailureKind::Other),
    }
}

/// Errors of tokio, hyper and h2.
fn known_error(error: &(dyn Error + 'static)) -> Option<Failure> {
    if error.is::<tokio::time::error::Elapsed>() {
        return Some(Failure::new(FailureKind::Timeout));
    }
    #[cfg(feature = "hyper")]
    {
        super::http::delivery::judge(error)
    }
    #[cfg(not(feature = "hyper"))]
    None
}
