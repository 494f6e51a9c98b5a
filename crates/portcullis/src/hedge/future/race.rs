//! What the end of an attempt means for its call.

use std::{panic::resume_unwind, task::Context, time::Duration};

use portcullis_core::{Failure, Verdict, hedge::Next};
use tower_service::Service;

use super::FutureProj;
use crate::{
    Protocol,
    hedge::{
        call::{Ticket, When},
        running::{End, Others, quietly},
    },
    replay::Replay,
};

/// What an attempt's end means for the call.
enum Weight {
    /// It is the call's, even if it is a failure.
    Answer(Verdict),
    /// Another attempt may not fail in this way.
    Failure(Failure),
    /// Nothing.
    Refusal,
}

impl<S, P, R, Req> FutureProj<'_, S, P, R, Req, P::Context, P::Error>
where
    R: Replay<Req>,
    S: Service<R::Request> + Clone,
    P: Protocol<R::Request, S::Response, S::Error>,
{
    /// Polls the attempts after the first; the call's result, if one of them had it.
    pub(super) fn poll_running(&mut self, cx: &mut Context<'_>) -> Option<Result<S::Response, P::Error>> {
        loop {
            let (end, ticket) = self.hedging.as_mut()?.others.get_mut()?.poll_end(cx)?;
            let result = match end {
                End::Answered(result) => {
                    let result = result.map_err(|error| self.protocol.lift(error));
                    self.ended(result, Some(ticket))
                }
                End::Unready(error) => {
                    ticket.failed(Verdict::Ignored);
                    let error = self.protocol.lift(error);
                    self.came_to_nothing(Err(error))
                }
                End::Panicked(panic) => {
                    ticket.failed(Verdict::Ignored);
                    self.panicked(panic)
                }
            };
            if result.is_some() {
                return result;
            }
        }
    }

    /// An attempt ended, the first where there is no ticket; the call's result, if that is one.
    #[cold]
    #[inline(never)]
    pub(super) fn ended(
        &mut self,
        result: Result<S::Response, P::Error>,
        ticket: Option<Ticket>,
    ) -> Option<Result<S::Response, P::Error>> {
        match self.weigh(&result, ticket.is_some()) {
            Weight::Answer(verdict) => {
                self.tell(ticket, verdict, true);
                self.drop_losers();
                Some(result)
            }
            Weight::Failure(failure) => {
                self.tell(ticket, failure.into(), false);
                if !self.goes_on(&failure) {
                    return Some(result);
                }
                self.keep(result.err());
                None
            }
            Weight::Refusal => {
                self.tell(ticket, Verdict::Ignored, false);
                self.came_to_nothing(result)
            }
        }
    }

    fn weigh(&self, result: &Result<S::Response, P::Error>, is_hedge: bool) -> Weight {
        let (verdict, refusal) = match result {
            Ok(response) => (self.protocol.judge(self.context, response), self.protocol.refusal_in(response)),
            Err(error) => (Some(self.protocol.judge_error(error)), self.protocol.refusal_in_error(error)),
        };
        match verdict {
            Some(Verdict::Failure(failure)) => {
                let fatal = self.hedging.as_ref().is_none_or(|hedging| hedging.call.is_fatal(&failure));
                if fatal { Weight::Answer(failure.into()) } else { Weight::Failure(failure) }
            }
            Some(Verdict::Ignored) if refusal.is_some() => Weight::Refusal,
            // Such as a body that was longer than may be kept: no answer, as long as there may be one.
            Some(Verdict::Ignored) if is_hedge && result.is_err() => Weight::Refusal,
            verdict => Weight::Answer(verdict.unwrap_or(Verdict::Success)),
        }
    }

    /// Records how an attempt ended.
    fn tell(&mut self, ticket: Option<Ticket>, verdict: Verdict, answer: bool) {
        let Some(hedging) = self.hedging else { return };
        match ticket {
            Some(ticket) if answer => ticket.won(verdict),
            Some(ticket) => ticket.failed(verdict),
            None => hedging.call.first_failed(verdict.failure()),
        }
    }

    /// After a failure: whether others run, or another attempt is to come.
    fn goes_on(&mut self, failure: &Failure) -> bool {
        let others_run = self.is_running();
        let Some(hedging) = self.hedging else { return false };
        let wait = match hedging.call.after(failure) {
            Next::Never => {
                hedging.call.when = When::Never;
                return others_run;
            }
            Next::In(wait) => wait,
            Next::Now => Duration::ZERO,
        };
        hedging.call.arm(wait);
        others_run || self.prepare_alone(failure)
    }

    /// Takes the attempt that the call depends on while its failure can still be returned.
    fn prepare_alone(&mut self, failure: &Failure) -> bool {
        if self.hedging.as_ref().is_none_or(|hedging| hedging.call.when == When::Never) {
            return false;
        }
        let Some(prepared) = self.prepare(Some(failure)) else { return false };
        let Some(hedging) = self.hedging else { return false };
        hedging.others.get_or(Others::none).prepared = Some(prepared);
        true
    }

    /// An attempt ended that says nothing; the call's result, if no other attempt runs.
    fn came_to_nothing(
        &mut self,
        result: Result<S::Response, P::Error>,
    ) -> Option<Result<S::Response, P::Error>> {
        if self.is_running() {
            return None;
        }
        Some(self.kept().map_or(result, Err))
    }

    /// A hedge panicked; the panic goes on when there is nothing else to answer with.
    fn panicked(&mut self, panic: Box<dyn std::any::Any + Send>) -> Option<Result<S::Response, P::Error>> {
        if self.is_running() {
            return None;
        }
        match self.kept() {
            Some(error) => Some(Err(error)),
            None => resume_unwind(panic),
        }
    }

    pub(super) fn is_running(&self) -> bool {
        let others = self.hedging.as_ref().and_then(|hedging| hedging.others.get());
        self.first.is_some() || others.is_some_and(|others| others.is_running())
    }

    fn keep(&mut self, error: Option<P::Error>) {
        let others = self.hedging.as_mut().and_then(|hedging| hedging.others.get_mut());
        // A response that failed is gone; what there is of an error is better than nothing.
        if let (Some(others), Some(error)) = (others, error) {
            others.error = Some(error);
        }
    }

    fn kept(&mut self) -> Option<P::Error> {
        self.hedging.as_mut()?.others.get_mut()?.error.take()
    }

    fn drop_losers(&mut self) {
        quietly(|| self.first.set(None));
        if let Some(hedging) = self.hedging {
            hedging.call.first_given_up();
            hedging.others.clear();
        }
    }
}
