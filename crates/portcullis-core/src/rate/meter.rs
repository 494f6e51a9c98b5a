//! When a permit is due, by whichever rule.

use super::{Algorithm, Config, gcra::Gcra, log::Log, warm::Warm};
use crate::time::nanos;

/// What was granted and promised, by the rule of the configuration. Permits are taken in order: none is due before
/// those that were taken before it.
#[derive(Debug)]
pub(super) struct Meter {
    pub(super) gcra: Gcra,
    /// When the bucket is full, by its clock. While calls flow past the lock, this stands in the limiter.
    pub(super) full: u64,
    burst: u32,
    pub(super) rule: Rule,
}

#[derive(Debug)]
pub(super) enum Rule {
    Steady,
    /// Until its first call it is cold: it begins with that.
    Warming {
        clock: Warm,
        cold: bool,
    },
    Window(Log),
}

impl Meter {
    pub(super) fn new(config: &Config) -> Self {
        let rule = match (config.algorithm, config.warmup) {
            (Algorithm::SlidingWindow, _) => Rule::Window(Log::new(config.burst(), nanos(config.period))),
            (Algorithm::Gcra, Some(rule)) => Rule::Warming { clock: Warm::new(rule, 0), cold: true },
            (Algorithm::Gcra, None) => Rule::Steady,
        };
        Self { gcra: Gcra::new(config.interval(), config.burst()), full: 0, burst: config.burst(), rule }
    }

    /// Whether one word is all there is to know.
    pub(super) fn is_steady(&self) -> bool {
        matches!(self.rule, Rule::Steady)
    }

    /// What is charged to a call that was let in before the burst became smaller than its cost.
    pub(super) fn charge(&self, cost: u32) -> u32 {
        cost.min(self.burst)
    }

    /// Begins to warm up, if nothing was wanted for long.
    pub(super) fn wake_up(&mut self, now: u64) {
        let Rule::Warming { clock, cold } = &mut self.rule else { return };
        let idle = clock.at(now).saturating_sub(self.full);
        if std::mem::take(cold) || idle >= clock.time() {
            clock.restart(now);
            // That share of the burst, and no less than one permit.
            let begins_with = clock.share_of(self.gcra.capacity).max(self.gcra.interval);
            let empty = clock.at(now).saturating_add(self.gcra.capacity);
            self.full = empty.saturating_sub(begins_with);
        }
    }

    /// The first moment from `now` on at which so many permits may be taken; never, if they are too many.
    pub(super) fn due(&mut self, cost: u32, now: u64) -> Option<u64> {
        match &mut self.rule {
            Rule::Steady => self.gcra.due(self.full, cost, now),
            Rule::Warming { clock, .. } => {
                let shown = self.gcra.due(self.full, cost, clock.at(now))?;
                Some(clock.when(shown, now))
            }
            Rule::Window(log) => log.due(cost, now),
        }
    }

    /// Takes them at the moment at which they are due.
    pub(super) fn take(&mut self, due: u64, cost: u32) {
        let clock = self.clock(due);
        match &mut self.rule {
            Rule::Window(log) => log.take(due, cost),
            _ => self.full = self.full.max(clock).saturating_add(self.gcra.time_of(cost)),
        }
    }

    /// Takes back what was taken last.
    pub(super) fn untake(&mut self, due: u64, cost: u32) {
        match &mut self.rule {
            Rule::Window(log) => log.give_back(due, cost),
            _ => self.full = self.full.saturating_sub(self.gcra.time_of(cost)),
        }
    }

    /// Takes back what was taken and not used; `mark` is what [`full`](Self::full) was right after that. A bucket
    /// can take back only what was taken last: permits that others were promised since come no earlier, so that
    /// one more now would be one too many then.
    pub(super) fn give_back(&mut self, due: u64, cost: u32, mark: u64) {
        if matches!(self.rule, Rule::Window(_)) || self.full == mark {
            self.untake(due, cost);
        }
    }

    pub(super) fn available(&self, now: u64) -> u64 {
        match &self.rule {
            Rule::Window(log) => log.available(now),
            _ => self.gcra.available(self.full, self.clock(now)),
        }
    }

    /// When everything is there again.
    pub(super) fn whole(&self, now: u64) -> u64 {
        match &self.rule {
            Rule::Steady => self.full,
            Rule::Warming { clock, .. } => clock.when(self.full, now),
            Rule::Window(log) => log.full(),
        }
    }

    /// The same, by other rules: as many permits are taken, and as many are promised.
    pub(super) fn changed(mut self, config: &Config, now: u64) -> Self {
        let mut next = Self::new(config);
        let debt = self.full.saturating_sub(self.clock(now));
        match (&mut next.rule, &mut self.rule) {
            (Rule::Window(_), Rule::Window(log)) => {
                log.change(config.burst(), nanos(config.period));
                next.rule = self.rule;
                return next;
            }
            (Rule::Window(_), _) => {
                let taken = (debt / self.gcra.interval.max(1)).min(u64::from(config.burst()));
                next.take(now, taken as u32);
                return next;
            }
            (Rule::Warming { clock, cold }, Rule::Warming { clock: before, cold: was_cold }) => {
                *cold = *was_cold;
                clock.go_on(before, now);
            }
            (Rule::Warming { clock, cold }, _) => {
                *cold = false;
                clock.restart(now);
            }
            (Rule::Steady, _) => {}
        }
        next.full = next.clock(now).saturating_add(self.debt_by(&next.gcra, debt, now));
        next
    }

    /// The debt at another rate: what is missing in the bucket fits into the other one, and promises stay.
    fn debt_by(&self, next: &Gcra, debt: u64, now: u64) -> u64 {
        if let Rule::Window(log) = &self.rule {
            let taken = u64::from(self.burst).saturating_sub(log.available(now));
            return next.interval.saturating_mul(taken).min(next.capacity);
        }
        let scaled = |time: u64| {
            let scaled = u128::from(time) * u128::from(next.interval);
            u64::try_from(scaled.div_ceil(u128::from(self.gcra.interval.max(1)))).unwrap_or(u64::MAX)
        };
        let missing = debt.min(self.gcra.capacity);
        scaled(missing).min(next.capacity).saturating_add(scaled(debt - missing))
    }

    pub(super) fn clock(&self, now: u64) -> u64 {
        match &self.rule {
            Rule::Warming { clock, .. } => clock.at(now),
            _ => now,
        }
    }
}
