use std::{convert::Infallible, future::Future};

use tower::BoxError;

use super::Marked;

/// What is spoken between the caller, the layer under test and the inner service.
///
/// [`Plain`] and [`Http`](super::Http) come with this crate. A layer that answers in an error type
/// of its own needs one more, with that type:
///
/// ```
/// use portcullis_testkit::laws::{Answer, Call, Exchange, Marked, Plain};
/// use tower::BoxError;
///
/// /// A service's own error. The marked error stays within reach, as its source.
/// #[derive(Debug)]
/// enum ShopError { Inner(Marked), Lost(BoxError) }
///
/// impl std::fmt::Display for ShopError {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("shop failed") }
/// }
///
/// impl std::error::Error for ShopError {
///     fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
///         match self { Self::Inner(marked) => Some(marked), Self::Lost(error) => Some(&**error) }
///     }
/// }
///
/// struct Shop;
///
/// impl Exchange for Shop {
///     type Request = Call;
///     type Response = Answer;
///     type Error = ShopError;
///     fn request(number: u64) -> Call { Call(number) }
///     fn number(request: &Call) -> u64 { request.0 }
///     fn response(number: u64) -> Answer { Answer(number) }
///     fn error(marked: Marked) -> ShopError { ShopError::Inner(marked) }
///     fn unbox(error: BoxError) -> ShopError { ShopError::Lost(error) }
/// }
/// # use portcullis_testkit::laws::{Accepts, Reads};
/// # use std::convert::Infallible;
///
/// impl Accepts<Call> for Shop {
///     fn accept(request: Call) -> Call { request }
/// }
///
/// impl Reads<Answer> for Shop {
///     async fn read(response: Answer) -> Result<u64, BoxError> { Ok(response.0) }
/// }
/// ```
pub trait Exchange: Sized + 'static {
    /// What the caller sends.
    type Request: Clone + Send + 'static;
    /// What the inner service answers.
    type Response: Send + 'static;
    /// What the inner service fails with.
    type Error: Into<BoxError> + Send + Sync + 'static;

    /// The request that carries a number.
    fn request(number: u64) -> Self::Request;
    /// The number that a request carries.
    fn number(request: &Self::Request) -> u64;
    /// The response to the request with that number.
    fn response(number: u64) -> Self::Response;
    /// The error that carries a mark.
    fn error(marked: Marked) -> Self::Error;
    /// The error of a host that boxes its errors, as `Buffer` does.
    fn unbox(error: BoxError) -> Self::Error;
}

/// An exchange whose inner service takes this request, which the layer may have changed.
pub trait Accepts<Request>: Exchange {
    /// The request as it was before the layer changed its type.
    fn accept(request: Request) -> Self::Request;
}

/// An exchange whose caller understands this response, which the layer may have changed.
pub trait Reads<Response>: Exchange {
    /// The number that the response carries; an error if it is not one the inner service gave.
    fn read(response: Response) -> impl Future<Output = Result<u64, BoxError>> + Send;
}

/// The request of [`Plain`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Call(
    /// The number.
    pub u64,
);

/// The response of [`Plain`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Answer(
    /// The number.
    pub u64,
);

/// A plain exchange: a [`Call`] for an [`Answer`] or [`Marked`].
#[derive(Debug, Clone, Copy)]
pub struct Plain(Infallible);

impl Exchange for Plain {
    type Request = Call;
    type Response = Answer;
    type Error = Marked;

    fn request(number: u64) -> Call {
        Call(number)
    }

    fn number(request: &Call) -> u64 {
        request.0
    }

    fn response(number: u64) -> Answer {
        Answer(number)
    }

    fn error(marked: Marked) -> Marked {
        marked
    }

    fn unbox(error: BoxError) -> Marked {
        unmarked(&error)
    }
}

impl Accepts<Call> for Plain {
    fn accept(request: Call) -> Call {
        request
    }
}

impl Reads<Answer> for Plain {
    async fn read(response: Answer) -> Result<u64, BoxError> {
        Ok(response.0)
    }
}

/// The mark of a boxed error; one that no law gives out, if it has none.
pub(super) fn unmarked(error: &BoxError) -> Marked {
    Marked::find(&**error).unwrap_or(Marked(u64::MAX))
}
