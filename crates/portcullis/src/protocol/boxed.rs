//! Any service whose error can be boxed.

use portcullis_core::{Rejection, Verdict};

use super::{Classify, Protocol, Ticket, judge_error};
use crate::BoxError;

/// For any service whose error is `Into<BoxError>`: closures, `reqwest::Client`, tower's own layers.
///
/// An `Err` is a failure, unless a [`Rejection`] is in its chain of sources. A refusal is a `BoxError`
/// that downcasts to [`Rejection`].
///
/// # In a task of its own
///
/// In `tokio::spawn(async { .. })` a call may not compile whose innermost service is a *closure* with the error
/// [`BoxError`]: "implementation of `From` is not general enough". The compiler forgets there that the error in
/// the closure's type is `'static`; tower's own layers have the same. It knows that of a function, so the least
/// remedy is to give the closure a name:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::BoxError> {
/// use portcullis::{BoxError, Breaker, BreakerLayer};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// async fn stock(item: u32) -> Result<u32, BoxError> {
///     Ok(item * 2)
/// }
///
/// let layer = BreakerLayer::new(Breaker::new("inventory"));
/// let named = layer.clone();
/// let call = tokio::spawn(async move {
///     let service = ServiceBuilder::new().layer(named).service(service_fn(stock));
///     service.oneshot(21).await
/// });
/// assert_eq!(call.await??, 42);
///
/// // A closure does where no async block holds the call, or the service is boxed.
/// let service =
///     ServiceBuilder::new().layer(layer).service(service_fn(|item: u32| async move { Ok::<_, BoxError>(item) }));
/// assert_eq!(tokio::spawn(service.clone().oneshot(42)).await??, 42);
/// let boxed = service.boxed_clone();
/// assert_eq!(tokio::spawn(async move { boxed.oneshot(42).await }).await??, 42);
/// # Ok(()) }
/// ```
///
/// An error type of one's own does as well, also one that the layer boxes, such as `std::io::Error`.
#[derive(Clone, Copy, Debug)]
pub struct Boxed<C = ()> {
    classify: C,
}

/// The protocol's own judgement.
impl Default for Boxed {
    fn default() -> Self {
        Self { classify: () }
    }
}

impl Boxed {
    /// The same protocol with a judgement of one's own; see [`Classify`].
    pub fn classify<F, V, Res>(self, classify: F) -> Boxed<F>
    where
        F: Fn(Result<&Res, &BoxError>) -> V,
        V: Into<Option<Verdict>>,
    {
        Boxed { classify }
    }
}

#[diagnostic::do_not_recommend]
impl<C, Req, Res, Err> Protocol<Req, Res, Err> for Boxed<C>
where
    C: Classify<Res, BoxError>,
    Err: Into<BoxError>,
{
    type Context = ();
    type Response<T: Ticket> = Res;
    type Error = BoxError;

    #[inline]
    fn context(&self, _: &Req) -> Self::Context {}

    fn lift(&self, error: Err) -> BoxError {
        error.into()
    }

    fn error_of(&self, rejection: Rejection) -> Option<BoxError> {
        Some(Box::new(rejection))
    }

    fn judge_error(&self, error: &BoxError) -> Verdict {
        self.classify.classify(Err(error)).unwrap_or_else(|| judge_error(&**error))
    }

    fn refusal_in_error<'a>(&self, error: &'a BoxError) -> Option<&'a Rejection> {
        Rejection::find(&**error)
    }

    #[inline]
    fn judge(&self, (): &(), response: &Res) -> Option<Verdict> {
        Some(self.classify.classify(Ok(response)).unwrap_or(Verdict::Success))
    }

    #[inline(always)]
    fn complete<T: Ticket>(&self, (): (), response: Res, ticket: Option<T>) -> Res {
        if let Some(mut ticket) = ticket {
            ticket.settle(self.classify.classify(Ok(&response)).unwrap_or(Verdict::Success));
        }
        response
    }

    fn refuse<T: Ticket>(&self, (): (), rejection: Rejection) -> Result<Res, BoxError> {
        Err(Box::new(rejection))
    }
}
