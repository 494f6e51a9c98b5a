//! One call, its attempts, and the one decision: whether there is another.

use std::{fmt, time::Duration};

use portcullis_core::{
    Delivery, Failure, FailureKind, GrpcCode, Mode, Rejection, Time,
    retry::{After, Loan},
};

use super::{Config, Failures, RetryPolicy, Stop, policy::Shared};
use crate::{clock, protocol::Attempt, shard::Pinned};

/// One call that may be made again: what is to be asked after each failure. Made by [`RetryPolicy::begin`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), portcullis::retry::Stop> {
/// use portcullis::{Delivery, Failure, FailureKind, RetryPolicy};
///
/// let policy = RetryPolicy::new("inventory");
/// let mut call = policy.begin();
/// let refused = Failure::new(FailureKind::Connection).delivery(Delivery::NotSent);
/// let wait = call.next(&refused)?;
/// tokio::time::sleep(wait).await;
/// assert_eq!(call.attempt().number(), 2);
/// call.succeeded();
/// # Ok(()) }
/// ```
#[must_use = "it is to be told how the attempts end"]
pub struct RetryCall {
    shared: Pinned<Shared>,
    /// Those that were made or decided on.
    attempts: u32,
    idempotent: bool,
    /// Whether the budget wants to know of the end.
    counted: bool,
    failures: Failures,
    previous: Duration,
    deadline: Option<Time>,
    loan: Option<Loan>,
}

impl RetryCall {
    #[inline(always)]
    fn new(shared: Pinned<Shared>, counted: bool, deadline: Option<Time>) -> Self {
        Self {
            shared,
            attempts: 1,
            idempotent: false,
            counted,
            failures: Failures::default(),
            previous: Duration::ZERO,
            deadline,
            loan: None,
        }
    }

    /// Says whether the call may be processed twice; it may not, unless this says so.
    #[inline(always)]
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = idempotent;
        self
    }

    /// Sets the time after which nobody waits for the answer.
    pub fn deadline(mut self, deadline: Option<Time>) -> Self {
        self.deadline = match (self.deadline, deadline) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (one, other) => one.or(other),
        };
        self
    }

    /// The attempt that runs, or that is to be made next.
    pub fn attempt(&self) -> Attempt {
        match self.failures.last() {
            Some(after) if self.attempts > 1 => Attempt::retry(self.attempts, after),
            _ => Attempt::FIRST,
        }
    }

    /// Records a failed attempt, and takes another if there is one: how long to wait before it.
    ///
    /// # Errors
    ///
    /// Why there is none. The call is over then.
    pub fn next(&mut self, failure: &Failure) -> Result<Duration, Stop> {
        let plan = self.plan(failure, None);
        plan.and_then(|plan| self.take(failure, plan))
    }

    /// Records that the last attempt succeeded.
    #[inline(always)]
    pub fn succeeded(&mut self) {
        if self.attempts > 1 || self.shared.budget.counts_outcomes() {
            self.succeeded_slow();
        }
    }

    #[cold]
    #[inline(never)]
    fn succeeded_slow(&mut self) {
        self.shared.budget.succeeded(self.loan.take());
        if self.attempts > 1 {
            self.shared.recovered(self.attempts, self.failures);
        }
    }

    /// The codes of gRPC that this call is retried for, if that is how it is decided.
    #[inline(always)]
    pub(super) fn goes_by_code(&self) -> bool {
        self.shared.flags.goes_by_code()
    }

    /// Whether it is retried for this code, whatever the code means.
    #[cold]
    pub(super) fn is_retried(&self, code: GrpcCode) -> bool {
        self.shared.config.load().grpc_codes.is_some_and(|codes| codes.contains(code))
    }

    /// What a refusal by a layer below is, for a policy that retries those.
    #[cold]
    pub(super) fn failure_of(&self, refusal: &Rejection) -> Option<Failure> {
        let config = self.shared.config.load();
        let after = refusal.retry_after().filter(|&after| after <= config.max_retry_after)?;
        let failure = Failure::new(FailureKind::Unavailable).delivery(Delivery::NotSent);
        config.retry_refusals.then(|| failure.retry_after(Some(after)))
    }

    /// Records a failed attempt; says how long another would have to wait, if it would be safe and in time.
    pub(super) fn plan(&mut self, failure: &Failure, code: Option<GrpcCode>) -> Result<Plan, Stop> {
        self.failures.push(failure.kind);
        let loan = self.loan.take();
        if loan.is_some() || self.shared.budget.counts_outcomes() {
            self.shared.budget.failed(loan, failure);
        }
        let config = self.shared.config.load();
        self.plan_by(&config, failure, code).map_err(|stop| self.stopped(stop))
    }

    fn plan_by(&self, config: &Config, failure: &Failure, code: Option<GrpcCode>) -> Result<Plan, Stop> {
        if config.mode == Mode::Disabled {
            return Err(Stop::Disabled);
        }
        if failure.do_not_retry {
            return Err(Stop::Pushback);
        }
        if !is_safe(config, failure, code, self.idempotent) {
            return Err(Stop::NotRetryable);
        }
        if self.attempts >= config.max_attempts {
            return Err(Stop::Exhausted);
        }
        let wait = self.wait(config, failure);
        if self.deadline.is_some_and(|deadline| clock::now() + wait >= deadline) {
            return Err(Stop::Deadline);
        }
        Ok(Plan { wait, mode: config.mode })
    }

    /// What the dependency asked for, and the backoff: those who were all told the same time are not to come
    /// back together.
    fn wait(&self, config: &Config, failure: &Failure) -> Duration {
        let asked = failure.retry_after.map(|asked| asked.min(config.max_retry_after));
        // Who is told when to come back begins anew with its waits (gRFC A6).
        let retry = if asked.is_some() { 1 } else { self.attempts };
        let after = After { retry, failure, previous: self.previous };
        config.backoff.delay(&after, self.shared.dice.draw()).saturating_add(asked.unwrap_or_default())
    }

    /// Takes the attempt that was planned.
    pub(super) fn take(&mut self, failure: &Failure, plan: Plan) -> Result<Duration, Stop> {
        match plan.mode {
            Mode::Enforce => {}
            mode if self.shared.dice.happens(mode.share()) => {}
            _ => return Err(self.stopped(Stop::Shadow)),
        }
        let Some(loan) = self.shared.budget.withdraw(failure) else { return Err(self.stopped(Stop::Budget)) };
        self.loan = Some(loan);
        self.attempts += 1;
        self.previous = plan.wait;
        self.shared.retried(self.attempts, failure.kind, plan.wait);
        Ok(plan.wait)
    }

    /// Records that there is no other attempt, and why.
    pub(super) fn stopped(&self, stop: Stop) -> Stop {
        self.shared.stopped(stop, self.attempts, self.failures);
        stop
    }
}

/// An attempt that could be made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    wait: Duration,
    mode: Mode,
}

impl Drop for RetryCall {
    #[inline(always)]
    fn drop(&mut self) {
        if self.loan.is_some() || self.counted {
            end(self);
        }
    }
}

#[cold]
#[inline(never)]
fn end(call: &mut RetryCall) {
    let budget = &call.shared.budget;
    if let Some(loan) = call.loan.take() {
        budget.give_back(loan);
    }
    if call.counted {
        budget.ended(call.shared.shard());
    }
}

/// Never sent or never processed: always. Otherwise only what is idempotent and may pass, or what has one of
/// the codes, where it goes by code.
fn is_safe(config: &Config, failure: &Failure, code: Option<GrpcCode>, idempotent: bool) -> bool {
    if failure.delivery != Delivery::MaybeProcessed {
        return true;
    }
    match config.grpc_codes {
        Some(codes) => codes.contains(code.unwrap_or(as_code(failure.kind))),
        None => idempotent && !config.not_retried.contains(&failure.kind),
    }
}

/// The code by which a gRPC client shows a failure that came without one.
fn as_code(kind: FailureKind) -> GrpcCode {
    match kind {
        FailureKind::Timeout => GrpcCode::DeadlineExceeded,
        FailureKind::Connection | FailureKind::Network | FailureKind::Unavailable => GrpcCode::Unavailable,
        FailureKind::RateLimited | FailureKind::ResourceExhausted => GrpcCode::ResourceExhausted,
        FailureKind::Internal => GrpcCode::Internal,
        FailureKind::DataLoss => GrpcCode::DataLoss,
        _ => GrpcCode::Unknown,
    }
}

impl RetryPolicy {
    /// Begins a call.
    pub fn begin(&self) -> RetryCall {
        self.begin_call(true, || None)
    }

    /// Begins a call; `original` unless a retry above made it.
    #[inline(always)]
    pub(super) fn begin_call(&self, original: bool, deadline: impl FnOnce() -> Option<Time>) -> RetryCall {
        let shared = self.shared.pin();
        let counted = original && shared.budget.begin(shared.shard());
        let call = RetryCall::new(shared, counted, deadline());
        if call.shared.flags.is_timed() { begin_timed(call) } else { call }
    }
}

/// A call that has an end of its policy's own.
#[cold]
#[inline(never)]
fn begin_timed(call: RetryCall) -> RetryCall {
    let total = call.shared.config.load().total_time;
    call.deadline(total.map(|total| clock::now() + total))
}

impl fmt::Debug for RetryCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryCall")
            .field("policy", self.shared.name())
            .field("attempts", &self.attempts)
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}
