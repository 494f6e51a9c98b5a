//! One call, its attempts, and the one decision: whether there is another.

use std::{
    fmt,
    future::Future,
    mem::ManuallyDrop,
    num::NonZeroU16,
    task::{Context, Poll, ready},
    time::Duration,
};

use portcullis_core::{
    Delivery, Failure, FailureKind, GrpcCode, Mode, Reason, Rejection, Time, TimeoutScope,
    retry::{After, Deposits, Loan},
};

use super::{
    Config, Failures, Stop,
    entry::{Begun, End},
    flags::Marks,
    policy::Shared,
    trouble::{Nanos, Trouble},
};
use crate::{clock, protocol::Attempt, shard::Pinned};

/// One call that may be made again: what is to be asked after each failure. Made by [`RetryPolicy::begin`](super::RetryPolicy::begin).
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
    shared: Pinned<Shared, Deposits>,
    /// What there is to do when it ends, which is nothing for most calls; and what else sets it apart.
    marks: Marks,
    end: End,
    /// What only a call has of which an attempt failed, as a mark says: where there is none it is not looked at.
    trouble: ManuallyDrop<Option<Trouble>>,
}

impl RetryCall {
    #[inline(always)]
    pub(super) fn new(shared: Pinned<Shared, Deposits>, begun: Begun) -> Self {
        let Begun { marks, end } = begun;
        Self { shared, marks, end, trouble: ManuallyDrop::new(None) }
    }

    /// Says whether the call may be processed twice; it may not, unless this says so.
    #[inline(always)]
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.marks.set(Marks::IDEMPOTENT, idempotent);
        self
    }

    /// Sets the time after which nobody waits for the answer.
    pub fn deadline(mut self, deadline: Option<Time>) -> Self {
        self.end = self.end.or(End::of(deadline));
        self
    }

    /// The time after which nobody waits for the answer.
    pub(super) fn ends(&self) -> Option<Time> {
        self.end.time()
    }

    /// The attempt that runs, or that is to be made next.
    pub fn attempt(&self) -> Attempt {
        let retries = self.marks.retries();
        match &*self.trouble {
            Some(trouble) if retries > 0 => {
                let number = self.marks.attempts_above().saturating_add(retries + 1);
                trouble.failures.last().map_or(Attempt::FIRST, |after| Attempt::retry(number, after))
            }
            _ => Attempt::FIRST,
        }
    }

    /// Records a failed attempt, and takes another if there is one: how long to wait before it.
    ///
    /// # Errors
    ///
    /// Why there is none. The call is over then.
    pub fn next(&mut self, failure: &Failure) -> Result<Duration, Stop> {
        if self.is_made_at_once(failure) {
            return self.take_at_once(failure.kind).map(|()| Duration::ZERO);
        }
        let plan = self.plan(failure, None);
        plan.and_then(|plan| self.take(failure, plan))
    }

    /// Records that the last attempt succeeded.
    #[inline(always)]
    pub fn succeeded(&mut self) {
        if self.marks.has(Marks::FAILED | Marks::COUNTS_OUTCOMES) {
            self.succeeded_slow();
        }
    }

    /// Whether nothing is to be asked or told when it succeeds.
    #[inline(always)]
    pub(super) fn is_plain(&self) -> bool {
        self.marks.are_silent()
    }

    fn trouble(&mut self) -> &mut Trouble {
        self.marks.set(Marks::FAILED, true);
        self.trouble.get_or_insert_default()
    }

    #[cold]
    #[inline(never)]
    fn succeeded_slow(&mut self) {
        let marks = self.marks;
        if marks.has(Marks::LENT) || self.shared.budget.counts_successes() {
            let loan = self.take_loan();
            self.shared.budget.succeeded(loan);
        }
        let failures = self.failures();
        // Here, with what may be left of a wait: without the marks nobody looks for it.
        *self.trouble = None;
        self.marks.recover();
        if marks.retries() > 0 {
            self.shared.recovered(marks.retries() + 1, failures);
        }
    }

    /// How attempts failed.
    #[inline(always)]
    fn failures(&self) -> Failures {
        self.trouble.as_ref().map_or(Failures::default(), |trouble| trouble.failures)
    }

    /// Records that an attempt failed.
    #[inline(always)]
    fn fail(&mut self, kind: FailureKind) -> &mut Trouble {
        let trouble = self.trouble();
        trouble.failures.push(kind);
        trouble
    }

    /// The retry of this number is to be made: keeps what was lent with it.
    #[inline(always)]
    fn lend(&mut self, loan: Loan) {
        self.marks.add_retry();
        if loan.comes_back() {
            self.marks.set(Marks::LENT, true);
        }
        self.trouble().loan = Some(loan);
    }

    /// What was lent with the last retry.
    #[inline(always)]
    fn take_loan(&mut self) -> Option<Loan> {
        self.marks.set(Marks::LENT, false);
        self.trouble.as_mut().and_then(|trouble| trouble.loan.take())
    }

    /// The codes of gRPC that this call is retried for, if that is how it is decided.
    #[inline(always)]
    pub(super) fn goes_by_code(&self) -> bool {
        self.marks.has(Marks::BY_CODE)
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

    /// Whether one look at the settings and the budget says that another attempt may be made, and without a wait.
    /// If it says no, that says nothing. Nothing is recorded.
    #[inline(always)]
    pub(super) fn is_made_at_once(&self, failure: &Failure) -> bool {
        let marks = self.marks;
        self.shared.rules.get().are_plain(failure, marks.has(Marks::IDEMPOTENT), marks.retries() + 1)
            && self.end.is_none()
            && self.shared.local().interest().is_none()
            && !marks.has(Marks::LENT)
    }

    /// Records a failed attempt after which another is made at once, if the budget has it.
    #[inline(never)]
    pub(super) fn take_at_once(&mut self, after: FailureKind) -> Result<(), Stop> {
        let loan = self.shared.budget.withdraw(after);
        let trouble = self.fail(after);
        trouble.waits += 1;
        trouble.previous = Nanos::default();
        let Some(loan) = loan else { return Err(self.stopped(Stop::Budget)) };
        self.lend(loan);
        self.shared.retried(self.marks.retries() + 1, after, Duration::ZERO);
        Ok(())
    }

    /// Records a failed attempt whose request cannot be sent again.
    #[cold]
    pub(super) fn not_replayable(&mut self, after: FailureKind) {
        self.fail(after);
        self.stopped(Stop::NotReplayable);
    }

    /// Records a failed attempt; says how long another would have to wait, if it would be safe and in time.
    #[inline(never)]
    pub(super) fn plan(&mut self, failure: &Failure, code: Option<GrpcCode>) -> Result<Plan, Stop> {
        let &mut Trouble { waits, previous, .. } = self.fail(failure.kind);
        let loan = self.take_loan();
        let config = self.shared.config.load();
        let is_safe = is_safe(&config, failure, code, self.marks.has(Marks::IDEMPOTENT));
        self.pay_back(loan, failure, is_safe || failure.do_not_retry);
        let retry = Retry { number: self.marks.retries() + 1, waits, previous: previous.into(), is_safe };
        self.plan_by(&config, retry, failure).map_err(|stop| self.stopped(stop))
    }

    /// Tells the budget of a failure. A throttle counts what would be made again, and what the dependency asked
    /// not to have again (gRFC A6).
    fn pay_back(&self, loan: Option<Loan>, failure: &Failure, counts: bool) {
        let budget = &self.shared.budget;
        match loan {
            _ if counts && (loan.is_some_and(Loan::comes_back) || budget.counts_failures()) => {
                budget.failed(loan, failure);
            }
            Some(loan) => budget.give_back(loan),
            None => {}
        }
    }

    #[inline]
    fn plan_by(&self, config: &Config, retry: Retry, failure: &Failure) -> Result<Plan, Stop> {
        if config.mode == Mode::Disabled {
            return Err(Stop::Disabled);
        }
        if failure.do_not_retry {
            return Err(Stop::Pushback);
        }
        if !retry.is_safe {
            return Err(Stop::NotRetryable);
        }
        if retry.number >= config.max_attempts {
            return Err(Stop::Exhausted);
        }
        // Who is told when to come back begins anew with its waits (gRFC A6).
        let asked = failure.retry_after.map(|asked| asked.min(config.max_retry_after));
        let waits = if asked.is_some() { 1 } else { retry.waits + 1 };
        let backoff = self.backoff(config, After { retry: waits, failure, previous: retry.previous });
        let wait = backoff.saturating_add(asked.unwrap_or_default());
        let left = self.ends().map(|deadline| deadline.since(clock::now()));
        if left.is_some_and(|left| wait >= left) {
            return Err(Stop::Deadline);
        }
        Ok(Plan { wait, backoff, waits, left: left.unwrap_or_default(), mode: config.mode })
    }

    /// The policy's own wait. It comes on top of what the dependency asked for: those who were all told the same
    /// time are not to come back together.
    fn backoff(&self, config: &Config, after: After<'_>) -> Duration {
        if config.backoff.is_none() {
            return Duration::ZERO; // and no chance is taken
        }
        config.backoff.delay(&after, self.shared.dice.draw())
    }

    /// Takes the attempt that was planned.
    pub(super) fn take(&mut self, failure: &Failure, plan: Plan) -> Result<Duration, Stop> {
        match plan.mode {
            Mode::Enforce => {}
            mode if self.shared.dice.happens(mode.share()) => {}
            _ => return Err(self.stopped(Stop::Shadow)),
        }
        let Some(loan) = self.shared.budget.withdraw(failure.kind) else {
            return Err(self.stopped(Stop::Budget));
        };
        let trouble = self.trouble();
        (trouble.waits, trouble.previous) = (plan.waits, plan.backoff.into());
        trouble.left = plan.left.into();
        self.lend(loan);
        self.shared.retried(self.marks.retries() + 1, failure.kind, plan.wait);
        Ok(plan.wait)
    }

    /// Records that there is no other attempt, and why.
    pub(super) fn stopped(&self, stop: Stop) -> Stop {
        self.shared.stopped(stop, self.marks.retries() + 1, self.failures());
        stop
    }

    /// Has [`timer`](Self::timer) be due after this wait, or at once.
    #[inline(always)]
    pub(super) fn wait(&mut self, wait: Duration) {
        if !wait.is_zero() {
            self.trouble().timer = Some(Box::pin(tokio::time::sleep(wait)));
            self.marks.set(Marks::WAITING, true);
        }
    }

    /// The wait before the next attempt.
    #[inline(always)]
    pub(super) fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.marks.has(Marks::WAITING) { self.poll_timer(cx) } else { Poll::Ready(()) }
    }

    #[cold]
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let timer = &mut self.trouble().timer;
        if let Some(timer) = timer {
            ready!(timer.as_mut().poll(cx));
        }
        *timer = None;
        self.marks.set(Marks::WAITING, false);
        Poll::Ready(())
    }

    /// Whether nobody waits for the next attempt any more.
    pub(super) fn is_over(&self) -> bool {
        self.ends().is_some_and(|end| clock::now() >= end)
    }

    /// Until it is over, with no instance that the attempt could be made with.
    #[cold]
    pub(super) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(end) = self.ends() else { return Poll::Pending };
        let sleep = || Box::pin(tokio::time::sleep(end.since(clock::now())));
        self.trouble().timer.get_or_insert_with(sleep).as_mut().poll(cx)
    }

    /// What the call ends with when it is over, where its last response was dropped already.
    #[cold]
    pub(super) fn over(&self) -> Rejection {
        let limit = self.trouble.as_ref().map_or(Duration::ZERO, |trouble| trouble.left.into());
        let reason = Reason::Timeout { scope: TimeoutScope::Total, limit, sent: true };
        Rejection::new(self.shared.name().clone(), reason)
    }

    /// Records that the attempt which was decided on came too late.
    #[cold]
    pub(super) fn stopped_before_it(&mut self) {
        self.marks.take_retry();
        self.stopped(Stop::Deadline);
    }
}

/// A retry that is asked for.
#[derive(Clone, Copy)]
struct Retry {
    /// Counted from 1.
    number: u32,
    waits: u32,
    /// The backoff before the one before.
    previous: Duration,
    is_safe: bool,
}

/// An attempt that could be made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    wait: Duration,
    /// What of it is the policy's own.
    backoff: Duration,
    waits: u32,
    left: Duration,
    mode: Mode,
}

impl Drop for RetryCall {
    #[inline(always)]
    fn drop(&mut self) {
        if self.marks.has(Marks::FAILED | Marks::COUNTED) {
            end(self);
        }
    }
}

#[cold]
#[inline(never)]
fn end(call: &mut RetryCall) {
    let budget = &call.shared.budget;
    if let Some(trouble) = call.trouble.take() {
        trouble.loan.into_iter().for_each(|loan| budget.give_back(loan));
    }
    if call.marks.has(Marks::COUNTED) {
        call.shared.local().ended();
    }
}

/// Never sent or never processed: always. Otherwise only what is idempotent and may pass, or what has one of
/// the codes, where it goes by code.
fn is_safe(config: &Config, failure: &Failure, code: Option<GrpcCode>, idempotent: bool) -> bool {
    if failure.delivery != Delivery::MaybeProcessed {
        return true;
    }
    match config.grpc_codes {
        Some(codes) => codes.contains(code.unwrap_or(as_code(failure))),
        None => idempotent && !config.not_retried.contains(&failure.kind),
    }
}

/// The code by which a gRPC client shows a failure that came without one.
pub(crate) fn as_code(failure: &Failure) -> GrpcCode {
    match (failure.status.map(NonZeroU16::get), failure.kind) {
        // By gRPC's own table of HTTP statuses.
        (Some(400), _) => GrpcCode::Internal,
        (Some(401), _) => GrpcCode::Unauthenticated,
        (Some(403), _) => GrpcCode::PermissionDenied,
        (Some(404), _) => GrpcCode::Unimplemented,
        (Some(429 | 502..=504), _) => GrpcCode::Unavailable,
        (Some(100..), _) => GrpcCode::Unknown,
        (_, FailureKind::Timeout) => GrpcCode::DeadlineExceeded,
        (_, FailureKind::Connection | FailureKind::Network | FailureKind::Unavailable) => {
            GrpcCode::Unavailable
        }
        (_, FailureKind::RateLimited | FailureKind::ResourceExhausted) => GrpcCode::ResourceExhausted,
        (_, FailureKind::Internal) => GrpcCode::Internal,
        (_, FailureKind::DataLoss) => GrpcCode::DataLoss,
        _ => GrpcCode::Unknown,
    }
}

impl fmt::Debug for RetryCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryCall")
            .field("policy", self.shared.name())
            .field("attempt", &self.attempt())
            .finish_non_exhaustive()
    }
}
