use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    ledger::{Ledger, Tally},
    step::Step,
};

type Otherwise<Req, Res, Err> = Box<dyn FnMut(&Req) -> Step<Res, Err> + Send>;
type ReadinessError<Err> = Box<dyn FnMut() -> Err + Send>;

/// What all instances of a scripted service, and its handle, have in common.
///
/// One lock each, so that a rule may use the handle.
pub(super) struct Shared<Req, Res, Err> {
    pub(super) ledger: Ledger,
    steps: Mutex<VecDeque<Step<Res, Err>>>,
    otherwise: Mutex<Otherwise<Req, Res, Err>>,
    readiness_error: Mutex<Option<ReadinessError<Err>>>,
    requests: Mutex<Vec<Req>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A test that panicked while holding the lock has already failed: the rest may go on.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<Req, Res, Err> Shared<Req, Res, Err> {
    pub(super) fn new(otherwise: Otherwise<Req, Res, Err>) -> Self {
        Self {
            ledger: Ledger::default(),
            steps: Mutex::default(),
            otherwise: Mutex::new(otherwise),
            readiness_error: Mutex::default(),
            requests: Mutex::default(),
        }
    }

    pub(super) fn readiness_error(&self) -> Option<Err> {
        lock(&self.readiness_error).as_mut().map(|error| error())
    }

    pub(super) fn next_step(&self, request: Req) -> Step<Res, Err> {
        let listed = lock(&self.steps).pop_front();
        let step = listed.unwrap_or_else(|| lock(&self.otherwise)(&request));
        lock(&self.requests).push(request);
        step
    }
}

/// Watches and steers a [`Scripted`](super::Scripted) service from outside.
pub struct Handle<Req, Res, Err> {
    shared: Arc<Shared<Req, Res, Err>>,
}

impl<Req, Res, Err> Handle<Req, Res, Err> {
    pub(super) fn new(shared: Arc<Shared<Req, Res, Err>>) -> Self {
        Self { shared }
    }

    /// Appends a step to the list. The list is used up before the rule for all other calls.
    pub fn push(&self, step: Step<Res, Err>) {
        lock(&self.shared.steps).push_back(step);
    }

    /// Replaces the rule for calls that find the list used up.
    pub fn otherwise(&self, rule: impl FnMut(&Req) -> Step<Res, Err> + Send + 'static) {
        *lock(&self.shared.otherwise) = Box::new(rule);
    }

    /// Everything counted so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.shared.ledger.lock().tally.clone()
    }

    /// The requests seen since the last time this was asked, in order.
    #[must_use]
    pub fn take_requests(&self) -> Vec<Req> {
        std::mem::take(&mut *lock(&self.shared.requests))
    }

    /// Lets the call go on that has been [held](Step::held) longest; `false` when there is none.
    ///
    /// A call is held from the poll that gets there, so a call that was not polled yet is not held.
    pub fn release(&self) -> bool {
        loop {
            let Some(held) = self.shared.ledger.lock().held.pop_front() else { return false };
            // A call that was dropped while held cannot be told: the next one is.
            if held.send(()).is_ok() {
                return true;
            }
        }
    }

    /// Lets all held calls go on; how many there were.
    pub fn release_all(&self) -> usize {
        std::iter::from_fn(|| self.release().then_some(())).count()
    }

    /// No instance becomes ready until [`open`](Self::open).
    pub fn close(&self) {
        self.shared.ledger.lock().closed = true;
    }

    /// Instances may become ready again, and those that wait are woken.
    pub fn open(&self) {
        self.shared.ledger.open();
    }

    /// From now on an instance is pending `times` times before it is ready, each time woken at once.
    pub fn ready_yields(&self, times: u32) {
        self.shared.ledger.lock().ready_yields = times;
    }

    /// From now on `poll_ready` answers with an error.
    pub fn fail_readiness(&self, error: impl FnMut() -> Err + Send + 'static) {
        *lock(&self.shared.readiness_error) = Some(Box::new(error));
        // Whoever waits at a closed gate learns of the error.
        self.open();
    }
}

impl<Req, Res, Err> Clone for Handle<Req, Res, Err> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<Req, Res, Err> fmt::Debug for Handle<Req, Res, Err> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("tally", &self.tally()).finish_non_exhaustive()
    }
}
