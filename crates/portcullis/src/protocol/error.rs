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

    /// What this error says about the dependency: by default a failure of the kind
    /// [`Other`](FailureKind::Other) that may have been processed, unless it carries a rejection. An error
    /// that knows more, such as that nothing was sent, lets more calls be retried.
    fn verdict(&self) -> Verdict {
        match self.as_rejection() {
            Some(rejection) => rejection.verdict(),
            None => Failure::new(FailureKind::Other).into(),
        }
    }
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

    fn verdict(&self) -> Verdict {
        judge_error(&**self)
    }
}

/// Judges an error by its chain of sources.
pub(crate) fn judge_error(error: &(dyn Error + 'static)) -> Verdict {
    if let Some(rejection) = Rejection::find(error) {
        return rejection.verdict();
    }
    #[cfg(feature = "hyper")]
    if super::http::delivery::is_callers(error) {
        return Verdict::Ignored;
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
    known_any(error).map_or_else(|| Failure::new(FailureKind::Other).into(), judge_error)
}

/// The rejection in such an error.
#[cfg(feature = "http")]
pub(crate) fn find_any<E: 'static>(error: &E) -> Option<&Rejection> {
    Rejection::find(known_any(error)?)
}

#[cfg(feature = "http")]
fn known_any<E: 'static>(error: &E) -> Option<&(dyn Error + 'static)> {
    let error: &dyn std::any::Any = error;
    if let Some(boxed) = error.downcast_ref::<BoxError>() {
        Some(&**boxed)
    } else if let Some(rejection) = error.downcast_ref::<Rejection>() {
        Some(rejection)
    } else {
        error.downcast_ref::<super::CallError>().map(|call| call as _)
    }
}

fn judge_io(error: &io::Error) -> Failure {
    use io::ErrorKind as Kind;
    match error.kind() {
        // Only connecting can be refused: nothing was sent.
        Kind::ConnectionRefused | Kind::AddrNotAvailable => {
            Failure::new(FailureKind::Connection).delivery(Delivery::NotSent)
        }
        // An open connection can say this too, once its peer has become unreachable.
        Kind::NetworkUnreachable | Kind::HostUnreachable | Kind::NotConnected => {
            Failure::new(FailureKind::Connection)
        }
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
    if let Some(error) = error.downcast_ref::<crate::reconnect::ConnectError>() {
        return Some(error.failure());
    }
    #[cfg(feature = "hyper")]
    {
        super::http::delivery::judge(error)
    }
    #[cfg(not(feature = "hyper"))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(kind: io::ErrorKind) -> Delivery {
        judge_error(&io::Error::from(kind)).failure().unwrap().delivery
    }

    #[test]
    fn only_what_no_open_connection_can_say_was_not_sent() {
        assert_eq!(delivery(io::ErrorKind::ConnectionRefused), Delivery::NotSent);
        for kind in [io::ErrorKind::HostUnreachable, io::ErrorKind::NetworkUnreachable] {
            assert_eq!(delivery(kind), Delivery::MaybeProcessed, "{kind:?}");
        }
    }

    #[cfg(feature = "http")]
    #[test]
    fn sees_through_the_errors_of_the_protocols() {
        use portcullis_core::{Name, Reason};

        let rejection = Rejection::new(Name::from("x"), Reason::BulkheadFull { limit: 1, queued: 0 });
        let verdict = rejection.verdict();
        assert_eq!(judge_any(&crate::protocol::CallError::new(rejection.clone())), verdict);
        assert_eq!(judge_any::<BoxError>(&rejection.clone().into()), verdict);
        assert_eq!(judge_any(&rejection), verdict);
    }
}
