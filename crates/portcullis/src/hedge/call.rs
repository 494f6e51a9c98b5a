//! One call that may be hedged, and its further attempts.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use portcullis_core::{
    Failure, FailureKind, Time, Verdict,
    hedge::{Next, Plan},
    retry::{Deposits, Loan},
};

use super::{
    Delay,
    policy::{Entry, Shared},
    settings::Settings,
    wait::Wait,
};
use crate::{clock, protocol::Attempt, shard::Pinned};

/// One call that may be hedged.
pub(super) struct Call {
    shared: Pinned<Shared, Deposits>,
    settings: Settings,
    plan: Plan,
    /// When the next attempt is sent.
    pub(super) when: When,
    /// Attempts that a retry above made before this call.
    before: u32,
    /// Whether the budget wants to know of the end.
    counted: bool,
    /// Whether the first attempt takes longer than the delay.
    late: bool,
    /// When the first attempt began; `None` when that need not be known, or it has ended.
    began: Option<Time>,
    deadline: Option<Time>,
    wait: Wait,
}

/// When the next attempt is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// After a delay that was not asked for yet.
    Unplanned,
    /// When the timer says so.
    Armed,
    Now,
    Never,
}

impl Call {
    #[inline(always)]
    pub(super) fn begin(entry: Entry, above: Attempt, deadline: Option<Time>) -> Self {
        let Entry { shared, settings } = entry;
        shared.called(shared.shard());
        // Who retries above has counted the call already.
        let counted = !above.is_retry() && shared.budget.is_counting() && is_counted(shared.local());
        Self {
            plan: Plan::new(settings.attempts()),
            when: When::Unplanned,
            before: above.number().saturating_sub(1),
            counted,
            late: false,
            began: settings.is_timed().then(clock::now),
            deadline,
            wait: Wait::NONE,
            settings,
            shared,
        }
    }

    /// How long to wait before the next attempt, if there is one.
    #[inline]
    pub(super) fn delay(&self) -> Option<Duration> {
        if !self.plan.is_open() {
            None
        } else if self.settings.is_timed() || self.settings.is_function() {
            self.asked_delay()
        } else {
            Some(self.settings.fixed())
        }
    }

    #[inline(never)]
    fn asked_delay(&self) -> Option<Duration> {
        if self.settings.is_timed() {
            // A look that is due waits for the next call, where the first attempt has ended.
            return self.shared.followed_delay(self.began.unwrap_or_default());
        }
        match &self.shared.config.load().delay {
            Delay::Function(delay) => delay.delay(self.plan.sent() + 1),
            _ => None,
        }
    }

    /// Whether an attempt that is sent after this time is in time; records if it is not.
    #[inline]
    pub(super) fn is_in_time(&self, wait: Duration) -> bool {
        let Some(deadline) = self.deadline else { return true };
        let in_time = clock::now() + wait < deadline;
        if !in_time {
            self.shared.count(|counts| &counts.over_time);
        }
        in_time
    }

    /// Has the next attempt wait so long, unless it would come too late.
    #[inline]
    pub(super) fn arm(&mut self, wait: Duration) {
        self.when = match wait {
            _ if !self.is_in_time(wait) => When::Never,
            Duration::ZERO => When::Now,
            _ => {
                self.wait.begin(&self.shared, wait);
                When::Armed
            }
        };
    }

    /// Whether the wait is over.
    pub(super) fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.wait.poll(&self.shared, cx)
    }

    /// The time after which nobody waits for the answer.
    pub(super) fn ends(&self) -> Option<Time> {
        self.deadline
    }

    /// The delay has passed.
    pub(super) fn is_late(&mut self) {
        self.late = true;
    }

    /// The first attempt succeeded.
    #[inline(always)]
    pub(super) fn first_succeeded(&mut self) {
        if let Some(began) = self.began.take() {
            self.shared.took(self.shared.shard(), began);
        }
        if self.shared.budget.counts_successes() {
            self.shared.budget.succeeded(None);
        }
    }

    /// The first attempt ended in another way.
    pub(super) fn first_failed(&mut self, failure: Option<&Failure>) {
        self.began = None;
        if let Some(failure) = failure.filter(|_| self.shared.budget.counts_failures()) {
            self.shared.budget.failed(None, failure);
        }
    }

    /// The first attempt is given up. It took longer than the delay, and so counts as one that did: what it
    /// would have taken is not known.
    pub(super) fn first_given_up(&mut self) {
        if let Some(began) = self.began.take().filter(|_| self.late) {
            self.shared.took(self.shared.shard(), began);
        }
    }

    /// Whether failures of this kind end a call.
    pub(super) fn is_fatal(&self, failure: &Failure) -> bool {
        let processed = failure.delivery == portcullis_core::Delivery::MaybeProcessed;
        processed && self.shared.config.load().fatal.contains(&failure.kind)
    }

    /// An attempt failed: when the next may be sent.
    pub(super) fn after(&mut self, failure: &Failure) -> Next {
        let cap = self.shared.config.load().max_retry_after;
        self.plan.after(failure, cap)
    }

    /// Whether another attempt may be sent now, by the number of them, the mode and the deadline.
    pub(super) fn may_send(&mut self) -> bool {
        let may = self.plan.is_open() && self.is_enforced() && self.is_in_time(Duration::ZERO);
        if !may {
            self.plan.stop();
        }
        may
    }

    fn is_enforced(&self) -> bool {
        if !self.settings.is_sparing() {
            return true;
        }
        let enforced = self.shared.dice.happens(self.shared.config.load().mode.share());
        if !enforced {
            self.shared.count(|counts| &counts.shadowed);
        }
        enforced
    }

    /// Takes an attempt out of the budget, because of a failure or of nothing but time.
    pub(super) fn borrow(&self, failure: Option<&Failure>) -> Option<Ticket> {
        let slow = Failure::new(FailureKind::Slow);
        let loan = self.shared.borrow(failure.unwrap_or(&slow))?;
        Some(Ticket { shared: self.shared.clone(), loan: Some(loan), state: State::Unsent })
    }

    /// The request cannot be had again.
    pub(super) fn not_replayable(&mut self) {
        self.plan.stop();
        self.shared.count(|counts| &counts.not_replayable);
    }

    /// Another attempt is sent: which it is.
    pub(super) fn send(&mut self, ticket: &mut Ticket) -> Option<Attempt> {
        let number = self.before.saturating_add(self.plan.send()?);
        ticket.state = State::Sent;
        self.shared.sent(number);
        Some(Attempt::hedge(number))
    }
}

/// Counts a call; says whether the budget wants to know of its end.
#[inline(always)]
fn is_counted(deposits: &Deposits) -> bool {
    let interest = deposits.count();
    !interest.is_none() && deposits.enter(interest)
}

impl Drop for Call {
    #[inline(always)]
    fn drop(&mut self) {
        if self.began.is_some() || self.counted || !self.wait.is_none() {
            end(self);
        }
    }
}

#[cold]
#[inline(never)]
fn end(call: &mut Call) {
    call.wait.end(&call.shared);
    call.first_given_up();
    if call.counted {
        call.shared.local().ended();
    }
}

/// The record of one attempt after the first. Dropped unsettled, it has lost.
pub(super) struct Ticket {
    shared: Pinned<Shared, Deposits>,
    loan: Option<Loan>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unsent,
    Sent,
    Settled,
}

impl Ticket {
    /// Its answer is the call's.
    pub(super) fn won(mut self, verdict: Verdict) {
        self.state = State::Settled;
        self.shared.count(|counts| &counts.won);
        self.settle(verdict);
    }

    /// It failed, was refused, or panicked.
    pub(super) fn failed(mut self, verdict: Verdict) {
        self.state = State::Settled;
        self.shared.count(|counts| &counts.failed);
        self.settle(verdict);
    }

    /// What was lent goes back where it came from, whatever the budget's rules are by now.
    fn settle(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Success => self.shared.budget.succeeded(self.loan.take()),
            Verdict::Failure(failure) => self.shared.budget.failed(self.loan.take(), &failure),
            Verdict::Ignored => self.give_back(),
        }
    }

    fn give_back(&mut self) {
        if let Some(loan) = self.loan.take() {
            self.shared.budget.give_back(loan);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.state == State::Sent {
            self.shared.count(|counts| &counts.lost);
        }
        self.give_back();
    }
}
