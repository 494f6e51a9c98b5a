//! One admitted call of one key.

use std::{fmt, sync::Arc};

use portcullis_core::{Outcome, Verdict, breaker::Admission};

use super::one::One;
use crate::{Ticket, breaker::BreakerTicket, keyed::Key, shard};

/// A keyed breaker's permission for one call. Dropped unsettled, it counts as abandoned. While it lives, its
/// key is not forgotten.
#[must_use = "dropped unsettled, it counts as abandoned"]
pub struct KeyedBreakerTicket<K: Key = Box<str>>(Of<K>);

enum Of<K> {
    Key(Arc<One<K>>, Admission),
    /// A key without room, by the breaker that all of these share.
    Overflow(BreakerTicket),
    /// A request without a key, or a call that has been settled.
    Nobody,
}

impl<K: Key> KeyedBreakerTicket<K> {
    #[inline]
    pub(super) fn of_key(key: Arc<One<K>>, admission: Admission) -> Self {
        Self(Of::Key(key, admission))
    }

    pub(super) fn of_overflow(ticket: BreakerTicket) -> Self {
        Self(Of::Overflow(ticket))
    }

    pub(super) fn of_nobody() -> Self {
        Self(Of::Nobody)
    }

    /// Whether this call is a probe of a half-open breaker, and has not been settled.
    pub fn is_probe(&self) -> bool {
        match &self.0 {
            Of::Key(_, admission) => admission.is_probe(),
            Of::Overflow(ticket) => ticket.is_probe(),
            Of::Nobody => false,
        }
    }

    /// Whether the call is one of the breaker that all keys without room share.
    pub fn is_overflow(&self) -> bool {
        matches!(self.0, Of::Overflow(_))
    }
}

#[cold]
#[inline(never)]
fn end<K: Key>(key: &Arc<One<K>>, admission: &Admission, outcome: Outcome) {
    key.value().machine.settle(shard::current(), admission.clone(), outcome, &key.world());
}

impl<K: Key> Ticket for KeyedBreakerTicket<K> {
    #[inline(always)]
    fn settle(&mut self, verdict: Verdict) {
        match &mut self.0 {
            Of::Key(key, admission) => {
                let machine = &key.value().machine;
                if verdict != Verdict::Success || !machine.succeed(0, admission, &key.world()) {
                    end(key, admission, verdict.into());
                }
            }
            Of::Overflow(ticket) => ticket.settle(verdict),
            Of::Nobody => {}
        }
        self.0 = Of::Nobody;
    }
}

impl<K: Key> Drop for KeyedBreakerTicket<K> {
    #[inline]
    fn drop(&mut self) {
        if let Of::Key(key, admission) = &self.0 {
            end(key, admission, Outcome::Abandoned);
        }
    }
}

impl<K: Key> fmt::Debug for KeyedBreakerTicket<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("KeyedBreakerTicket");
        match &self.0 {
            Of::Key(key, admission) => {
                shown.field("key", &format_args!("{}", key.key())).field("admission", admission)
            }
            Of::Overflow(ticket) => shown.field("overflow", ticket),
            Of::Nobody => &mut shown,
        };
        shown.finish()
    }
}
