//! The laws in an exchange of the user's own, for layers that keep the service's error type.

use std::{error::Error, fmt};

use portcullis_testkit::laws::{self, Accepts, Answer, Call, Exchange, Marked, Reads};
use tower::{BoxError, layer::util::Identity, util::MapErrLayer};

#[derive(Debug)]
enum ShopError {
    Inner(Marked),
    Boxed(BoxError),
}

impl fmt::Display for ShopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the shop is closed")
    }
}

impl Error for ShopError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Inner(marked) => Some(marked),
            Self::Boxed(error) => Some(&**error),
        }
    }
}

struct Shop;

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
        ShopError::Inner(marked)
    }

    fn unbox(error: BoxError) -> ShopError {
        ShopError::Boxed(error)
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

portcullis_testkit::laws!(identity in Shop, Identity::new);
portcullis_testkit::laws!(same_error in Shop, || MapErrLayer::new(|error: ShopError| error));

#[tokio::test(start_paused = true)]
async fn a_violation_is_found_here_too() {
    let laws = laws::Laws::<Shop>::of(|| MapErrLayer::new(|_: ShopError| ShopError::Boxed("gone".into())));
    let violations = laws.check().await;
    assert!(!violations.is_empty());
    assert!(violations.iter().all(|violation| violation.law == laws::Law::Errors), "{violations:?}");
}
