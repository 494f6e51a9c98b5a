//! Errors behind a reference.

use std::{error::Error, fmt, sync::Arc};

use portcullis_core::Rejection;

use crate::BoxError;

/// An error that several callers have. It shows as the error it holds, which is its [`source`](Error::source): what
/// looks through a chain of sources, as [`Rejection::find`] does, finds what it did before.
///
/// A [`Rejection`] is not held by one of these: each caller gets it as it is.
///
/// ```
/// use portcullis::share::SharedError;
/// use std::{error::Error, io};
///
/// let shared = SharedError::new(io::Error::from(io::ErrorKind::TimedOut));
/// let (one, another) = (shared.clone().into_boxed(), shared.into_boxed());
/// assert_eq!(one.to_string(), another.to_string());
/// assert!(another.source().is_some_and(|source| source.is::<io::Error>()));
/// ```
#[derive(Clone, Debug)]
pub struct SharedError(Held);

#[derive(Clone, Debug)]
enum Held {
    Rejection(Rejection),
    Error(Arc<dyn Error + Send + Sync>),
}

impl SharedError {
    /// Holds an error; one that is held already is not held twice.
    pub fn new(error: impl Into<BoxError>) -> Self {
        let error = match error.into().downcast::<Self>() {
            Ok(held) => return *held,
            Err(error) => error,
        };
        Self(match error.downcast::<Rejection>() {
            Ok(rejection) => Held::Rejection(*rejection),
            Err(error) => Held::Error(error.into()),
        })
    }

    /// The error it holds.
    pub fn get_ref(&self) -> &(dyn Error + Send + Sync + 'static) {
        match &self.0 {
            Held::Rejection(rejection) => rejection,
            Held::Error(error) => &**error,
        }
    }

    /// The error for one of those who share it: a [`Rejection`], or one of these.
    pub fn into_boxed(self) -> BoxError {
        match self.0 {
            Held::Rejection(rejection) => rejection.into(),
            error @ Held::Error(_) => Self(error).into(),
        }
    }
}

impl fmt::Display for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.get_ref(), f)
    }
}

impl Error for SharedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.get_ref())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use portcullis_core::{FailureKind, Name, Reason};

    use super::*;
    use crate::protocol::judge_error;

    #[test]
    fn a_rejection_is_given_as_it_is() {
        let rejection = Rejection::new(Name::from("x"), Reason::Panicked);
        let shared = SharedError::new(rejection);
        assert!(shared.clone().into_boxed().is::<Rejection>());
        assert!(Rejection::find(&*shared.into_boxed()).is_some());
    }

    #[test]
    fn what_is_behind_it_is_found_and_judged() {
        let inner = io::Error::other(Rejection::new(Name::from("x"), Reason::Panicked));
        let error = SharedError::new(inner).into_boxed();
        assert!(Rejection::find(&*error).is_some());
        let error = SharedError::new(io::Error::from(io::ErrorKind::ConnectionRefused)).into_boxed();
        assert_eq!(judge_error(&*error).failure().unwrap().kind, FailureKind::Connection);
    }

    #[test]
    fn it_is_not_held_twice() {
        let once = SharedError::new("boom").into_boxed();
        let twice = SharedError::new(once);
        assert!(!twice.get_ref().is::<SharedError>());
        assert_eq!(twice.to_string(), "boom");
    }
}
