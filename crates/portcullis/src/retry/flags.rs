//! What every call must know, in a byte each.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use portcullis_core::Mode;

use super::{Config, RetryBudget};

/// What every call must know of the settings.
#[derive(Clone, Copy)]
pub(super) struct Flags(u8);

impl Flags {
    const DISABLED: u8 = 1;
    const TIMED: u8 = 2;
    const BY_CODE: u8 = 4;
    const UNCOUNTED: u8 = 8;

    fn of(config: &Config, budget: &RetryBudget) -> Self {
        let flag = |is: bool, flag| if is { flag } else { 0 };
        let disabled = flag(config.mode == Mode::Disabled, Self::DISABLED);
        let timed = flag(config.total_time.is_some(), Self::TIMED);
        let by_code = flag(config.grpc_codes.is_some(), Self::BY_CODE);
        Self(disabled | timed | by_code | flag(!budget.is_counting(), Self::UNCOUNTED))
    }

    /// Whether it is as if there were no policy.
    pub(super) fn are_disabled(self) -> bool {
        self.0 & Self::DISABLED != 0
    }

    /// Whether there is nothing that every call must know.
    #[inline(always)]
    pub(super) fn are_none(self) -> bool {
        self.0 == 0
    }

    /// Whether calls have an end of the policy's own.
    #[inline(always)]
    pub(super) fn is_timed(self) -> bool {
        self.0 & Self::TIMED != 0
    }

    /// Whether the calls are counted by a layer above.
    #[inline(always)]
    pub(super) fn is_uncounted(self) -> bool {
        self.0 & Self::UNCOUNTED != 0
    }

    /// Whether gRPC calls are retried by their code.
    #[inline(always)]
    pub(super) fn goes_by_code(self) -> bool {
        self.0 & Self::BY_CODE != 0
    }
}

/// The flags as they are now; all of them in one load.
pub(super) struct LiveFlags(AtomicU8);

impl LiveFlags {
    pub(super) fn new(config: &Config, budget: &RetryBudget) -> Self {
        Self(AtomicU8::new(Flags::of(config, budget).0))
    }

    pub(super) fn set(&self, config: &Config, budget: &RetryBudget) {
        self.0.store(Flags::of(config, budget).0, Relaxed);
    }

    #[inline(always)]
    pub(super) fn get(&self) -> Flags {
        Flags(self.0.load(Relaxed))
    }
}

/// What sets a call apart, in one word: a byte of marks, the number of its retries, and that of the attempts that were
/// made above it.
#[derive(Clone, Copy)]
pub(super) struct Marks(u64);

/// Where the retries begin. There are 99 at most, and room for many more.
const RETRIES: u32 = 8;
/// Where the attempts made above begin.
const ABOVE: u32 = 32;

impl Marks {
    /// It goes by the codes of gRPC.
    pub(super) const BY_CODE: u64 = 1;
    /// The budget wants to know that it succeeded.
    pub(super) const COUNTS_OUTCOMES: u64 = 2;
    /// The budget wants to know of its end.
    pub(super) const COUNTED: u64 = 4;
    /// An attempt failed.
    pub(super) const FAILED: u64 = 8;
    /// It may be processed twice.
    pub(super) const IDEMPOTENT: u64 = 16;
    /// The next attempt is waited for, and not only an instance to make it with.
    pub(super) const WAITING: u64 = 32;
    /// The last retry was lent with something that comes back.
    pub(super) const LENT: u64 = 64;

    /// What is to be known when an attempt succeeds, or the call ends.
    const TOLD: u64 = Self::BY_CODE | Self::COUNTS_OUTCOMES | Self::COUNTED | Self::FAILED;

    #[inline(always)]
    pub(super) fn of(mark: u64, is: bool) -> Self {
        Self(if is { mark } else { 0 })
    }

    /// With so many attempts that were made above.
    #[inline(always)]
    pub(super) fn above(self, attempts: u32) -> Self {
        Self(self.0 | u64::from(attempts) << ABOVE)
    }

    /// Attempts that were made above.
    pub(super) fn attempts_above(self) -> u32 {
        (self.0 >> ABOVE) as u32
    }

    /// Attempts after the first that were decided on.
    #[inline(always)]
    pub(super) fn retries(self) -> u32 {
        (self.0 >> RETRIES) as u16 as u32
    }

    /// One more.
    #[inline(always)]
    pub(super) fn add_retry(&mut self) {
        self.0 += 1 << RETRIES;
    }

    /// One less: it was not made.
    pub(super) fn take_retry(&mut self) {
        self.0 -= u64::from(self.retries().min(1)) << RETRIES;
    }

    /// As if no attempt had failed.
    pub(super) fn recover(&mut self) {
        self.0 &= !(u64::from(u16::MAX) << RETRIES | Self::FAILED | Self::WAITING | Self::LENT);
    }

    #[inline(always)]
    pub(super) fn has(self, mark: u64) -> bool {
        self.0 & mark != 0
    }

    /// Whether there is nothing to be told when it succeeds or ends.
    #[inline(always)]
    pub(super) fn are_silent(self) -> bool {
        !self.has(Self::TOLD)
    }

    #[inline(always)]
    pub(super) fn set(&mut self, mark: u64, is: bool) {
        self.0 = self.0 & !mark | if is { mark } else { 0 };
    }
}
