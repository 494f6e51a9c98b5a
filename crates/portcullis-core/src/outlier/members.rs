//! All endpoints of a fleet, and which of them are ejected: what the lock guards.

use std::{sync::Arc, time::Duration};

use crate::{Mode, Name, Time};

use super::{
    Cause, Change, Config, Endpoint, EndpointStatus, What,
    counts::{Counts, Interval},
    rules::{Candidates, Result},
};

pub(super) struct Members {
    pub(super) config: Config,
    pub(super) all: Vec<Member>,
    /// Grows with every change that calls must know of.
    pub(super) version: u64,
    /// When the interval ends.
    next_sweep: Time,
    /// Ejections by [cause](Cause::index), done or only told.
    pub(super) ejections: [[u64; Cause::WORDS.len()]; 2],
    /// Ejections that there was no room for.
    pub(super) held_back: u64,
    /// Of endpoints that left, and of intervals that are over.
    pub(super) successes: u64,
    pub(super) failures: u64,
}

pub(super) struct Member {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) ejection: Option<Ejection>,
    /// How often it was ejected, less what it has paid off.
    times: u32,
    /// Since when it pays off.
    returned: Time,
}

#[derive(Clone, Copy)]
pub(super) struct Ejection {
    pub(super) until: Time,
    /// Whether it gets no calls; else that is only told.
    pub(super) enforced: bool,
}

impl Members {
    pub(super) fn new(config: Config, now: Time) -> Self {
        let next_sweep = now + config.interval;
        let all = Vec::new();
        Self {
            config,
            all,
            version: 0,
            next_sweep,
            ejections: [[0; 5]; 2],
            held_back: 0,
            successes: 0,
            failures: 0,
        }
    }

    pub(super) fn join(&mut self, name: Name, weight: u32, now: Time) -> Arc<Endpoint> {
        let endpoint = Arc::new(Endpoint::new(name, weight, now));
        let member = Member { endpoint: endpoint.clone(), ejection: None, times: 0, returned: now };
        self.all.push(member);
        self.version += 1;
        endpoint
    }

    /// Takes an endpoint out. Fewer may be ejected then.
    pub(super) fn leave(&mut self, endpoint: &Arc<Endpoint>, now: Time) -> Vec<Change> {
        if let Some(at) = self.find(endpoint) {
            let member = self.all.remove(at);
            self.version += 1;
            self.total(&[(at, member.endpoint.answers.take()), (at, member.endpoint.local.take())]);
        }
        self.hold_share(now)
    }

    pub(super) fn find(&self, endpoint: &Arc<Endpoint>) -> Option<usize> {
        self.all.iter().position(|member| Arc::ptr_eq(&member.endpoint, endpoint))
    }

    /// What time does: ends ejections, and the interval. Returns come first, because they were due before; an
    /// endpoint that has just returned has no results yet.
    pub(super) fn sweep(&mut self, now: Time, mut lot: impl FnMut() -> f64) -> Vec<Change> {
        let mut changes = Vec::new();
        for at in 0..self.all.len() {
            match self.all[at].ejection {
                Some(ejection) if ejection.until <= now => {
                    changes.extend(self.restore(at, ejection.until, now));
                }
                _ => {}
            }
        }
        if self.next_sweep <= now {
            self.next_sweep = next(self.next_sweep, self.config.interval, now);
            for (at, cause) in self.judge() {
                changes.extend(self.eject(at, cause, None, now, &mut lot));
            }
        }
        changes
    }

    /// Whom the rules would eject, by what the interval came to.
    fn judge(&mut self) -> Candidates {
        let take = |counts: fn(&Endpoint) -> &Counts| {
            let members = self.all.iter().enumerate();
            let take = |(at, member): (usize, &Member)| (at, counts(&member.endpoint).take());
            members.filter(|(_, member)| member.ejection.is_none()).map(take).collect::<Vec<_>>()
        };
        let (answers, local) = (take(|endpoint| &endpoint.answers), take(|endpoint| &endpoint.local));
        self.total(&answers);
        let config = &self.config;
        if config.mode == Mode::Disabled {
            return Vec::new();
        }
        let sides = if config.split_local { vec![answers, local] } else { vec![answers] };
        let rated =
            config.success_rate.iter().flat_map(|rule| sides.iter().flat_map(|of| rule.candidates(of)));
        let failed =
            config.failure_share.iter().flat_map(|rule| sides.iter().flat_map(|of| rule.candidates(of)));
        rated.chain(failed).collect()
    }

    fn total(&mut self, results: &[Result]) {
        for (_, Interval { successes, failures }) in results {
            self.successes += u64::from(*successes);
            self.failures += u64::from(*failures);
        }
    }

    /// Ejects one, if it is not and there is room: every path to an ejection leads through here.
    pub(super) fn eject(
        &mut self,
        at: usize,
        cause: Cause,
        time: Option<Duration>,
        now: Time,
        lot: &mut dyn FnMut() -> f64,
    ) -> Option<Change> {
        if self.all[at].ejection.is_some() || self.config.mode == Mode::Disabled {
            return None;
        }
        if self.ejected() >= self.config.allowed(self.all.len()) {
            self.held_back += 1;
            return None;
        }
        let enforced = self.config.mode == Mode::Enforce || lot() < self.config.mode.share();
        let member = &mut self.all[at];
        member.times = member.times(self.config.interval, now).saturating_add(1);
        let time = time.unwrap_or_else(|| self.config.ejection(member.times, lot()));
        member.ejection = Some(Ejection { until: now + time, enforced });
        let interval = member.endpoint.answers.renew();
        member.endpoint.local.renew();
        if enforced {
            member.endpoint.eject();
        }
        let endpoint = member.endpoint.name().clone();
        self.version += 1;
        self.total(&[(at, interval)]);
        self.ejections[usize::from(!enforced)][cause.index()] += 1;
        Some(Change { endpoint, what: What::Ejected { cause, time, enforced } })
    }

    pub(super) fn resume(
        &mut self,
        at: usize,
        times: u32,
        left: Option<Duration>,
        now: Time,
    ) -> Option<Change> {
        let longest = self.config.ejection(u32::MAX, 1.0);
        let member = &mut self.all[at];
        if member.ejection.is_some() || member.times > 0 {
            return None;
        }
        (member.times, member.returned) = (times, now);
        let left = left?.min(longest);
        let change = self.eject(at, Cause::ByHand, Some(left), now, &mut || 0.0);
        if change.is_some() {
            // It is the same ejection still.
            self.all[at].times = times.max(1);
        }
        change
    }

    /// Ends an ejection, which was to end at `until`. The endpoint starts with nothing counted.
    pub(super) fn restore(&mut self, at: usize, until: Time, now: Time) -> Option<Change> {
        let member = &mut self.all[at];
        let ejection = member.ejection.take()?;
        let endpoint = member.endpoint.name().clone();
        member.returned = until;
        member.endpoint.answers.renew();
        member.endpoint.local.renew();
        if ejection.enforced {
            member.endpoint.restore(now);
        }
        self.version += 1;
        let what = What::Returned { enforced: ejection.enforced };
        Some(Change { endpoint, what })
    }

    /// Lets those return first whose time is over first, until no more are ejected than may be.
    pub(super) fn hold_share(&mut self, now: Time) -> Vec<Change> {
        let mut changes = Vec::new();
        while self.ejected() > self.config.allowed(self.all.len()) {
            let ejected =
                self.all.iter().enumerate().filter_map(|(at, member)| Some((member.ejection?.until, at)));
            let Some((_, at)) = ejected.min() else { break };
            changes.extend(self.restore(at, now, now));
        }
        changes
    }

    pub(super) fn restore_all(&mut self, now: Time) -> Vec<Change> {
        (0..self.all.len()).filter_map(|at| self.restore(at, now, now)).collect()
    }

    /// How many are ejected, or told to be.
    pub(super) fn ejected(&self) -> usize {
        self.all.iter().filter(|member| member.ejection.is_some()).count()
    }

    /// How many get no calls.
    pub(super) fn unusable(&self) -> usize {
        self.all.iter().filter(|member| member.ejection.is_some_and(|ejection| ejection.enforced)).count()
    }

    /// Whether so few can be used that all are.
    pub(super) fn is_panicking(&self) -> bool {
        let (all, unusable) = (self.all.len(), self.unusable());
        unusable > 0
            && (((all - unusable) as f64) < self.config.panic_threshold * all as f64 || all == unusable)
    }

    /// When time does something next.
    pub(super) fn due(&self) -> Time {
        let ends = self.all.iter().filter_map(|member| member.ejection.map(|ejection| ejection.until));
        ends.fold(self.next_sweep, Time::min)
    }

    /// A new interval begins, for one that was judged by other rules says little.
    pub(super) fn restart(&mut self, now: Time) {
        self.next_sweep = now + self.config.interval;
        self.version += 1;
    }

    pub(super) fn statuses(&self, now: Time) -> Vec<EndpointStatus> {
        let status = |member: &Member| EndpointStatus {
            name: member.endpoint.name().clone(),
            weight: member.endpoint.weight(),
            ejected_for: member.ejection.map(|ejection| ejection.until.since(now)),
            enforced: member.ejection.is_some_and(|ejection| ejection.enforced),
            times: member.times(self.config.interval, now),
            successes: member.endpoint.answers.interval().successes,
            failures: member.endpoint.answers.interval().failures,
            consecutive: member.endpoint.answers.run(),
        };
        self.all.iter().map(status).collect()
    }
}

impl Member {
    /// How often it was ejected, less one for each interval since it returned.
    fn times(&self, interval: Duration, now: Time) -> u32 {
        if self.ejection.is_some() {
            return self.times;
        }
        let paid = now.since(self.returned).as_nanos() / interval.as_nanos().max(1);
        self.times.saturating_sub(u32::try_from(paid).unwrap_or(u32::MAX))
    }
}

/// The first end of an interval after now. Some may have gone by in which nothing happened.
fn next(due: Time, interval: Duration, now: Time) -> Time {
    let interval = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX).max(1);
    let gone = now.as_nanos().saturating_sub(due.as_nanos()) / interval;
    Time::from_nanos(due.as_nanos().saturating_add(gone.saturating_add(1).saturating_mul(interval)))
}
