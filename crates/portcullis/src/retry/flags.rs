//! What every call must know, in a byte each.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use portcullis_core::Mode;

use super::Config;

/// What every call must know of the settings.
#[derive(Clone, Copy)]
pub(super) struct Flags(u8);

impl Flags {
    const DISABLED: u8 = 1;
    const TIMED: u8 = 2;
    const BY_CODE: u8 = 4;

    fn of(config: &Config) -> Self {
        let flag = |is: bool, flag| if is { flag } else { 0 };
        let disabled = flag(config.mode == Mode::Disabled, Self::DISABLED);
        let timed = flag(config.total_time.is_some(), Self::TIMED);
        Self(disabled | timed | flag(config.grpc_codes.is_some(), Self::BY_CODE))
    }

    /// Whether it is as if there were no policy.
    #[inline(always)]
    pub(super) fn is_disabled(self) -> bool {
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

    /// Whether gRPC calls are retried by their code.
    #[inline(always)]
    pub(super) fn goes_by_code(self) -> bool {
        self.0 & Self::BY_CODE != 0
    }
}

/// The flags as they are now; all of them in one load.
pub(super) struct LiveFlags(AtomicU8);

impl LiveFlags {
    pub(super) fn new(config: &Config) -> Self {
        Self(AtomicU8::new(Flags::of(config).0))
    }

    pub(super) fn set(&self, config: &Config) {
        self.0.store(Flags::of(config).0, Relaxed);
    }

    #[inline(always)]
    pub(super) fn get(&self) -> Flags {
        Flags(self.0.load(Relaxed))
    }
}

/// What sets a call apart, in one byte that its end looks at.
#[derive(Clone, Copy)]
pub(super) struct Marks(u8);

impl Marks {
    /// It goes by the codes of gRPC.
    pub(super) const BY_CODE: u8 = 1;
    /// The budget wants to know that it succeeded.
    pub(super) const COUNTS_OUTCOMES: u8 = 2;
    /// The budget wants to know of its end.
    pub(super) const COUNTED: u8 = 4;
    /// An attempt failed.
    pub(super) const FAILED: u8 = 8;

    pub(super) const NONE: Self = Self(0);

    #[cold]
    pub(super) fn of(flags: Flags, counted: bool, outcomes: bool) -> Self {
        let mark = |is: bool, mark| if is { mark } else { 0 };
        let budget = mark(outcomes, Self::COUNTS_OUTCOMES) | mark(counted, Self::COUNTED);
        Self(mark(flags.goes_by_code(), Self::BY_CODE) | budget)
    }

    #[inline(always)]
    pub(super) fn has(self, mark: u8) -> bool {
        self.0 & mark != 0
    }

    /// Whether there is none.
    #[inline(always)]
    pub(super) fn are_none(self) -> bool {
        self.0 == 0
    }

    pub(super) fn add(&mut self, mark: u8) {
        self.0 |= mark;
    }

    pub(super) fn remove(&mut self, mark: u8) {
        self.0 &= !mark;
    }
}
