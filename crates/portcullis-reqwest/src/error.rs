//! Errors on the way through a stack that sits in a middleware chain.
//!
//! `reqwest_middleware::Error` is transparent: its `source()` is the source of what it holds, so
//! that what it holds is itself missing from the chain of sources. [`NextError`] and
//! [`StackError`] put it back, one on the way into the stack and one on the way out: a walk over
//! the sources finds every error, on both sides.

use std::{error::Error, fmt};

use portcullis::{FromRejection, Rejection};

use crate::{BoxError, link::Outcome};

/// What the rest of a middleware chain answered when it did not answer with a response: the
/// error type of [`NextService`](crate::NextService).
///
/// Its source is the [`reqwest::Error`] or the error of the middleware itself, so that a layer
/// that walks the sources finds it. If the stack returns it, boxed or not, the caller gets the
/// [`reqwest_middleware::Error`] it holds, unchanged.
#[derive(Debug)]
pub struct NextError {
    error: reqwest_middleware::Error,
    outcome: Option<Outcome>,
}

impl NextError {
    pub(crate) fn new(error: reqwest_middleware::Error, outcome: Outcome) -> Self {
        Self { error, outcome: Some(outcome) }
    }

    pub(crate) fn take_outcome(&mut self) -> Option<Outcome> {
        self.outcome.take()
    }

    /// The error as the chain gave it, to ask it `is_connect()`, `is_timeout()` and the like.
    pub const fn error(&self) -> &reqwest_middleware::Error {
        &self.error
    }

    /// Gives the chain's own error back.
    pub fn into_inner(self) -> reqwest_middleware::Error {
        self.error
    }
}

impl fmt::Display for NextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the rest of the middleware chain failed")
    }
}

impl Error for NextError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(match &self.error {
            reqwest_middleware::Error::Reqwest(error) => error,
            reqwest_middleware::Error::Middleware(error) => error.as_ref(),
        })
    }
}

impl From<reqwest_middleware::Error> for NextError {
    fn from(error: reqwest_middleware::Error) -> Self {
        Self { error, outcome: None }
    }
}

/// For stacks whose layers are `.typed()`: a refusal takes the way of any other error, and the caller
/// finds the [`Rejection`] among its sources.
impl FromRejection for NextError {
    fn from_rejection(rejection: Rejection) -> Self {
        reqwest_middleware::Error::middleware(StackError(Box::new(rejection))).into()
    }

    fn as_rejection(&self) -> Option<&Rejection> {
        Rejection::find(self)
    }
}

impl From<LinkError> for NextError {
    fn from(error: LinkError) -> Self {
        reqwest_middleware::Error::middleware(error).into()
    }
}

impl From<NextError> for reqwest_middleware::Error {
    fn from(error: NextError) -> Self {
        error.into_inner()
    }
}

/// Why a call of [`NextService`](crate::NextService) could not reach the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkError {
    /// The request came without the extensions that lead back to the client: a layer made a new
    /// request and did not copy them.
    Missing,
    /// The caller has its answer already, or has stopped waiting.
    Abandoned,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => {
                "the request lost its way back to the client: a layer that makes a request must copy the extensions"
            }
            Self::Abandoned => "the request was abandoned by its client",
        })
    }
}

impl Error for LinkError {}

/// An error that a layer of a [`TowerMiddleware`](crate::TowerMiddleware) made, inside of
/// [`reqwest_middleware::Error::Middleware`].
///
/// It reads like the layer's error, which is its source: found by a walk over the sources of the
/// `reqwest_middleware::Error`, by `anyhow::Error::chain`, or by downcasting to `StackError` and
/// asking for [`inner`](Self::inner).
///
/// # Example
///
/// ```
/// use portcullis_reqwest::StackError;
/// use tower::load_shed::error::Overloaded;
///
/// fn is_shed(error: &reqwest_middleware::Error) -> bool {
///     match error {
///         reqwest_middleware::Error::Middleware(error) => error
///             .downcast_ref::<StackError>()
///             .is_some_and(|error| error.inner().is::<Overloaded>()),
///         reqwest_middleware::Error::Reqwest(_) => false,
///     }
/// }
/// # let error = std::io::Error::other("no");
/// # assert!(!is_shed(&reqwest_middleware::Error::middleware(error)));
/// ```
#[derive(Debug)]
pub struct StackError(BoxError);

impl StackError {
    /// The layer's error.
    pub fn inner(&self) -> &(dyn Error + Send + Sync + 'static) {
        self.0.as_ref()
    }

    /// Gives the layer's error away.
    pub fn into_inner(self) -> Box<dyn Error + Send + Sync> {
        self.0
    }
}

impl fmt::Display for StackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for StackError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.as_ref())
    }
}

/// The error for the caller, and what the failed attempt left in its extensions.
///
/// Errors of the chain and of reqwest come out as they went in. Anything else is wrapped, because
/// `anyhow` made from a box cannot be downcast.
pub(crate) fn leave_stack(error: BoxError) -> (reqwest_middleware::Error, Option<Outcome>) {
    let error = match error.downcast::<NextError>() {
        Ok(mut error) => {
            let outcome = error.take_outcome();
            return (error.into_inner(), outcome);
        }
        Err(error) => error,
    };
    let error = error
        .downcast::<reqwest_middleware::Error>()
        .map(|error| *error)
        .or_else(|error| error.downcast::<reqwest::Error>().map(|error| (*error).into()))
        .unwrap_or_else(|error| reqwest_middleware::Error::middleware(StackError(error)));
    (error, None)
}
