//! The protocol.

use http::{Request, Response};
use http_body::Body;
use portcullis::{
    BoxError, Failure, Grpc, GrpcCode, Protocol, Rejection, Ticket, Time, Verdict,
    protocol::{Attempt, CallError, Classify, Head, ResponseBody},
};
use tonic::Status;

use crate::status;

/// For tonic clients: [`Grpc`], but what a layer refuses is an error, and every error is a [`Status`].
///
/// A refusal has the code and the metadata that it has there (the reason in `portcullis-reason`, and
/// `grpc-retry-pushback-ms`), and the [`Rejection`] as its source: what a generated client returns still has
/// it, whatever layers it went through, and in a spawned task too. Errors of the inner service become the
/// status that tonic itself would make of them, with the error as source, but for two: a refusal of some other
/// layer among its sources gives it the refusal's code, and a timeout of the channel is `DeadlineExceeded`.
///
/// Every layer takes it with `.protocol(Tonic::default())`; a retry and a hedge, which must know besides how
/// a request is sent again, with `.grpc().protocol(Tonic::default())`. Servers want `.grpc()` alone.
#[derive(Clone, Copy, Debug)]
pub struct Tonic<C = ()> {
    classify: C,
}

/// The protocol's own judgement.
impl Default for Tonic {
    fn default() -> Self {
        Self { classify: () }
    }
}

impl Tonic {
    /// The same protocol with a judgement of one's own; see [`Classify`].
    ///
    /// ```
    /// use portcullis::{Verdict, protocol::Head};
    /// use portcullis_tonic::Tonic;
    /// use tonic::{Code, Status};
    ///
    /// // What the caller gave up is no failure of this dependency.
    /// let protocol = Tonic::default().classify(|result: Result<&Head<'_>, &Status>| match result {
    ///     Err(status) if status.code() == Code::Cancelled => Some(Verdict::Ignored),
    ///     _ => None,
    /// });
    /// # let _ = protocol;
    /// ```
    pub fn classify<F, V>(self, classify: F) -> Tonic<F>
    where
        F: Fn(Result<&Head<'_>, &Status>) -> V,
        V: Into<Option<Verdict>>,
    {
        Tonic { classify }
    }
}

impl<C: for<'a> Classify<Head<'a>, Status>> Tonic<C> {
    /// The user's own judgement of a response.
    fn classified<B>(&self, response: &Response<B>) -> Option<Verdict> {
        let (status, headers, extensions) = (response.status(), response.headers(), response.extensions());
        self.classify.classify(Ok(&Head { status, headers, extensions }))
    }
}

/// The protocol that this one speaks for, with whatever it is called for.
macro_rules! grpc {
    ($method:ident($($argument:expr),*) for $request:ty) => {
        Protocol::<$request, Response<B>, CallError>::$method(&Grpc::default(), $($argument),*)
    };
}

#[diagnostic::do_not_recommend]
impl<C, ReqB, B, Err> Protocol<Request<ReqB>, Response<B>, Err> for Tonic<C>
where
    C: for<'a> Classify<Head<'a>, Status>,
    B: Body,
    Err: Into<BoxError>,
{
    type Context = ();
    type Response<T: Ticket> = Response<ResponseBody<B, T>>;
    type Error = Status;

    fn context(&self, _: &Request<ReqB>) -> Self::Context {}

    fn attempt(&self, request: &Request<ReqB>) -> Attempt {
        grpc!(attempt(request) for Request<ReqB>)
    }

    fn mark_attempt(&self, request: &mut Request<ReqB>, attempt: Attempt) {
        grpc!(mark_attempt(request, attempt) for Request<ReqB>);
    }

    fn deadline(&self, request: &Request<ReqB>) -> Option<Time> {
        grpc!(deadline(request) for Request<ReqB>)
    }

    fn mark_deadline(&self, request: &mut Request<ReqB>, deadline: Time) {
        grpc!(mark_deadline(request, deadline) for Request<ReqB>);
    }

    fn name_of<'a>(&self, request: &'a Request<ReqB>) -> &'a str {
        request.uri().path()
    }

    fn lift(&self, error: Err) -> Status {
        status::of_error(error.into())
    }

    fn error_of(&self, rejection: Rejection) -> Option<Status> {
        Some(status::refusal(rejection))
    }

    fn judge_error(&self, error: &Status) -> Verdict {
        self.classify.classify(Err(error)).unwrap_or_else(|| status::judge(error))
    }

    fn judge(&self, (): &(), response: &Response<B>) -> Option<Verdict> {
        self.classified(response).or_else(|| grpc!(judge(&(), response) for Request<ReqB>))
    }

    fn refusal_in_error<'a>(&self, error: &'a Status) -> Option<&'a Rejection> {
        Rejection::find(error)
    }

    fn refusal_in<'a>(&self, response: &'a Response<B>) -> Option<&'a Rejection> {
        grpc!(refusal_in(response) for Request<ReqB>)
    }

    fn grpc_status(&self, response: &Response<B>) -> Option<(GrpcCode, Failure)> {
        grpc!(grpc_status(response) for Request<ReqB>)
    }

    fn status(&self, response: &Response<B>) -> Option<u16> {
        Some(response.status().as_u16())
    }

    fn complete<T: Ticket>(
        &self,
        (): (),
        response: Response<B>,
        ticket: Option<T>,
    ) -> Response<ResponseBody<B, T>> {
        let verdict = self.classified(&response);
        let judged = Grpc::default().classify(move |_: Result<&Head<'_>, &CallError>| verdict);
        Protocol::<Request<ReqB>, Response<B>, CallError>::complete(&judged, (), response, ticket)
    }

    fn refuse<T: Ticket>(
        &self,
        (): (),
        rejection: Rejection,
    ) -> Result<Response<ResponseBody<B, T>>, Status> {
        Err(status::refusal(rejection))
    }
}
