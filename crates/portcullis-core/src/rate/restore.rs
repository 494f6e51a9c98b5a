//! What of a rate limit outlives its process.

use std::time::Duration;

use super::{
    Limiter,
    log::Log,
    meter::{Meter, Rule},
};
use crate::{Time, time::nanos};

/// Moments are told apart as far as so many of them; others are taken for later ones.
const MOST_GRANTS: usize = 64;

/// What of a rate limit outlives its process. What was promised to those who wait does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Memory {
    /// In how long the bucket is full, by its own clock, if nobody takes anything.
    pub debt: Duration,
    /// How long ago permits were granted, the oldest first, and how many; only of a sliding window.
    pub granted: Vec<(Duration, u32)>,
}

impl Limiter {
    /// What outlives the process.
    pub fn memory(&self, now: Time) -> Memory {
        self.locked(now, |line, now| {
            line.unwind();
            let memory = line.meter.memory(now);
            line.replan(now);
            memory
        })
    }

    /// Goes on where another limit was this long ago: as much is taken, less what has come back since. What is taken
    /// by then stays taken, and nothing is owed that the bucket does not hold.
    pub fn resume(&self, memory: &Memory, ago: Duration, now: Time) {
        self.locked(now, |line, now| {
            line.unwind();
            line.meter.resume(memory, nanos(ago), now);
            line.replan(now);
        });
    }
}

impl Meter {
    fn memory(&self, now: u64) -> Memory {
        match &self.rule {
            Rule::Window(log) => Memory { debt: Duration::ZERO, granted: log.memory(now) },
            _ => {
                let debt = self.full.saturating_sub(self.clock(now)).min(self.gcra.capacity);
                Memory { debt: Duration::from_nanos(debt), granted: Vec::new() }
            }
        }
    }

    fn resume(&mut self, memory: &Memory, ago: u64, now: u64) {
        let owed = nanos(memory.debt).saturating_sub(ago).min(self.gcra.capacity);
        if let Rule::Window(log) = &mut self.rule {
            return log.resume(memory, ago, now);
        }
        // One that warms up has begun with this look, and is as empty as it begins.
        self.full = self.full.max(self.clock(now).saturating_add(owed));
    }
}

impl Log {
    fn memory(&self, now: u64) -> Vec<(Duration, u32)> {
        let counted: Vec<_> = self.granted.iter().filter(|grant| self.counts(grant.0, now)).collect();
        let together = counted.len().div_ceil(MOST_GRANTS).max(1);
        let merge = |some: &[&(u64, u32)]| {
            let permits = some.iter().fold(0, |sum: u32, grant| sum.saturating_add(grant.1));
            let latest = some.last().map_or(now, |grant| grant.0);
            (Duration::from_nanos(now.saturating_sub(latest)), permits)
        };
        counted.chunks(together).map(merge).collect()
    }

    fn resume(&mut self, memory: &Memory, ago: u64, now: u64) {
        for &(since, permits) in memory.granted.iter().take(MOST_GRANTS) {
            let at = now.saturating_sub(nanos(since).saturating_add(ago));
            let room = u64::from(self.limit).saturating_sub(self.total).min(u64::from(permits)) as u32;
            if self.counts(at, now) && room > 0 {
                self.take(at, room);
            }
        }
    }

    fn counts(&self, at: u64, now: u64) -> bool {
        at.saturating_add(self.period) > now
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rate::{Algorithm, Config};

    #[expect(clippy::unwrap_used, reason = "a test's own settings")]
    fn limiter(window: bool, permits: u32) -> Limiter {
        let algorithm = if window { Algorithm::SlidingWindow } else { Algorithm::Gcra };
        let config = Config { algorithm, permits, period: Duration::from_secs(1), ..Config::default() };
        Limiter::new(config).unwrap()
    }

    proptest! {
        /// The other one grants the same at the same times, also when it comes later.
        #[test]
        fn another_one_goes_on_where_it_was(
            window in any::<bool>(),
            permits in 1u32..40,
            before in prop::collection::vec((0u64..200, 1u32..4), 0..60),
            gap in 0u64..1500,
            after in prop::collection::vec((0u64..200, 1u32..4), 0..60),
        ) {
            let (one, other) = (limiter(window, permits), limiter(window, permits));
            let mut now = Time::from_millis(5_000);
            for (wait, cost) in before {
                now = now + Duration::from_millis(wait);
                one.try_take(cost, now);
            }
            let (memory, gap) = (one.memory(now), Duration::from_millis(gap));
            now = now + gap;
            other.resume(&memory, gap, now);
            for (wait, cost) in after {
                now = now + Duration::from_millis(wait);
                prop_assert_eq!(one.try_take(cost, now), other.try_take(cost, now));
            }
        }

        /// Whatever is read, everything is there again in the time of a whole burst.
        #[test]
        fn nonsense_is_held_within_the_settings(
            window in any::<bool>(),
            debt in any::<u64>(),
            granted in prop::collection::vec((any::<u64>(), any::<u32>()), 0..200),
            ago in any::<u64>(),
        ) {
            let limiter = limiter(window, 10);
            let of = Duration::from_nanos;
            let granted = granted.into_iter().map(|(since, permits)| (of(since), permits)).collect();
            let now = Time::from_millis(5_000);
            limiter.resume(&Memory { debt: of(debt), granted }, of(ago), now);
            prop_assert!(limiter.is_whole(now + Duration::from_secs(1)));
        }
    }
}
