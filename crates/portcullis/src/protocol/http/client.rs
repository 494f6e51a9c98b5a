//! HTTP clients.

use ::http::{Request, Response};
use http_body::Body;
use portcullis_core::{Rejection, Time, Verdict};

use super::{Head, ResponseBody, Wire, deadline, status};
use crate::{
    BoxError, Ticket,
    protocol::{Attempt, Classify, Protocol, Tried, judge_error},
};

/// For HTTP clients: hyper's, reqwest's, anything that answers with an `http::Response`.
///
/// Errors are failures, and so are 5xx (but for 501 and 505), 408 and 429, with the wait that they ask for (by
/// `Retry-After`, `retry-after-ms`, `RateLimit` and its kin); other
/// answers are successes, because the dependency gave them. A refusal is an error that downcasts to
/// [`Rejection`]. The ticket lives until the body ends; a body that fails makes a failure of what looked
/// like success. With the feature `hyper`, a request whose own body broke off says nothing about the
/// dependency.
#[derive(Clone, Copy, Debug)]
pub struct HttpClient<C = ()> {
    classify: C,
}

/// The protocol's own judgement.
impl Default for HttpClient {
    fn default() -> Self {
        Self { classify: () }
    }
}

impl HttpClient {
    /// The same protocol with a judgement of one's own; see [`Classify`].
    pub fn classify<F, V>(self, classify: F) -> HttpClient<F>
    where
        F: Fn(Result<&Head<'_>, &BoxError>) -> V,
        V: Into<Option<Verdict>>,
    {
        HttpClient { classify }
    }
}

#[diagnostic::do_not_recommend]
impl<C, ReqB, B, Err> Protocol<Request<ReqB>, Response<B>, Err> for HttpClient<C>
where
    C: for<'a> Classify<Head<'a>, BoxError>,
    B: Body,
    Err: Into<BoxError>,
{
    type Context = ();
    type Response<T: Ticket> = Response<ResponseBody<B, T>>;
    type Error = BoxError;

    fn context(&self, _: &Request<ReqB>) -> Self::Context {}

    fn attempt(&self, request: &Request<ReqB>) -> Attempt {
        Attempt::of(request)
    }

    fn mark_attempt(&self, request: &mut Request<ReqB>, attempt: Attempt) {
        request.extensions_mut().insert(attempt);
    }

    fn tried<'a>(&self, request: &'a Request<ReqB>) -> Option<&'a Tried> {
        request.extensions().get()
    }

    fn deadline(&self, request: &Request<ReqB>) -> Option<Time> {
        deadline::of(request)
    }

    fn mark_deadline(&self, request: &mut Request<ReqB>, deadline: Time) {
        deadline::tell_again(request, deadline);
    }

    fn name_of<'a>(&self, request: &'a Request<ReqB>) -> &'a str {
        request.uri().path()
    }

    fn lift(&self, error: Err) -> BoxError {
        error.into()
    }

    fn error_of(&self, rejection: Rejection) -> Option<BoxError> {
        Some(Box::new(rejection))
    }

    fn judge_error(&self, error: &BoxError) -> Verdict {
        self.classify.classify(Err(error)).unwrap_or_else(|| judge_error(&**error))
    }

    fn judge(&self, (): &(), response: &Response<B>) -> Option<Verdict> {
        let head = Head::of(response);
        Some(self.classify.classify(Ok(&head)).unwrap_or_else(|| status::judge_client(&head)))
    }

    fn refusal_in_error<'a>(&self, error: &'a BoxError) -> Option<&'a Rejection> {
        Rejection::find(&**error)
    }

    fn refusal_in<'a>(&self, response: &'a Response<B>) -> Option<&'a Rejection> {
        response.extensions().get()
    }

    fn status(&self, response: &Response<B>) -> Option<u16> {
        Some(response.status().as_u16())
    }

    fn complete<T: Ticket>(
        &self,
        context: (),
        response: Response<B>,
        ticket: Option<T>,
    ) -> Response<ResponseBody<B, T>> {
        let judge =
            |response: &_| Protocol::<Request<ReqB>, Response<B>, Err>::judge(self, &context, response);
        super::guard(response, ticket, Wire::Http, judge)
    }

    fn refuse<T: Ticket>(
        &self,
        (): (),
        rejection: Rejection,
    ) -> Result<Response<ResponseBody<B, T>>, BoxError> {
        Err(Box::new(rejection))
    }
}
