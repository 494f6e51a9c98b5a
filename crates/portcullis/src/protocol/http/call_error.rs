//! The error of a gRPC call.

use std::{error::Error, fmt};

use crate::BoxError;

/// The error with which a service below a layer of the protocol [`Grpc`](crate::Grpc) failed.
///
/// A type with a name, because a generated client over a `BoxError` cannot be used in a spawned task or
/// a handler. It shows as the error it holds, which is its [`source`](Error::source); layers above do not
/// wrap it again.
///
/// ```
/// use portcullis::protocol::CallError;
/// use std::error::Error;
///
/// let error = CallError::new(CallError::new(std::io::Error::from(std::io::ErrorKind::TimedOut)));
/// assert!(error.source().unwrap().is::<std::io::Error>());
/// ```
#[derive(Debug)]
pub struct CallError(BoxError);

impl CallError {
    /// Holds an error; one that is held already is not held twice.
    pub fn new(error: impl Into<BoxError>) -> Self {
        match error.into().downcast::<Self>() {
            Ok(held) => *held,
            Err(error) => Self(error),
        }
    }

    /// The error it holds.
    pub fn into_inner(self) -> BoxError {
        self.0
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}
