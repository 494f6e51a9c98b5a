//! HTTP servers.

use ::http::{HeaderValue, Request, Response, Version, header};
use http_body::Body;
use portcullis_core::{Failure, GrpcCode, Rejection, Time, Verdict};

use super::{Head, ResponseBody, Wire, deadline, status};
use crate::{
    Ticket,
    protocol::{Attempt, Classify, Protocol, Tried, find_any, judge_any},
};

/// For HTTP servers: axum routers, hyper servers, also those that serve gRPC beside HTTP.
///
/// A 5xx (but for 501 and 505) is a failure, and for a gRPC request a failing `grpc-status`. A refusal is
/// a response with a problem document: 503, 504 for a timeout, 429 for a rate limit and for a key that has its share,
/// 500 for a panic; with `Retry-After` where it is known, which a bulkhead and a pool of threads do not. For a gRPC
/// request it is a trailers-only response. The service's error type stays what it was, so `Router::layer` needs nothing else. The ticket
/// lives until the body ends. The [`Rejection`] is in the response's extensions, for outer layers to see.
#[derive(Clone, Copy, Debug)]
pub struct HttpServer<C = ()> {
    classify: C,
}

/// The protocol's own judgement.
impl Default for HttpServer {
    fn default() -> Self {
        Self { classify: () }
    }
}

impl HttpServer {
    /// The same protocol with a judgement of one's own; see [`Classify`].
    pub fn classify<F, V, Err>(self, classify: F) -> HttpServer<F>
    where
        F: Fn(Result<&Head<'_>, &Err>) -> V,
        V: Into<Option<Verdict>>,
    {
        HttpServer { classify }
    }
}

#[diagnostic::do_not_recommend]
impl<C, ReqB, B, Err> Protocol<Request<ReqB>, Response<B>, Err> for HttpServer<C>
where
    C: for<'a> Classify<Head<'a>, Err>,
    B: Body,
    Err: 'static,
{
    type Context = Wire;
    type Response<T: Ticket> = Response<ResponseBody<B, T>>;
    type Error = Err;

    fn context(&self, request: &Request<ReqB>) -> Wire {
        Wire::of(request)
    }

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
        deadline::of_grpc(request)
    }

    fn mark_deadline(&self, request: &mut Request<ReqB>, deadline: Time) {
        deadline::tell(request, deadline);
    }

    fn name_of<'a>(&self, request: &'a Request<ReqB>) -> &'a str {
        request.uri().path()
    }

    fn can_close(&self, request: &Request<ReqB>) -> bool {
        request.version() <= Version::HTTP_11
    }

    fn close<T: Ticket>(&self, response: &mut Response<ResponseBody<B, T>>) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }

    fn lift(&self, error: Err) -> Err {
        error
    }

    fn judge_error(&self, error: &Err) -> Verdict {
        self.classify.classify(Err(error)).unwrap_or_else(|| judge_any(error))
    }

    fn judge(&self, wire: &Wire, response: &Response<B>) -> Option<Verdict> {
        let head = Head::of(response);
        match (self.classify.classify(Ok(&head)), wire) {
            (Some(verdict), _) => Some(verdict),
            (None, Wire::Grpc) => status::judge_grpc(&head, status::judge_server),
            (None, Wire::Http | Wire::Head) => Some(status::judge_server(&head)),
        }
    }

    fn refusal_in_error<'a>(&self, error: &'a Err) -> Option<&'a Rejection> {
        find_any(error)
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
        wire: Wire,
        response: Response<B>,
        ticket: Option<T>,
    ) -> Response<ResponseBody<B, T>> {
        let judge = |response: &_| Protocol::<Request<ReqB>, Response<B>, Err>::judge(self, &wire, response);
        super::guard(response, ticket, wire, judge)
    }

    fn refuse<T: Ticket>(
        &self,
        wire: Wire,
        rejection: Rejection,
    ) -> Result<Response<ResponseBody<B, T>>, Err> {
        Ok(super::refusal_response(wire, rejection))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use ::http::Method;
    use portcullis_core::{Name, Reason};

    use super::*;
    use crate::BoxError;

    type Inner = http_body_util::Full<bytes::Bytes>;

    fn judged(content_type: &'static str, status: u16) -> Option<Verdict> {
        let request = Request::post("/").header(header::CONTENT_TYPE, content_type).body(()).unwrap();
        let response = Response::builder().status(status).body(Inner::default()).unwrap();
        let context = Protocol::<_, Response<Inner>, Infallible>::context(&HttpServer::default(), &request);
        Protocol::<Request<()>, _, Infallible>::judge(&HttpServer::default(), &context, &response)
    }

    #[test]
    fn what_a_server_refuses_is_not_its_failure() {
        for content_type in ["application/json", "application/grpc"] {
            for refused in [408, 429] {
                assert_eq!(judged(content_type, refused), Some(Verdict::Ignored), "{content_type} {refused}");
            }
            assert!(matches!(judged(content_type, 500), Some(Verdict::Failure(_))), "{content_type}");
        }
    }

    fn refused(method: Method) -> Response<ResponseBody<Inner, ()>> {
        let request = Request::builder().method(method).body(()).unwrap();
        let server = HttpServer::default();
        let context = Protocol::<_, Response<Inner>, Infallible>::context(&server, &request);
        let rejection = Rejection::new(Name::from("x"), Reason::BulkheadFull { limit: 1, queued: 0 });
        let Ok(response) =
            Protocol::<Request<()>, Response<Inner>, Infallible>::refuse(&server, context, rejection);
        response
    }

    #[test]
    fn refuses_head_without_content() -> Result<(), BoxError> {
        let (get, head) = (refused(Method::GET), refused(Method::HEAD));
        assert!(head.body().is_end_stream());
        let length = head.headers()[header::CONTENT_LENGTH].to_str()?.parse().ok();
        assert_eq!((length, head.status()), (get.body().size_hint().exact(), get.status()));
        Ok(())
    }
}
