//! What was granted in the last period, moment by moment.

use std::collections::VecDeque;

/// An exact sliding window: the permits of any span as long as the period are at most the limit.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) limit: u32,
    pub(super) period: u64,
    /// Moments, growing, with what was granted at each. Some may be to come: they are promised.
    pub(super) granted: VecDeque<(u64, u32)>,
    pub(super) total: u64,
}

impl Log {
    pub(super) fn new(limit: u32, period: u64) -> Self {
        Self { limit, period, granted: VecDeque::new(), total: 0 }
    }

    /// Other rules; what was granted stays.
    pub(super) fn change(&mut self, limit: u32, period: u64) {
        (self.limit, self.period) = (limit, period);
    }

    /// The first moment at which so many permits may be taken; never, if they are more than the limit.
    pub(super) fn due(&mut self, cost: u32, now: u64) -> Option<u64> {
        self.forget(now);
        let mut due = now.max(self.granted.back().map_or(0, |last| last.0));
        let mut counted = self.total.saturating_add(u64::from(cost));
        if cost > self.limit {
            return None;
        }
        for &(at, permits) in &self.granted {
            let gone = at.saturating_add(self.period);
            if counted <= u64::from(self.limit) && gone > due {
                break;
            }
            counted -= u64::from(permits);
            due = due.max(gone);
        }
        Some(due)
    }

    /// Takes them, at that moment or, if something was promised for later, then.
    pub(super) fn take(&mut self, due: u64, cost: u32) {
        self.total += u64::from(cost);
        match self.granted.back_mut() {
            Some((at, permits)) if *at >= due => *permits = permits.saturating_add(cost),
            _ => self.granted.push_back((due, cost)),
        }
    }

    /// Takes back what was granted or promised at this moment, if it is still counted.
    pub(super) fn give_back(&mut self, due: u64, cost: u32) {
        let Some(place) = self.granted.iter().rposition(|&(at, permits)| at == due && permits >= cost) else {
            return;
        };
        self.granted[place].1 -= cost;
        self.total -= u64::from(cost);
        if self.granted[place].1 == 0 {
            self.granted.remove(place);
        }
    }

    pub(super) fn available(&self, now: u64) -> u64 {
        let counts = |granted: &&(u64, u32)| granted.0.saturating_add(self.period) > now;
        let counted: u64 = self.granted.iter().filter(counts).map(|granted| u64::from(granted.1)).sum();
        u64::from(self.limit).saturating_sub(counted)
    }

    /// When nothing counts any more.
    pub(super) fn full(&self) -> u64 {
        self.granted.back().map_or(0, |last| last.0.saturating_add(self.period))
    }

    fn forget(&mut self, now: u64) {
        while let Some(&(at, permits)) = self.granted.front() {
            if at.saturating_add(self.period) > now {
                break;
            }
            self.granted.pop_front();
            self.total -= u64::from(permits);
        }
    }
}
