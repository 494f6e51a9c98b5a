//! Who reads the answers of probes.

use std::future::{Future, ready};

use crate::{BoxError, check::Reading};

/// Who reads the answers of probes whose head is good.
///
/// Any function is, from a response to a future of the same result as that of a [check](crate::check::Ask).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot read answers of type `{Res}`",
    note = "it is a function `|response| async {{ .. }}`, whose result is `Result<T, E>`: `T` is `()`, a `Level`, \
            `(Level, String)` or a `Reading`, and `E` is `Into<BoxError>`"
)]
pub trait Reads<Res> {
    /// Reads an answer.
    fn read(self, response: Res) -> impl Future<Output = Result<Reading, BoxError>> + Send;
}

/// Nobody: the head tells enough.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head;

impl<Res> Reads<Res> for Head {
    fn read(self, _: Res) -> impl Future<Output = Result<Reading, BoxError>> + Send {
        ready(Ok(Reading::default()))
    }
}

impl<Res, F, Fut, T, E> Reads<Res> for F
where
    F: Fn(Res) -> Fut,
    Fut: Future<Output = Result<T, E>> + Send,
    T: Into<Reading>,
    E: Into<BoxError>,
{
    fn read(self, response: Res) -> impl Future<Output = Result<Reading, BoxError>> + Send {
        let reading = self(response);
        async move { reading.await.map(Into::into).map_err(Into::into) }
    }
}
