//! The share of retries among calls, and other bounds of what failing calls may add.
//!
//! Attempts, not calls, are what a dependency sees: three attempts a call, in each of three layers, are 27
//! for one. A [`Budget`] bounds them for all calls together, and its [`BudgetConfig`] says how.
//!
//! ```
//! use portcullis_core::{Failure, FailureKind, Time, retry::{Budget, BudgetConfig}};
//!
//! let budget = Budget::new(BudgetConfig::COST, 1)?;
//! let failure = Failure::new(FailureKind::Unavailable);
//! let loan = budget.withdraw(Time::ORIGIN, &failure);
//! assert_eq!(budget.available(Time::ORIGIN), 99);
//! budget.succeeded(loan);
//! assert_eq!(budget.available(Time::ORIGIN), 100, "a retry that succeeds costs nothing");
//! # Ok::<(), portcullis_core::ConfigError>(())
//! ```

mod concurrent;
mod config;
mod cost;
mod deposits;
#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod model_tests;
mod restore;
mod scale;
mod share;
#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod share_tests;
mod throttle;

use std::fmt;

pub use config::{
    BudgetConfig, DEFAULT_CAPACITY, DEFAULT_MAX_TOKENS, DEFAULT_MIN_CONCURRENT, DEFAULT_MIN_PER_SECOND,
    DEFAULT_RATIO, DEFAULT_RETRY_COST, DEFAULT_SUCCESS_INCOME, DEFAULT_TIMEOUT_COST, DEFAULT_TOKEN_RATIO,
};
pub use deposits::{Deposits, Interest};
pub use restore::BudgetMemory;

use self::{
    concurrent::{Concurrent, Traffic},
    cost::Cost,
    share::Share,
    throttle::Throttle,
};
use crate::{
    ConfigError, Failure, FailureKind, Padded, Time,
    sync::{
        Mutex,
        atomic::{
            AtomicU8,
            Ordering::{Acquire, Relaxed, Release},
        },
        lock,
    },
};

const SHARE: u8 = 0;
const UNLIMITED: u8 = 1;
const CONCURRENT: u8 = 2;
// From here on outcomes count.
const THROTTLE: u8 = 3;
const COST: u8 = 4;

/// A bound of the retries, and hedges, of many calls.
///
/// A call that begins adds one to a counter of its own shard; no lock is taken before a retry is asked for.
/// Attempts that succeed while all is well write nothing that is shared.
///
/// Its rules can be changed while calls flow, to another kind too. Each kind keeps what it has counted: one
/// that comes back into use finds its bucket as it left it.
pub struct Budget {
    shards: Box<[Deposits]>,
    kind: AtomicU8,
    // Each on lines of its own, for the two fields above are read by every call.
    share: Padded<Share>,
    concurrent: Padded<Concurrent>,
    throttle: Padded<Throttle>,
    cost: Padded<Cost>,
    config: Mutex<BudgetConfig>,
}

/// A retry that a budget allowed. What was lent with it goes back where it came from when the attempt's end
/// is told, whatever the budget's rules are by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the end of the attempt is to be told with it"]
pub struct Loan(Lent);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lent {
    /// Nothing that could come back.
    Nothing,
    /// One of those that may be in flight.
    Place,
    /// So much of a bucket.
    Cost(u32),
}

impl Loan {
    /// Whether something of it could come back. Where nothing could, and [`Budget::counts_outcomes`] says
    /// no, the end of the attempt need not be told.
    #[inline]
    pub fn comes_back(self) -> bool {
        self.0 != Lent::Nothing
    }
}

impl Budget {
    /// A budget that begins full.
    ///
    /// # Errors
    ///
    /// The first field of `config` outside its range.
    pub fn new(config: BudgetConfig, shards: usize) -> Result<Self, ConfigError> {
        config.check()?;
        let shards = shards.clamp(1, 1024).next_power_of_two();
        let budget = Self {
            shards: (0..shards).map(|_| Deposits::new()).collect(),
            kind: AtomicU8::new(UNLIMITED),
            share: Padded::default(),
            concurrent: Padded::default(),
            throttle: Padded::default(),
            cost: Padded::default(),
            config: Mutex::new(BudgetConfig::Unlimited),
        };
        budget.install(&mut lock(&budget.config), config, None);
        Ok(budget)
    }

    /// Puts other rules in place; what was earned until `now` is counted by the old ones.
    ///
    /// A share's bucket keeps its retries, as far as they fit. A throttle's keeps how full it is, a cost
    /// bucket what was taken out. Calls that began before a budget limits what is in flight have no part in
    /// that.
    ///
    /// # Errors
    ///
    /// The first field outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: BudgetConfig, now: Time) -> Result<(), ConfigError> {
        config.check()?;
        self.install(&mut lock(&self.config), config, Some(now));
        Ok(())
    }

    fn install(&self, current: &mut BudgetConfig, config: BudgetConfig, now: Option<Time>) {
        if let (BudgetConfig::Share { .. }, Some(now)) = (&*current, now) {
            let to = match config {
                BudgetConfig::Share { ratio, min_per_second } => Some((ratio, min_per_second)),
                _ => None,
            };
            self.share.change(to, || self.calls(), now);
        } else if let BudgetConfig::Share { ratio, min_per_second } = config {
            self.share.open(ratio, min_per_second, || self.calls(), now);
        }
        let kind = match config {
            BudgetConfig::Share { .. } => SHARE,
            BudgetConfig::Concurrent { ratio, min_concurrent } => {
                self.concurrent.set(ratio, min_concurrent);
                CONCURRENT
            }
            BudgetConfig::Throttle { max_tokens, token_ratio } => {
                self.throttle.set(max_tokens, token_ratio);
                THROTTLE
            }
            BudgetConfig::Cost { capacity, retry, timeout, success } => {
                self.cost.set(capacity, retry, timeout, success);
                COST
            }
            BudgetConfig::Unlimited => UNLIMITED,
        };
        *current = config;
        // After its rules, which who sees the kind sees too.
        self.kind.store(kind, Release);
        self.shards.iter().for_each(|shard| shard.set(kind));
    }

    /// Counts a call (not a retry) that begins. Whether it says that its end must be told by
    /// [`ended`](Self::ended): once then, and never otherwise.
    #[must_use = "a call that is not ended counts as in flight for ever"]
    pub fn begin(&self, shard: usize) -> bool {
        let shard = self.shard(shard);
        let interest = shard.count();
        shard.enter(interest)
    }

    /// Counts the end of a call, however it ended, of which [`begin`](Self::begin) said so.
    pub fn ended(&self, shard: usize) {
        self.shard(shard).ended();
    }

    /// Where the calls of this shard are counted.
    pub fn deposits(&self, shard: usize) -> Deposits {
        self.shard(shard).clone()
    }

    fn shard(&self, shard: usize) -> &Deposits {
        // A power of two of shards: the mask never leaves the slice.
        &self.shards[shard & (self.shards.len() - 1)]
    }

    /// Asks for one retry after this failure, of which [`failed`](Self::failed) was told before. A hedge,
    /// which comes after none, asks with one of kind [`Slow`](FailureKind::Slow).
    #[inline]
    pub fn withdraw(&self, now: Time, failure: &Failure) -> Option<Loan> {
        self.withdraw_after(now, failure.kind)
    }

    /// The same, for who has no more of the failure than its kind.
    #[inline]
    pub fn withdraw_after(&self, now: Time, failure: FailureKind) -> Option<Loan> {
        match self.kind.load(Acquire) {
            // Which is what nearly all have.
            SHARE => self.share.withdraw(|| self.calls(), now).then_some(Loan(Lent::Nothing)),
            kind => self.withdraw_otherwise(kind, failure),
        }
    }

    #[cold]
    #[inline(never)]
    fn withdraw_otherwise(&self, kind: u8, failure: FailureKind) -> Option<Loan> {
        let lent = match kind {
            CONCURRENT => self.concurrent.lend(self.in_flight()).then_some(Lent::Place),
            THROTTLE => (self.throttle.available() > 0).then_some(Lent::Nothing),
            COST => self.cost.withdraw(failure).map(Lent::Cost),
            _ => Some(Lent::Nothing),
        };
        lent.map(Loan)
    }

    /// Whether the ends of attempts without a [`Loan`] matter. Those of attempts with one always do.
    #[inline]
    pub fn counts_outcomes(&self) -> bool {
        self.kind.load(Relaxed) >= THROTTLE
    }

    /// An attempt succeeded; with the loan of a retry.
    pub fn succeeded(&self, loan: Option<Loan>) {
        match loan {
            Some(Loan(Lent::Place)) => self.concurrent.give_back(),
            Some(Loan(Lent::Cost(amount))) => self.cost.put_back(amount),
            Some(Loan(Lent::Nothing)) | None => {}
        }
        match self.kind.load(Acquire) {
            THROTTLE => self.throttle.succeeded(),
            COST if loan.is_none() => self.cost.succeeded(),
            _ => {}
        }
    }

    /// An attempt failed; with the loan of a retry. A throttle counts what another attempt could have
    /// mended: not an answer that came and was wrong.
    pub fn failed(&self, loan: Option<Loan>, failure: &Failure) {
        loan.into_iter().for_each(|loan| self.give_back(loan));
        let wrong = matches!(failure.kind, FailureKind::Validation | FailureKind::DataLoss);
        if self.kind.load(Acquire) == THROTTLE && !wrong {
            self.throttle.failed();
        }
    }

    /// An attempt ended without a result: it is no longer in flight. What it cost stays taken, for callers
    /// give up when a dependency hangs.
    pub fn give_back(&self, loan: Loan) {
        if loan == Loan(Lent::Place) {
            self.concurrent.give_back();
        }
    }

    /// Whole retries that could be made now, if all of them failed.
    pub fn available(&self, now: Time) -> u64 {
        match self.kind.load(Acquire) {
            SHARE => self.share.available(|| self.calls(), now),
            CONCURRENT => self.concurrent.available(self.in_flight()),
            THROTTLE => self.throttle.available(),
            COST => self.cost.available(),
            _ => u64::MAX,
        }
    }

    /// Calls that were counted.
    #[inline]
    pub fn calls(&self) -> u64 {
        self.shards.iter().fold(0, |sum, shard| sum.wrapping_add(shard.calls()))
    }

    /// Calls in flight of those whose ends are told.
    pub fn in_flight(&self) -> u64 {
        Traffic::in_flight(self.shards.iter().map(Deposits::traffic))
    }

    /// The rules.
    pub fn config(&self) -> BudgetConfig {
        *lock(&self.config)
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("calls", &self.calls()).field("config", &self.config()).finish()
    }
}
