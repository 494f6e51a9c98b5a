//! What every call must know of the settings, in one word.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use portcullis_core::{Mode, TimeoutScope};

use super::{Config, LONGEST, SHORTEST};

/// Something is timed once the head of the response is there. The flags are the lowest bits: to look at others, they
/// would have to be moved first.
const BODY: u64 = 1;
/// The limit is one of them.
const WHOLE: u64 = 1 << 1;
/// The limit follows how long calls take.
const ADAPTIVE: u64 = 1 << 2;
/// The call has been pending.
const PENDING: u64 = 1 << 3;
/// One attempt is timed.
const ATTEMPT: u64 = 1 << 4;
/// Not all late calls are ended.
const SPARING: u64 = 1 << 5;
/// The call is not timed, or not any more.
const OFF: u64 = 1 << 6;
const FLAGS: u64 = (1 << NANOS) - 1;
/// From here on the nanoseconds of the limit: 30 bits. Kept apart from the seconds, because a division would cost more
/// than all else.
const NANOS: u32 = 8;
const NANO_BITS: u32 = 30;
/// From here on its seconds: a day takes 17 bits.
const SECONDS: u32 = NANOS + NANO_BITS;

/// In place of a time that there is none of.
const NONE: u64 = u64::MAX;

/// The words, as they are now.
pub(super) struct Words {
    timing: AtomicU64,
    /// In nanoseconds.
    body: AtomicU64,
    body_idle: AtomicU64,
}

impl Words {
    pub(super) fn of(config: &Config) -> Self {
        let words =
            Self { timing: AtomicU64::new(0), body: AtomicU64::new(NONE), body_idle: AtomicU64::new(NONE) };
        words.set(config);
        words
    }

    pub(super) fn set(&self, config: &Config) {
        let nanos =
            |time: Option<Duration>| time.map_or(NONE, |time| u64::try_from(time.as_nanos()).unwrap_or(NONE));
        self.body.store(nanos(config.body), Relaxed);
        self.body_idle.store(nanos(config.body_idle), Relaxed);
        self.timing.store(Timing::of(config).0, Relaxed);
    }

    #[inline(always)]
    pub(super) fn timing(&self) -> Timing {
        Timing(self.timing.load(Relaxed))
    }

    /// How long a body may be read.
    pub(super) fn body(&self) -> Option<Duration> {
        time(&self.body)
    }

    /// How long it may pause.
    pub(super) fn body_idle(&self) -> Option<Duration> {
        time(&self.body_idle)
    }
}

fn time(nanos: &AtomicU64) -> Option<Duration> {
    let nanos = nanos.load(Relaxed);
    (nanos != NONE).then(|| Duration::from_nanos(nanos))
}

/// How one call is timed: the word, as it was when the call began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing(u64);

impl Timing {
    fn of(config: &Config) -> Self {
        if config.mode == Mode::Disabled {
            return Self(OFF).with(config.limit);
        }
        let body = config.whole_response || config.body.is_some() || config.body_idle.is_some();
        let flag = |is: bool, flag| if is { flag } else { 0 };
        let flags = flag(body, BODY)
            | flag(config.whole_response, WHOLE)
            | flag(config.adaptive.is_some(), ADAPTIVE)
            | flag(config.scope == TimeoutScope::Attempt, ATTEMPT)
            | flag(config.mode != Mode::Enforce, SPARING);
        Self(flags).with(config.limit)
    }

    /// The same with another limit; the nearest of 1 ms to 24 h for any other.
    pub(super) fn with(self, limit: Duration) -> Self {
        let limit = limit.clamp(SHORTEST, LONGEST);
        let limit = limit.as_secs() << SECONDS | u64::from(limit.subsec_nanos()) << NANOS;
        Self(self.0 & FLAGS | limit)
    }

    /// The same with a limit of the request's own, which follows nothing, and is not followed.
    #[cold]
    pub(super) fn with_own(self, limit: Duration) -> Self {
        Self(self.0 & !ADAPTIVE).with(limit)
    }

    /// The same for a call whose time is over, and which goes on.
    pub(super) fn off(self) -> Self {
        Self(self.0 & !BODY | OFF)
    }

    /// The same for a call that has been pending.
    pub(super) fn pending(self) -> Self {
        Self(self.0 | PENDING)
    }

    pub(super) fn limit(self) -> Duration {
        Duration::new(self.0 >> SECONDS, (self.0 >> NANOS) as u32 & ((1 << NANO_BITS) - 1))
    }

    pub(super) fn scope(self) -> TimeoutScope {
        if self.0 & ATTEMPT == 0 { TimeoutScope::Total } else { TimeoutScope::Attempt }
    }

    #[inline(always)]
    pub(super) fn is_adaptive(self) -> bool {
        self.0 & ADAPTIVE != 0
    }

    /// Whether anything is to be done when the answer is there.
    #[inline(always)]
    pub(super) fn minds_answers(self) -> bool {
        self.0 & (BODY | ADAPTIVE | PENDING) != 0
    }

    pub(super) fn times_body(self) -> bool {
        self.0 & BODY != 0
    }

    pub(super) fn is_whole(self) -> bool {
        self.0 & WHOLE != 0
    }

    pub(super) fn is_sparing(self) -> bool {
        self.0 & SPARING != 0
    }

    pub(super) fn is_off(self) -> bool {
        self.0 & OFF != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_hold_what_was_put_into_them() {
        let nano = Duration::from_nanos(1);
        for limit in [SHORTEST, SHORTEST + nano, LONGEST - nano, LONGEST] {
            for mode in [Mode::Enforce, Mode::Shadow, Mode::EnforcePercent(3), Mode::Disabled] {
                let config = Config { mode, body: Some(limit), ..limit.into() };
                let words = Words::of(&config);
                let timing = words.timing();
                assert_eq!((timing.limit(), words.body(), words.body_idle()), (limit, Some(limit), None));
                assert_eq!(timing.is_off(), mode == Mode::Disabled);
                assert_eq!(timing.is_sparing(), !matches!(mode, Mode::Enforce | Mode::Disabled));
                assert_eq!(timing.times_body(), mode != Mode::Disabled);
                assert!(!timing.is_whole() && !timing.is_adaptive() && timing.off().is_off());
            }
        }
        let attempt = Config { scope: TimeoutScope::Attempt, whole_response: true, ..Config::default() };
        let timing = Words::of(&attempt).timing();
        assert!(timing.scope() == TimeoutScope::Attempt && timing.is_whole() && timing.minds_answers());
        assert!(!timing.off().minds_answers() && timing.off().pending().minds_answers());
        assert_eq!(timing.with_own(Duration::ZERO).limit(), SHORTEST);
        assert_eq!(timing.with_own(Duration::MAX).limit(), LONGEST);
    }
}
