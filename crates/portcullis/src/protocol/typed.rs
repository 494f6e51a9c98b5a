//! Services with an error type of their own.

use portcullis_core::{Rejection, Verdict};

use super::{Classify, FromRejection, Protocol, Ticket};

/// For services with an error of their own that can carry a [`Rejection`]; nothing is allocated.
///
/// An `Err` is what its [`verdict`](FromRejection::verdict) says: a failure, unless there is a rejection in it.
#[derive(Clone, Copy, Debug)]
pub struct Typed<C = ()> {
    classify: C,
}

/// The protocol's own judgement.
impl Default for Typed {
    fn default() -> Self {
        Self { classify: () }
    }
}

impl Typed {
    /// The same protocol with a judgement of one's own; see [`Classify`].
    pub fn classify<F, V, Res, Err>(self, classify: F) -> Typed<F>
    where
        F: Fn(Result<&Res, &Err>) -> V,
        V: Into<Option<Verdict>>,
    {
        Typed { classify }
    }
}

impl<C, Req, Res, Err> Protocol<Req, Res, Err> for Typed<C>
where
    C: Classify<Res, Err>,
    Err: FromRejection,
{
    type Context = ();
    type Response<T: Ticket> = Res;
    type Error = Err;

    #[inline]
    fn context(&self, _: &Req) -> Self::Context {}

    #[inline]
    fn lift(&self, error: Err) -> Err {
        error
    }

    fn error_of(&self, rejection: Rejection) -> Option<Err> {
        Some(Err::from_rejection(rejection))
    }

    #[inline]
    fn judge_error(&self, error: &Err) -> Verdict {
        self.classify.classify(Err(error)).unwrap_or_else(|| error.verdict())
    }

    fn refusal_in_error<'a>(&self, error: &'a Err) -> Option<&'a Rejection> {
        error.as_rejection()
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

    fn refuse<T: Ticket>(&self, (): (), rejection: Rejection) -> Result<Res, Err> {
        Err(Err::from_rejection(rejection))
    }
}
