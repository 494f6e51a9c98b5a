//! How a layer reads results and answers in its own name.
//!
//! | protocol | for | a result is judged by | a refusal is |
//! |---|---|---|---|
//! | [`Boxed`] | services whose error is `Into<BoxError>` | `Err` is a failure | `Err` that downcasts to [`Rejection`] |
//! | [`Typed`] | services with an error that is [`FromRejection`] | `Err` is a failure | `Err` of that type |
//! | `HttpServer` | axum routers, hyper servers | status, gRPC status | a response |
//! | `HttpClient` | hyper clients, reqwest | errors, status, `Retry-After` | `Err` that downcasts to [`Rejection`] |
//! | `Grpc` | tonic clients and servers | `grpc-status` in headers or trailers | a trailers-only response |
//!
//! Every layer has the shorthands `.typed()`, `.http_server()`, `.http_client()`, `.grpc()`, and takes
//! any protocol by `.protocol(p)`.
//!
//! A service that must not fail, as all under an axum router and the single services of a tonic server,
//! wants `.http_server()`, which answers gRPC in gRPC too. With a protocol that boxes errors the compiler
//! says there that `Infallible: From<Box<dyn Error + Send + Sync>>` is not satisfied.
//!
//! # A judgement of one's own
//!
//! ```
//! use portcullis::{BoxError, Boxed, Failure, FailureKind, Verdict, Breaker, BreakerLayer};
//!
//! // A reply that says "busy" is a failure of this dependency; the rest is judged as usual.
//! let protocol = Boxed::default().classify(|result: Result<&String, &BoxError>| match result {
//!     Ok(reply) if reply == "busy" => Some(Verdict::from(Failure::new(FailureKind::Unavailable))),
//!     _ => None,
//! });
//! let layer = BreakerLayer::new(Breaker::new("queue")).protocol(protocol);
//! # let _ = layer;
//! ```

mod attempt;
mod boxed;
mod classify;
mod error;
pub(crate) mod future;
#[cfg(feature = "http")]
mod http;
pub(crate) mod layer;
mod ticket;
#[cfg(feature = "http")]
mod tried;
mod typed;

pub use attempt::Attempt;
pub use boxed::Boxed;
pub use classify::Classify;
pub use error::FromRejection;
pub use future::ResponseFuture;
#[cfg(feature = "http")]
pub use http::{CallError, Deadline, Grpc, Head, HttpClient, HttpServer, ResponseBody, Wire, refusal};
pub use ticket::Ticket;
#[cfg(feature = "http")]
pub use tried::Tried;
pub use typed::Typed;

pub(crate) use error::judge_error;
#[cfg(feature = "http")]
pub(crate) use error::{find_any, judge_any};
#[cfg(feature = "http")]
pub(crate) use http::{Told, grpc_timeout, without_content, write_grpc_timeout, write_millis};
pub(crate) use ticket::{watched, watched_inside};

use portcullis_core::{Failure, GrpcCode, Rejection, Time, Verdict};

/// How a layer reads results and answers for itself.
///
/// An implementation is cloned into each call, so it should cost nothing to clone.
#[diagnostic::on_unimplemented(
    message = "this protocol cannot judge responses `{Res}` with errors `{Err}` to requests `{Req}`",
    label = "the service below the layer does not fit the layer's protocol",
    note = "`Boxed` needs an error that is `Into<BoxError>`, `Typed` one that is `FromRejection`; the HTTP \
            protocols need `http::Request` and `http::Response` with a body of `Bytes`",
    note = "choose another protocol with `.typed()`, `.http_server()`, `.http_client()` or `.grpc()`; a judgement by `classify` takes \
            the service's own response and error"
)]
pub trait Protocol<Req, Res, Err> {
    /// What is kept of the request to judge or answer it later; cheap to clone.
    type Context: Clone;
    /// What the layer returns. With HTTP the ticket goes into the body, and lives until the body ends.
    type Response<T: Ticket>;
    /// The error the layer returns.
    type Error;

    /// Takes from a request what will be needed.
    fn context(&self, request: &Req) -> Self::Context;

    /// Which attempt of its call a request says it is. The first, where requests cannot tell.
    fn attempt(&self, request: &Req) -> Attempt {
        let _ = request;
        Attempt::FIRST
    }

    /// Lets a request tell which attempt of its call it is, where requests can.
    fn mark_attempt(&self, request: &mut Req, attempt: Attempt) {
        let _ = (request, attempt);
    }

    /// The endpoints that the attempts of this call went to, where requests tell.
    #[cfg(feature = "http")]
    fn tried<'a>(&self, request: &'a Req) -> Option<&'a Tried> {
        let _ = request;
        None
    }

    /// The time after which nobody waits for an answer to this request, where requests tell.
    fn deadline(&self, request: &Req) -> Option<Time> {
        let _ = request;
        None
    }

    /// Lets the request of a further attempt tell how much of its time is left, where it tells that at all.
    fn mark_deadline(&self, request: &mut Req, deadline: Time) {
        let _ = (request, deadline);
    }

    /// What a request asks for, in few words, where requests tell: a path, a method of gRPC. For people.
    fn name_of<'a>(&self, request: &'a Req) -> &'a str {
        let _ = request;
        ""
    }

    /// Whether the answer to this request can say that the connection ends with it: over HTTP/1.
    fn can_close(&self, request: &Req) -> bool {
        let _ = request;
        false
    }

    /// Lets an answer say that its connection ends with it.
    fn close<T: Ticket>(&self, response: &mut Self::Response<T>) {
        let _ = response;
    }

    /// Turns an error of the inner service into one of the layer, with its chain of sources unbroken.
    fn lift(&self, error: Err) -> Self::Error;

    /// The error that a layer ends a call with whose response is no longer to be had; `None` where the errors are not
    /// the protocol's to make, as with a server that only answers.
    fn error_of(&self, rejection: Rejection) -> Option<Self::Error> {
        let _ = rejection;
        None
    }

    /// Judges an error. Errors of readiness are judged by this too.
    fn judge_error(&self, error: &Self::Error) -> Verdict;

    /// Judges a response as far as it is known; `None` when only its end will tell.
    fn judge(&self, context: &Self::Context, response: &Res) -> Option<Verdict>;

    /// The refusal of a layer below that this error is.
    fn refusal_in_error<'a>(&self, error: &'a Self::Error) -> Option<&'a Rejection> {
        let _ = error;
        None
    }

    /// The refusal of a layer below that this response is.
    fn refusal_in<'a>(&self, response: &'a Res) -> Option<&'a Rejection> {
        let _ = response;
        None
    }

    /// The gRPC status in a response's head, unless it is OK, and what it is as a failure, whether or not it
    /// is judged to be one.
    fn grpc_status(&self, response: &Res) -> Option<(GrpcCode, Failure)> {
        let _ = response;
        None
    }

    /// The status of a response in HTTP, where responses have one. For people.
    fn status(&self, response: &Res) -> Option<u16> {
        let _ = response;
        None
    }

    /// Settles the ticket, if there is one, or hands it over to the response.
    fn complete<T: Ticket>(
        &self,
        context: Self::Context,
        response: Res,
        ticket: Option<T>,
    ) -> Self::Response<T>;

    /// Answers in the layer's own name.
    ///
    /// # Errors
    ///
    /// The rejection, where the protocol refuses by error.
    fn refuse<T: Ticket>(
        &self,
        context: Self::Context,
        rejection: Rejection,
    ) -> Result<Self::Response<T>, Self::Error>;
}
