//! A protocol that judges by the codes of a hedging policy.

use portcullis_core::{Delivery, Failure, GrpcCode, GrpcCodes, Rejection, Time, Verdict};

use crate::{Protocol, Ticket, protocol::Attempt, retry::as_code};

/// A protocol whose failures are those with one of these codes; whatever else has a status is an answer.
#[derive(Clone, Debug)]
pub(super) struct Coded<P> {
    pub(super) protocol: P,
    pub(super) non_fatal: GrpcCodes,
}

impl<P> Coded<P> {
    fn judged(&self, code: GrpcCode, failure: Failure) -> Verdict {
        let again = failure.delivery != Delivery::MaybeProcessed || self.non_fatal.contains(code);
        if again { failure.into() } else { Verdict::Ignored }
    }
}

impl<P, Req, Res, Err> Protocol<Req, Res, Err> for Coded<P>
where
    P: Protocol<Req, Res, Err>,
{
    type Context = P::Context;
    type Response<T: Ticket> = P::Response<T>;
    type Error = P::Error;

    fn context(&self, request: &Req) -> Self::Context {
        self.protocol.context(request)
    }

    fn attempt(&self, request: &Req) -> Attempt {
        self.protocol.attempt(request)
    }

    fn mark_attempt(&self, request: &mut Req, attempt: Attempt) {
        self.protocol.mark_attempt(request, attempt);
    }

    fn deadline(&self, request: &Req) -> Option<Time> {
        self.protocol.deadline(request)
    }

    fn mark_deadline(&self, request: &mut Req, deadline: Time) {
        self.protocol.mark_deadline(request, deadline);
    }

    fn lift(&self, error: Err) -> Self::Error {
        self.protocol.lift(error)
    }

    fn error_of(&self, rejection: Rejection) -> Option<Self::Error> {
        self.protocol.error_of(rejection)
    }

    fn judge_error(&self, error: &Self::Error) -> Verdict {
        match self.protocol.judge_error(error) {
            Verdict::Failure(failure) => self.judged(as_code(&failure), failure),
            verdict => verdict,
        }
    }

    fn judge(&self, context: &Self::Context, response: &Res) -> Option<Verdict> {
        match self.protocol.grpc_status(response) {
            Some((code, failure)) => Some(self.judged(code, failure)),
            // No gRPC at all, but a proxy's answer, say.
            None => match self.protocol.judge(context, response) {
                Some(Verdict::Failure(failure)) => Some(self.judged(as_code(&failure), failure)),
                verdict => verdict,
            },
        }
    }

    fn refusal_in_error<'a>(&self, error: &'a Self::Error) -> Option<&'a Rejection> {
        self.protocol.refusal_in_error(error)
    }

    fn refusal_in<'a>(&self, response: &'a Res) -> Option<&'a Rejection> {
        self.protocol.refusal_in(response)
    }

    fn grpc_status(&self, response: &Res) -> Option<(GrpcCode, Failure)> {
        self.protocol.grpc_status(response)
    }

    fn status(&self, response: &Res) -> Option<u16> {
        self.protocol.status(response)
    }

    fn complete<T: Ticket>(
        &self,
        context: Self::Context,
        response: Res,
        ticket: Option<T>,
    ) -> Self::Response<T> {
        self.protocol.complete(context, response, ticket)
    }

    fn refuse<T: Ticket>(
        &self,
        context: Self::Context,
        rejection: Rejection,
    ) -> Result<Self::Response<T>, Self::Error> {
        self.protocol.refuse(context, rejection)
    }
}
