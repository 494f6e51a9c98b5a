//! The settings that decide of most failures, in one word.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use portcullis_core::{Delivery, Failure, Mode};

use super::Config;

/// There is nothing but what is in the word: calls are retried whatever their code, and without a wait.
const ALL: u64 = 1;
/// From here on the greatest number of attempts, at most 100.
const ATTEMPTS: u32 = 8;
/// From here on a bit for each kind of failure that is not retried, by its number.
const NOT_RETRIED: u32 = 16;

/// The word, as it is now. Whoever it does not suffice reads the settings, which takes a lock.
pub(super) struct LiveRules(AtomicU64);

/// The word.
#[derive(Clone, Copy)]
pub(super) struct Rules(u64);

impl Rules {
    fn of(config: &Config) -> Self {
        let Config { mode, grpc_codes, backoff, max_attempts, not_retried, .. } = config;
        let is_all = *mode == Mode::Enforce && grpc_codes.is_none() && backoff.is_none();
        let kinds = not_retried.iter().fold(0, |kinds, &kind| kinds | (1 << (kind as u32 + NOT_RETRIED)));
        let all = if is_all { ALL } else { 0 };
        Self(all | (u64::from(*max_attempts) << ATTEMPTS) | kinds)
    }

    /// Whether the retry of this number, counted from 1, is made at once if the budget allows it. If it says no,
    /// that says nothing.
    #[inline(always)]
    pub(super) fn are_plain(self, failure: &Failure, idempotent: bool, number: u32) -> bool {
        let attempts = (self.0 >> ATTEMPTS) as u8;
        let is_listed = (self.0 >> (failure.kind as u32 + NOT_RETRIED)) & 1 != 0;
        let is_safe = failure.delivery != Delivery::MaybeProcessed || (idempotent && !is_listed);
        let is_asked = failure.do_not_retry || failure.retry_after.is_some();
        self.0 & ALL != 0 && is_safe && !is_asked && number < u32::from(attempts)
    }
}

impl LiveRules {
    pub(super) fn new(config: &Config) -> Self {
        Self(AtomicU64::new(Rules::of(config).0))
    }

    pub(super) fn set(&self, config: &Config) {
        self.0.store(Rules::of(config).0, Relaxed);
    }

    #[inline(always)]
    pub(super) fn get(&self) -> Rules {
        Rules(self.0.load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use portcullis_core::{FailureKind, GrpcCodes, retry::Backoff};

    use super::*;

    fn plain() -> Config {
        Config { backoff: Backoff::NONE, ..Config::default() }
    }

    fn says(config: &Config, failure: &Failure, idempotent: bool, number: u32) -> bool {
        LiveRules::new(config).get().are_plain(failure, idempotent, number)
    }

    #[test]
    fn each_kind_is_retried_unless_it_is_listed_or_was_never_processed() {
        for listed in FailureKind::ALL {
            let config = Config { not_retried: BTreeSet::from([listed]), ..plain() };
            for kind in FailureKind::ALL {
                let failure = Failure::new(kind).delivery(Delivery::MaybeProcessed);
                assert_eq!(says(&config, &failure, true, 1), kind != listed);
                assert!(!says(&config, &failure, false, 1));
                assert!(says(&config, &failure.delivery(Delivery::NotProcessed), false, 1));
            }
        }
    }

    #[test]
    fn attempts_are_counted_up_to_the_most_there_can_be() {
        let failure = Failure::new(FailureKind::Timeout);
        for max_attempts in [1, 2, 100] {
            let config = Config { max_attempts, ..plain() };
            assert!((1..=101).all(|number| says(&config, &failure, true, number) == (number < max_attempts)));
        }
    }

    #[test]
    fn whatever_is_not_in_the_word_is_left_to_the_settings() {
        let failure = Failure::new(FailureKind::Timeout);
        let others = [
            Config { mode: Mode::Shadow, ..plain() },
            Config { mode: Mode::Disabled, ..plain() },
            Config { grpc_codes: Some(GrpcCodes::default()), ..plain() },
            Config::default(),
        ];
        assert!(others.iter().all(|config| !says(config, &failure, true, 1)));
        let asked = failure.retry_after(Some(Duration::ZERO));
        assert!(!says(&plain(), &asked, true, 1) && !says(&plain(), &failure.do_not_retry(), true, 1));
    }
}
