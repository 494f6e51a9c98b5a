//! gRPC.

use ::http::{HeaderName, HeaderValue, Request, Response};
use http_body::Body;
use portcullis_core::{Failure, GrpcCode, Rejection, Time, Verdict};

use super::{CallError, Head, ResponseBody, Wire, deadline, status};
use crate::{
    BoxError, Ticket,
    protocol::{Attempt, Classify, Protocol, Tried, judge_error},
};

const PREVIOUS_ATTEMPTS: HeaderName = HeaderName::from_static("grpc-previous-rpc-attempts");

/// For tonic servers, and for any other gRPC over `http`.
///
/// Around a tonic client, `portcullis_tonic::Tonic` is the better one: with it every error is the `tonic::Status`
/// that callers expect, and a refusal keeps its [`Rejection`] as that status's source.
///
/// A call is judged by its `grpc-status`, in the headers or in the trailers, with the wait that the pushback
/// beside it asks for (and, with the feature `grpc-details`, google.rpc.RetryInfo); a stream that is dropped
/// before its end says nothing. A refusal is a trailers-only response with the right code, the reason in
/// `portcullis-reason`, and `grpc-retry-pushback-ms`. Errors of the inner service come back as
/// [`CallError`].
#[derive(Clone, Copy, Debug)]
pub struct Grpc<C = ()> {
    classify: C,
}

/// The protocol's own judgement.
impl Default for Grpc {
    fn default() -> Self {
        Self { classify: () }
    }
}

impl Grpc {
    /// The same protocol with a judgement of one's own; see [`Classify`].
    pub fn classify<F, V>(self, classify: F) -> Grpc<F>
    where
        F: Fn(Result<&Head<'_>, &CallError>) -> V,
        V: Into<Option<Verdict>>,
    {
        Grpc { classify }
    }
}

#[diagnostic::do_not_recommend]
impl<C, ReqB, B, Err> Protocol<Request<ReqB>, Response<B>, Err> for Grpc<C>
where
    C: for<'a> Classify<Head<'a>, CallError>,
    B: Body,
    Err: Into<BoxError>,
{
    type Context = ();
    type Response<T: Ticket> = Response<ResponseBody<B, T>>;
    type Error = CallError;

    fn context(&self, _: &Request<ReqB>) -> Self::Context {}

    fn attempt(&self, request: &Request<ReqB>) -> Attempt {
        Attempt::of(request)
    }

    fn mark_attempt(&self, request: &mut Request<ReqB>, attempt: Attempt) {
        request.extensions_mut().insert(attempt);
        // Told from the second attempt on (gRFC A6).
        if attempt.is_retry() {
            request.headers_mut().insert(PREVIOUS_ATTEMPTS, HeaderValue::from(attempt.number() - 1));
        }
    }

    fn tried<'a>(&self, request: &'a Request<ReqB>) -> Option<&'a Tried> {
        request.extensions().get()
    }

    fn deadline(&self, request: &Request<ReqB>) -> Option<Time> {
        deadline::of_grpc(request)
    }

    fn mark_deadline(&self, request: &mut Request<ReqB>, deadline: Time) {
        deadline::tell(request, deadline);
    }

    fn name_of<'a>(&self, request: &'a Request<ReqB>) -> &'a str {
        request.uri().path()
    }

    fn lift(&self, error: Err) -> CallError {
        CallError::new(error)
    }

    fn error_of(&self, rejection: Rejection) -> Option<CallError> {
        Some(CallError::new(rejection))
    }

    fn judge_error(&self, error: &CallError) -> Verdict {
        self.classify.classify(Err(error)).unwrap_or_else(|| judge_error(error))
    }

    fn judge(&self, (): &(), response: &Response<B>) -> Option<Verdict> {
        let head = Head::of(response);
        self.classify.classify(Ok(&head)).or_else(|| status::judge_grpc(&head, status::judge_client))
    }

    fn refusal_in_error<'a>(&self, error: &'a CallError) -> Option<&'a Rejection> {
        Rejection::find(error)
    }

    fn refusal_in<'a>(&self, response: &'a Response<B>) -> Option<&'a Rejection> {
        response.extensions().get()
    }

    fn grpc_status(&self, response: &Response<B>) -> Option<(GrpcCode, Failure)> {
        status::grpc_failure(&Head::of(response))
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
        super::guard(response, ticket, Wire::Grpc, judge)
    }

    fn refuse<T: Ticket>(
        &self,
        (): (),
        rejection: Rejection,
    ) -> Result<Response<ResponseBody<B, T>>, CallError> {
        Ok(super::refusal_response(Wire::Grpc, rejection))
    }
}
