//! What of a budget outlives its process.

use std::time::Duration;

use super::{Budget, COST, SHARE, THROTTLE};
use crate::{Time, sync::atomic::Ordering::Acquire, time::nanos};

/// What of a budget outlives its process. What is in flight does not.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum BudgetMemory {
    /// What a share's bucket holds, in billionths of retries.
    Share(u64),
    /// What a throttle's bucket lacks, as a share of it.
    Throttle(f64),
    /// What was taken out of a cost bucket.
    Cost(u64),
}

impl Budget {
    /// What outlives the process; nothing, where nothing is saved up.
    pub fn memory(&self, now: Time) -> Option<BudgetMemory> {
        match self.kind.load(Acquire) {
            SHARE => Some(BudgetMemory::Share(self.share.tokens(|| self.calls(), now))),
            THROTTLE => Some(BudgetMemory::Throttle(self.throttle.missing())),
            COST => Some(BudgetMemory::Cost(self.cost.taken())),
            _ => None,
        }
    }

    /// Goes on where another budget was this long ago, if that was of the same kind; whether it was. A share earns
    /// by time for as long as nobody was there.
    pub fn resume(&self, memory: BudgetMemory, ago: Duration, now: Time) -> bool {
        let kind = self.kind.load(Acquire);
        match memory {
            BudgetMemory::Share(tokens) if kind == SHARE => {
                let earned = nanos(ago).saturating_mul(self.share.per_second());
                self.share.refill(tokens.saturating_add(earned), || self.calls(), now);
            }
            BudgetMemory::Throttle(missing) if kind == THROTTLE => self.throttle.set_missing(missing),
            BudgetMemory::Cost(taken) if kind == COST => self.cost.set_taken(taken),
            _ => return false,
        }
        true
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Failure, FailureKind, retry::BudgetConfig};

    proptest! {
        /// The other one allows as many retries, in any order with calls.
        #[test]
        fn another_one_goes_on_where_it_was(
            kind in 0usize..3,
            before in prop::collection::vec(0u8..3, 0..80),
            after in prop::collection::vec(0u8..3, 0..80),
        ) {
            let config = [BudgetConfig::default(), BudgetConfig::THROTTLE, BudgetConfig::COST][kind];
            let (failure, now) = (Failure::new(FailureKind::Unavailable), Time::from_millis(1));
            let step = |budget: &Budget, step: u8| match step {
                0 => { let _ = budget.begin(0); budget.succeeded(None); true }
                1 => { budget.failed(None, &failure); true }
                _ => budget.withdraw(now, &failure).is_some(),
            };
            let (one, other) = (Budget::new(config, 1).unwrap(), Budget::new(config, 1).unwrap());
            before.iter().for_each(|&now| { step(&one, now); });
            prop_assert!(other.resume(one.memory(now).unwrap(), Duration::ZERO, now));
            for next in after {
                prop_assert_eq!(step(&one, next), step(&other, next));
                prop_assert_eq!(one.available(now), other.available(now));
            }
        }

        /// Whatever is read, it holds no more than it can.
        #[test]
        fn nonsense_is_held_within_the_settings(amount in any::<u64>(), share in any::<f64>(), ago in any::<u64>()) {
            let memories = [BudgetMemory::Share(amount), BudgetMemory::Throttle(share), BudgetMemory::Cost(amount)];
            let now = Time::from_millis(1);
            for config in [BudgetConfig::default(), BudgetConfig::THROTTLE, BudgetConfig::COST] {
                let full = Budget::new(config, 1).unwrap().available(now);
                let budget = Budget::new(config, 1).unwrap();
                let fits = memories.iter().filter(|memory| budget.resume(**memory, Duration::from_nanos(ago), now));
                prop_assert_eq!(fits.count(), 1);
                prop_assert!(budget.available(now) <= full);
            }
        }
    }

    #[test]
    fn a_share_earns_while_nobody_is_there() {
        let budget = Budget::new(BudgetConfig::Share { ratio: 0.1, min_per_second: 4 }, 1).unwrap();
        let now = Time::from_millis(1);
        assert!(budget.resume(BudgetMemory::Share(0), Duration::from_millis(500), now));
        assert_eq!(budget.available(now), 2);
    }
}
