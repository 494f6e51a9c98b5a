//! How a log begins with what another one knew.

use super::Log;
use crate::{
    FailureKind, Time,
    breaker::{Memory, WindowStatus},
};

impl Log {
    /// Fills its windows with so many calls as another had in them. It must be empty.
    pub(in crate::breaker) fn seed(&mut self, memory: &Memory, now: Time) {
        let window = fitting(memory.window, self.config.window);
        let run = memory.run.min(window.failures);
        // With no success among them, all failures were in a row.
        let run = if window.failures == window.calls { window.failures } else { run };
        let kind = memory.last_failure.unwrap_or(FailureKind::Other);
        let (before, last) = (window.calls - run, window.calls);
        for place in spread(window.failures - run, before).chain((before..last).map(u64::from)) {
            self.failures.mark(place, kind as u8);
        }
        if let Some(slow) = self.rare.as_mut().and_then(|rare| rare.slow.as_mut()) {
            spread(window.slow, window.calls).for_each(|place| slow.mark(place, 0));
        }
        self.count = window.failures.into();
        self.set_moved(u64::from(window.calls - window.failures));
        // A run that is longer than the window counts as it was.
        self.run = if run > 0 && run == window.failures { memory.run.max(run) } else { run };
        self.last_failure = memory.last_failure.filter(|_| window.failures > 0);
        self.seed_recent(memory.recent.unwrap_or_default(), now);
    }

    /// All into the bucket of now, so that none leaves too early.
    fn seed_recent(&mut self, window: WindowStatus, now: Time) {
        let Some(recent) = self.last_seconds_mut() else { return };
        recent.advance(now);
        let end = recent.end_of(now);
        let failures = window.failures.min(window.calls);
        recent.add_failures(end, failures.into());
        recent.add_successes(end, u64::from(window.calls - failures));
    }
}

/// The same shares of no more calls than fit.
fn fitting(window: WindowStatus, size: u32) -> WindowStatus {
    let calls = window.calls.min(size);
    let share = |part: u32| {
        let part = u64::from(part.min(window.calls)) * u64::from(calls);
        // No more than `calls`, which is 32 bits wide.
        (part / u64::from(window.calls.max(1))) as u32
    };
    WindowStatus { calls, failures: share(window.failures), slow: share(window.slow) }
}

/// So many of the first places, as evenly as they go. Where they are fewer, the last place is none of them.
fn spread(count: u32, places: u32) -> impl Iterator<Item = u64> {
    let (count, places) = (u64::from(count.min(places)), u64::from(places));
    (0..count).map(move |n| n * places / count)
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    #[test]
    fn places_differ_and_the_last_is_free() {
        for places in 0..60 {
            for count in 0..=places {
                let taken: Vec<_> = spread(count, places).collect();
                assert!(taken.windows(2).all(|two| two[0] < two[1]) && taken.len() == count as usize);
                let last = u64::from(places).checked_sub(1);
                assert!(count == places || taken.last().copied() != last, "{count} of {places}");
            }
        }
    }
}
