//! One call, or one attempt, that is observed.

use std::{
    fmt,
    mem::{self, ManuallyDrop},
};

use portcullis_core::{Failure, FailureKind, Rejection, Time, Verdict};

use super::{Outcome, policy::Held, span::Trace};
use crate::{Ticket, clock};

/// The record of one call or attempt. It is over when it is settled, or when the body of its answer has ended; dropped
/// before, it was abandoned.
#[must_use = "dropped unsettled, it counts as abandoned"]
pub struct ObserveTicket {
    /// What is still there at the end is let go by code that stands apart, so that a future whose ticket was settled or
    /// handed on looks at one word.
    state: ManuallyDrop<State>,
}

enum State {
    /// Not recorded, over, or handed on.
    Nothing,
    /// Only counted.
    Counted(Held),
    /// The same, and there is a body that goes on when it is settled.
    Lasting(Held),
    /// It was settled, and the body goes on.
    Settled(Held),
    /// All else is seldom wanted.
    Watched(Box<Watched>),
}

/// What is measured, or has a span. It goes on until it is dropped.
pub(super) struct Watched {
    held: Held,
    /// Abandoned, until it is settled.
    outcome: Outcome,
    /// When it began, if that is measured.
    begun: Option<Time>,
    trace: Trace,
}

impl ObserveTicket {
    #[inline(always)]
    const fn of(state: State) -> Self {
        Self { state: ManuallyDrop::new(state) }
    }

    #[inline(always)]
    pub(super) const fn counted(held: Held) -> Self {
        Self::of(State::Counted(held))
    }

    pub(super) fn watched(held: Held, begun: Option<Time>, trace: Trace) -> Self {
        Self::of(State::Watched(Box::new(Watched { held, outcome: Outcome::Abandoned, begun, trace })))
    }

    /// What is not recorded at all.
    pub(super) const fn of_nothing() -> Self {
        Self::of(State::Nothing)
    }

    /// The record, of which nothing is left here.
    #[inline(always)]
    pub(super) fn take(&mut self) -> Self {
        Self::of(self.take_state())
    }

    #[inline(always)]
    fn take_state(&mut self) -> State {
        mem::replace(&mut *self.state, State::Nothing)
    }

    /// Whether there is nothing left of it.
    #[inline(always)]
    pub(super) fn is_over(&self) -> bool {
        matches!(*self.state, State::Nothing)
    }

    /// The span, if there may be one.
    #[inline(always)]
    pub(super) fn trace(&self) -> Option<&Trace> {
        match &*self.state {
            State::Watched(watched) => Some(&watched.trace),
            _ => None,
        }
    }

    /// Lets a panic be the end of the call, until [`Watch::over`]. Not by a closure, so that what runs is inlined where it
    /// stands.
    #[inline(always)]
    pub(super) const fn watch(&mut self) -> Watch<'_> {
        Watch(self)
    }

    /// It ended with an error, in which there may be a refusal.
    #[inline]
    pub(super) fn failed(&mut self, refusal: Option<&Rejection>, judge: impl FnOnce() -> Verdict) {
        match refusal {
            Some(rejection) => self.refused(rejection),
            None => self.settle(judge()),
        }
    }

    /// It ended with a refusal; one that says something about the dependency, as a timeout does, is its failure.
    #[cold]
    #[inline(never)]
    pub(super) fn refused(&mut self, rejection: &Rejection) {
        if let Some(trace) = self.trace() {
            trace.refused(rejection);
        }
        match rejection.verdict() {
            verdict @ Verdict::Failure(_) => self.end(Outcome::Failure, verdict),
            verdict => self.end(Outcome::Rejected, verdict),
        }
    }

    #[cold]
    #[inline(never)]
    fn end(&mut self, outcome: Outcome, verdict: Verdict) {
        *self.state = match self.take_state() {
            State::Counted(held) => {
                held.local().count(outcome);
                State::Nothing
            }
            State::Lasting(held) => {
                held.local().count(outcome);
                State::Settled(held)
            }
            State::Watched(mut watched) => {
                watched.ended(outcome, verdict);
                State::Watched(watched)
            }
            over => over,
        };
    }

    /// Whatever is left of it is over.
    #[cold]
    #[inline(never)]
    fn let_go(&mut self) {
        match self.take_state() {
            State::Counted(held) | State::Lasting(held) => held.local().count(Outcome::Abandoned),
            State::Watched(mut watched) => {
                watched.ended(Outcome::Abandoned, Verdict::Ignored);
                watched.took();
            }
            State::Settled(_) | State::Nothing => {}
        }
    }
}

impl Ticket for ObserveTicket {
    #[inline(always)]
    fn settle(&mut self, verdict: Verdict) {
        match self.take_state() {
            // Here, where it is known that nothing is left of it.
            State::Counted(held) => held.local().count(verdict.into()),
            other => {
                *self = Self::of(other);
                self.end(verdict.into(), verdict);
            }
        }
    }

    fn answered(&mut self, _: Option<Verdict>) {
        *self.state = match self.take_state() {
            State::Counted(held) => State::Lasting(held),
            other => other,
        };
    }

    #[inline]
    fn inside<R>(&mut self, poll: impl FnOnce() -> R) -> R {
        let _entered = self.trace().map(Trace::enter);
        poll()
    }
}

/// Dropped only when the code it watches panics.
pub(super) struct Watch<'a>(&'a mut ObserveTicket);

impl Watch<'_> {
    #[inline(always)]
    pub(super) const fn over(self) {
        mem::forget(self);
    }
}

impl Drop for Watch<'_> {
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        self.0.settle(Failure::new(FailureKind::Panic).into());
    }
}

impl Drop for ObserveTicket {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.is_over() {
            self.let_go();
        }
    }
}

impl Watched {
    /// How it ended; the first word counts.
    fn ended(&mut self, outcome: Outcome, verdict: Verdict) {
        if self.outcome == Outcome::Abandoned {
            self.outcome = outcome;
            self.trace.ended(outcome, verdict);
        }
    }

    /// It is over: counts it, and how long it took. What was refused or given up says nothing of that.
    fn took(&self) {
        self.held.local().count(self.outcome);
        let Some(begun) = self.begun else { return };
        let now = clock::now();
        let took = now.since(begun);
        self.trace.took(took);
        if !matches!(self.outcome, Outcome::Rejected | Outcome::Abandoned) {
            self.held.local().took(took);
            self.held.lately.record(self.held.shard(), took, now);
        }
    }
}

impl fmt::Debug for ObserveTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = match &*self.state {
            State::Nothing => None,
            State::Counted(held) | State::Lasting(held) | State::Settled(held) => Some(held),
            State::Watched(watched) => Some(&watched.held),
        };
        f.debug_struct("ObserveTicket")
            .field("observer", &held.map(|held| &held.name))
            .finish_non_exhaustive()
    }
}
