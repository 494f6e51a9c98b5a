//! The record of one admitted attempt.

use std::task::{Context, Poll};

use portcullis_core::{Failure, FailureKind, Rejection, Verdict};

/// The record of one admitted attempt: settled once with a verdict, or abandoned by being dropped.
///
/// Whatever the attempt held (a permit, a probe's lease) is given back when the ticket is dropped.
///
/// ```
/// use portcullis::{Breaker, Ticket, Verdict};
///
/// let breaker = Breaker::new("inventory");
/// let mut ticket = breaker.try_admit()?;
/// ticket.settle(Verdict::Success);
/// drop(breaker.try_admit()?); // abandoned
/// assert_eq!((breaker.status().successes, breaker.status().abandoned), (1, 1));
/// # Ok::<(), portcullis::Rejection>(())
/// ```
pub trait Ticket {
    /// Records how the attempt ended. Only the first verdict counts.
    fn settle(&mut self, verdict: Verdict);

    /// Whether it matters to the ticket how the attempt ended (default yes). Where it says no, as what only counts who is
    /// in flight does, responses need not be judged for it.
    fn heeds(&self) -> bool {
        true
    }

    /// Told when the head of a response has come whose body goes on, with what it says, if that is all there is to
    /// know but for a body that fails. The ticket is settled when the body ends.
    fn answered(&mut self, verdict: Option<Verdict>) {
        let _ = verdict;
    }

    /// Ready when the attempt must end now, with the reason. Asked while a response's body is read.
    fn poll_revoked(&mut self, cx: &mut Context<'_>) -> Poll<Rejection> {
        let _ = cx;
        Poll::Pending
    }

    /// Ready when a frame of a response's body that was read may be seen. Asked after each; until then it is held.
    fn poll_paced(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let _ = cx;
        Poll::Ready(())
    }

    /// Runs what polls the body of a response, or drops one that has not ended. For what has to be around that, as a
    /// span is.
    fn inside<R>(&mut self, poll: impl FnOnce() -> R) -> R
    where
        Self: Sized,
    {
        poll()
    }

    /// Told of each frame of data of a response's body, by its bytes; the attempt ends before it when there is a
    /// reason.
    fn frame(&mut self, bytes: usize) -> Option<Rejection> {
        let _ = bytes;
        None
    }
}

/// A record of nothing.
impl Ticket for () {
    fn settle(&mut self, _: Verdict) {}

    #[inline(always)]
    fn heeds(&self) -> bool {
        false
    }
}

impl<T: Ticket> Ticket for Option<T> {
    #[inline(always)]
    fn settle(&mut self, verdict: Verdict) {
        if let Some(ticket) = self {
            ticket.settle(verdict);
        }
    }

    #[inline(always)]
    fn heeds(&self) -> bool {
        self.as_ref().is_some_and(T::heeds)
    }

    fn answered(&mut self, verdict: Option<Verdict>) {
        if let Some(ticket) = self {
            ticket.answered(verdict);
        }
    }

    fn poll_revoked(&mut self, cx: &mut Context<'_>) -> Poll<Rejection> {
        match self {
            Some(ticket) => ticket.poll_revoked(cx),
            None => Poll::Pending,
        }
    }

    #[inline]
    fn poll_paced(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Some(ticket) => ticket.poll_paced(cx),
            None => Poll::Ready(()),
        }
    }

    #[inline]
    fn inside<R>(&mut self, poll: impl FnOnce() -> R) -> R {
        match self {
            Some(ticket) => ticket.inside(poll),
            None => poll(),
        }
    }

    #[inline]
    fn frame(&mut self, bytes: usize) -> Option<Rejection> {
        self.as_mut()?.frame(bytes)
    }
}

/// Runs `f`; should it panic, the ticket is settled with that before the panic goes on its way.
#[inline(always)]
pub(crate) fn watched<T: Ticket, R>(ticket: &mut T, f: impl FnOnce() -> R) -> R {
    let watch = Watch(ticket);
    let result = f();
    std::mem::forget(watch);
    result
}

/// The same [inside](Ticket::inside) of the ticket.
#[inline(always)]
pub(crate) fn watched_inside<T: Ticket, R>(ticket: &mut T, poll: impl FnOnce() -> R) -> R {
    let watch = Watch(ticket);
    let result = watch.0.inside(poll);
    std::mem::forget(watch);
    result
}

/// Dropped only when the code it watches panics.
struct Watch<'a, T: Ticket>(&'a mut T);

impl<T: Ticket> Drop for Watch<'_, T> {
    fn drop(&mut self) {
        self.0.settle(Failure::new(FailureKind::Panic).into());
    }
}
