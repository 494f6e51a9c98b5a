//! Any service whose error can be boxed.

use portcullis_core::{Rejection, Verdict};

use super::{Classify, Protocol, Ticket, judge_error};
use crate::BoxError;

/// For any service whose error is `Into<BoxError>`: closures, `reqwest::Client`, tower's own layers.
///
/// An `Err` is a failure, unless a [`Rejection`] is in its chain of sources. A refusal is a `BoxError`
/// that downcasts to [`Rejection`].
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
