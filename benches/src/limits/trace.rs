//! What a run leaves behind.

use std::time::Duration;

use portcullis_core::Time;

use super::scenario::{Machine, PATIENCE, Phase};

/// What happened in [`Bucket::LENGTH`] of time, by when calls ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Calls that were refused.
    pub refused: u32,
    /// Calls that were answered in time.
    pub good: u32,
    /// Calls that somebody gave up.
    pub given_up: u32,
    /// Calls that took over three times the unloaded p99 of the moment, or were given up.
    pub late: u32,
    /// The limit when the last of it was heard.
    pub limit: Option<u32>,
}

impl Bucket {
    /// How much time a bucket covers.
    pub const LENGTH: Duration = Duration::from_millis(100);
}

/// The whole of a run.
#[derive(Debug)]
pub struct Trace {
    machine: Machine,
    /// In order of time, from the origin on.
    pub buckets: Vec<Bucket>,
    /// How long callers of the steady phase waited for their answers, or until they gave up.
    latencies: Vec<Duration>,
}

impl Trace {
    pub(super) const fn new(machine: Machine) -> Self {
        Self { machine, buckets: Vec::new(), latencies: Vec::new() }
    }

    /// The latency that this share of the admitted calls of the steady phase did not exceed.
    pub fn quantile(&self, share: f64) -> Duration {
        let mut sorted = self.latencies.clone();
        let rank = (sorted.len() as f64 * share).ceil() as usize;
        if sorted.is_empty() {
            return Duration::ZERO;
        }
        *sorted.select_nth_unstable(rank.saturating_sub(1)).1
    }

    /// The buckets from `begin` to `end`.
    pub fn between(&self, begin: Time, end: Time) -> &[Bucket] {
        let index = |time: Time| index(time).min(self.buckets.len());
        &self.buckets[index(begin)..index(end).max(index(begin))]
    }

    pub(super) fn refused(&mut self, now: Time, limit: Option<u32>) {
        let bucket = self.bucket(now);
        bucket.refused += 1;
        bucket.limit = limit;
    }

    /// A caller got his answer after `latency`.
    pub(super) fn answered(&mut self, now: Time, latency: Duration, limit: Option<u32>) {
        let bound = self.machine.unloaded_p99() * 3 * Phase::at(now).factor();
        let bucket = self.bucket(now);
        bucket.good += 1;
        bucket.late += u32::from(latency > bound);
        bucket.limit = limit;
        self.keep(now, latency);
    }

    pub(super) fn given_up(&mut self, now: Time, limit: Option<u32>) {
        let bucket = self.bucket(now);
        bucket.given_up += 1;
        bucket.late += 1;
        bucket.limit = limit;
        self.keep(now, PATIENCE);
    }

    fn keep(&mut self, now: Time, latency: Duration) {
        if Phase::at(now) == Phase::Steady {
            self.latencies.push(latency);
        }
    }

    fn bucket(&mut self, now: Time) -> &mut Bucket {
        let index = index(now);
        if index >= self.buckets.len() {
            // In a bucket in which nothing was heard the limit is still the last one.
            let limit = self.buckets.last().and_then(|last| last.limit);
            self.buckets.resize(index + 1, Bucket { limit, ..Bucket::default() });
        }
        &mut self.buckets[index]
    }
}

fn index(time: Time) -> usize {
    (time.as_nanos() / Bucket::LENGTH.as_nanos() as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_that_of_the_steady_phase() {
        let mut trace = Trace::new(Machine::QUICK);
        trace.answered(Time::ORIGIN, Duration::from_secs(1), None);
        assert_eq!(trace.quantile(0.99), Duration::ZERO);
        for millis in 1..=100 {
            trace.answered(Phase::Steady.begin(), Duration::from_millis(millis), None);
        }
        assert_eq!(trace.quantile(0.99), Duration::from_millis(99));
        assert_eq!(trace.quantile(0.5), Duration::from_millis(50));
    }

    #[test]
    fn what_is_late_depends_on_how_slow_the_server_is() {
        let latency = Machine::QUICK.unloaded_p99() * 4;
        let mut trace = Trace::new(Machine::QUICK);
        trace.answered(Phase::Steady.begin(), latency, Some(3));
        trace.answered(Phase::Slow.begin(), latency, Some(3));
        let late = |phase: Phase| trace.between(phase.begin(), phase.end())[0].late;
        assert_eq!((late(Phase::Steady), late(Phase::Slow)), (1, 0));
        assert!(trace.buckets.iter().skip(1).all(|bucket| bucket.limit.is_none() || bucket.limit == Some(3)));
    }
}
