//! What can be asked.

use std::{future::Future, pin::Pin};

use super::Reading;
use crate::BoxError;

/// What can be asked whether it is well.
///
/// Functions without arguments are, whose future is a `Result`: of `()`, a [`Level`](crate::Level), a level and
/// why, or a [`Reading`]; with an error that is `Into<BoxError>`. One that is refused by a policy on its way says
/// nothing about what it asks.
///
/// ```
/// use portcullis::{BoxError, Level, check::Ask};
///
/// fn is_a_check(_: impl Ask) {}
///
/// is_a_check(|| async { Ok::<_, BoxError>(()) });
/// is_a_check(|| async { Ok::<_, std::io::Error>((Level::Degraded, "two of three replicas")) });
/// ```
///
/// # Cancellation
///
/// The future is dropped when its time is over, or nobody wants to know any more.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be asked",
    label = "no check",
    note = "a check is a function `|| async {{ .. }}` that can be called from any thread, whose result is `Result<T, E>`: \
            `T` is `()`, a `Level`, `(Level, String)` or a `Reading`, and `E` is `Into<BoxError>`"
)]
pub trait Ask: Send + Sync + 'static {
    /// Asks once.
    fn ask(&self) -> impl Future<Output = Result<Reading, BoxError>> + Send;
}

impl<F, Fut, T, E> Ask for F
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, E>> + Send,
    T: Into<Reading>,
    E: Into<BoxError>,
{
    fn ask(&self) -> impl Future<Output = Result<Reading, BoxError>> + Send {
        let answer = self();
        async move { answer.await.map(Into::into).map_err(Into::into) }
    }
}

/// An answer that is awaited.
pub(crate) type Asked<'a> = Pin<Box<dyn Future<Output = Result<Reading, BoxError>> + Send + 'a>>;

/// Any check. A run of it is rare: the box costs nothing that matters.
pub(crate) trait AnyAsk: Send + Sync {
    fn ask_boxed(&self) -> Asked<'_>;
}

impl<A: Ask> AnyAsk for A {
    fn ask_boxed(&self) -> Asked<'_> {
        Box::pin(self.ask())
    }
}
