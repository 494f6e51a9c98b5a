//! What every call must know of the settings, in one word.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use portcullis_core::Mode;

use super::{Config, Delay};

/// The bits of the greatest number of attempts; 0 when nothing is hedged.
const ATTEMPTS: u64 = 0xff;
/// It must be known how long calls take.
const TIMED: u64 = 1 << 8;
/// The delay is a function.
const FUNCTION: u64 = 1 << 9;
/// Not all hedges are sent.
const SPARING: u64 = 1 << 10;
/// From here on the seconds of a fixed delay: a day takes 17 bits.
const SECONDS: u32 = 11;
/// From here on the nanoseconds besides: 30 bits. Kept apart, because a division would cost more than all else.
const NANOS: u32 = 34;

/// The word, as it is now.
#[derive(Default)]
pub(super) struct Word(AtomicU64);

impl Word {
    pub(super) fn of(config: &Config) -> Self {
        let word = Self::default();
        word.set(config);
        word
    }

    pub(super) fn set(&self, config: &Config) {
        self.0.store(Settings::of(config).0, Relaxed);
    }

    #[inline(always)]
    pub(super) fn load(&self) -> Settings {
        Settings(self.0.load(Relaxed))
    }
}

/// The word, as it was when a call began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings(u64);

impl Settings {
    fn of(config: &Config) -> Self {
        let attempts = if config.mode == Mode::Disabled { 0 } else { u64::from(config.max_attempts) };
        let sparing = if config.mode == Mode::Enforce { 0 } else { SPARING };
        let delay = match &config.delay {
            Delay::Percentile(_) => TIMED,
            Delay::Fixed(delay) => delay.as_secs() << SECONDS | u64::from(delay.subsec_nanos()) << NANOS,
            // Its function is the only one that is asked anew for each attempt.
            _ => FUNCTION,
        };
        Self(attempts | sparing | delay)
    }

    /// The attempts of a call, with the first.
    #[inline(always)]
    pub(super) fn attempts(self) -> u32 {
        (self.0 & ATTEMPTS) as u32
    }

    /// Whether nothing is hedged.
    #[inline(always)]
    pub(super) fn is_disabled(self) -> bool {
        self.attempts() == 0
    }

    #[inline(always)]
    pub(super) fn is_timed(self) -> bool {
        self.0 & TIMED != 0
    }

    #[inline(always)]
    pub(super) fn is_function(self) -> bool {
        self.0 & FUNCTION != 0
    }

    /// Whether some hedges, or all, are only counted.
    pub(super) fn is_sparing(self) -> bool {
        self.0 & SPARING != 0
    }

    /// The delay, where it is fixed.
    #[inline(always)]
    pub(super) fn fixed(self) -> Duration {
        let seconds = self.0 >> SECONDS & ((1 << (NANOS - SECONDS)) - 1);
        Duration::new(seconds, (self.0 >> NANOS) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_holds_what_was_put_into_it() {
        let day = Duration::from_secs(24 * 60 * 60);
        for fixed in [Duration::ZERO, Duration::from_nanos(1), day - Duration::from_nanos(1), day] {
            for (mode, attempts) in [(Mode::Enforce, 5), (Mode::Shadow, 5), (Mode::Disabled, 0)] {
                let config =
                    Config { delay: Delay::Fixed(fixed), max_attempts: 5, mode, ..Config::default() };
                let settings = Word::of(&config).load();
                assert_eq!((settings.fixed(), settings.attempts()), (fixed, attempts));
                assert_eq!(settings.is_sparing(), mode != Mode::Enforce);
                assert!(!settings.is_timed() && !settings.is_function());
            }
        }
        assert!(Word::of(&Config::default()).load().is_timed());
        let function = Config { delay: Delay::function(|_| None), ..Config::default() };
        assert!(Word::of(&function).load().is_function());
    }
}
