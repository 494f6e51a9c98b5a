//! A service with an error of its own that can carry a rejection, for `Typed`.

use std::{error::Error, fmt};

use portcullis::{FromRejection, Rejection};
use portcullis_testkit::laws::{Accepts, Answer, Call, Exchange, Marked, Reads};
use tower::BoxError;

/// What goes wrong in a shop.
#[derive(Clone, Debug)]
pub(crate) enum ShopError {
    SoldOut(Marked),
    Busy(Rejection),
}

impl FromRejection for ShopError {
    fn from_rejection(rejection: Rejection) -> Self {
        Self::Busy(rejection)
    }

    fn as_rejection(&self) -> Option<&Rejection> {
        match self {
            Self::Busy(rejection) => Some(rejection),
            Self::SoldOut(_) => None,
        }
    }
}

impl fmt::Display for ShopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the shop is closed")
    }
}

impl Error for ShopError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::SoldOut(marked) => Some(marked),
            Self::Busy(rejection) => Some(rejection),
        }
    }
}

/// Calls of a shop.
pub(crate) struct Shop;

impl Exchange for Shop {
    type Request = Call;
    type Response = Answer;
    type Error = ShopError;

    fn request(number: u64) -> Call {
        Call(number)
    }

    fn number(request: &Call) -> u64 {
        request.0
    }

    fn response(number: u64) -> Answer {
        Answer(number)
    }

    fn error(marked: Marked) -> ShopError {
        ShopError::SoldOut(marked)
    }

    fn unbox(error: BoxError) -> ShopError {
        ShopError::SoldOut(super::unmark(&error))
    }
}

impl Accepts<Call> for Shop {
    fn accept(request: Call) -> Call {
        request
    }
}

impl Reads<Answer> for Shop {
    async fn read(response: Answer) -> Result<u64, BoxError> {
        Ok(response.0)
    }
}
