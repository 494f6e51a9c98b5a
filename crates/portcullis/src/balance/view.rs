//! The endpoints as a balancer sees them.

use std::sync::{Arc, Mutex, PoisonError};

use portcullis_core::{
    Time,
    balance::{Choice, Load, rendezvous, two},
    outlier::{Config, SlowStart},
};

use super::end::End;

/// An endpoint with the service that each balancer clones.
pub(super) struct Member<S> {
    pub(super) end: Arc<End>,
    service: Mutex<S>,
}

impl<S> Member<S> {
    pub(super) fn new(end: Arc<End>, service: S) -> Self {
        Self { end, service: Mutex::new(service) }
    }

    /// An instance of its service. A mutex, because services need not be `Sync`.
    pub(super) fn instance(&self) -> S
    where
        S: Clone,
    {
        self.service.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn name(&self) -> &str {
        self.end.endpoint.name()
    }

    pub(super) fn load(&self) -> &Load {
        &self.end.load
    }
}

/// All endpoints of a set, the same while the set is: places in it stay what they are.
pub(super) type Members<S> = Arc<[Arc<Member<S>>]>;

/// The endpoints at a version of the fleet.
pub(super) struct View<S> {
    pub(super) version: u64,
    pub(super) members: Members<S>,
    /// The places of those that calls go to: all that are not ejected, or all.
    pub(super) usable: Vec<usize>,
    /// Whether somebody returns when his time is over.
    pub(super) is_short: bool,
    heaviest: f64,
    mean: f64,
    /// Whether all weigh the same, while nobody starts slowly.
    is_even: bool,
    slow_start: Option<SlowStart>,
    /// Until when somebody starts slowly.
    slow_until: Time,
}

impl<S> View<S> {
    pub(super) fn new(version: u64, members: Members<S>, config: &Config, panicking: bool) -> Self {
        let is_usable = |at: &usize| panicking || members[*at].end.endpoint.is_usable();
        let usable: Vec<_> = (0..members.len()).filter(is_usable).collect();
        let weights = || usable.iter().map(|at| f64::from(members[*at].end.endpoint.weight()));
        let heaviest = weights().fold(1.0, f64::max);
        let mean = weights().sum::<f64>() / usable.len().max(1) as f64;
        let is_even = weights().all(|weight| weight == heaviest);
        let slow_start = config.slow_start;
        let ends =
            usable.iter().filter_map(|at| Some(members[*at].end.endpoint.since() + slow_start?.window));
        let slow_until = ends.max().unwrap_or(Time::ORIGIN);
        let is_short = members.iter().any(|member| !member.end.endpoint.is_usable());
        Self { version, members, usable, is_short, heaviest, mean, is_even, slow_start, slow_until }
    }

    /// The usable ones, beginning after this one, so that not everybody takes the same when few are ready.
    pub(super) fn from(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let place = self.usable.partition_point(|usable| *usable <= at);
        let (before, after) = self.usable.split_at(place);
        after.iter().chain(before).copied()
    }

    /// Two of the usable ones that `among` holds, the one that a call should rather go to first.
    pub(super) fn draw(
        &self,
        among: &[usize],
        now: Time,
        lot: impl FnMut() -> u64,
    ) -> Option<(usize, Option<usize>)> {
        let is_even = self.is_even && now >= self.slow_until;
        let drawn = if is_even {
            two(among.len(), |_| 1.0, lot)
        } else {
            two(among.len(), |at| self.weight(among[at], now) / self.heaviest, lot)
        };
        let Choice { first, second } = drawn?;
        let (first, second) = (among[first], second.map(|second| among[second]));
        match second {
            Some(second) if self.yields(first, second, is_even, now) => Some((second, Some(first))),
            _ => Some((first, second)),
        }
    }

    #[inline]
    fn yields(&self, first: usize, second: usize, is_even: bool, now: Time) -> bool {
        let (own, other) = (&self.members[first], &self.members[second]);
        if is_even {
            return own.load().yields(1.0, other.load(), 1.0, own.end.measure, now);
        }
        let relative = |at: usize| self.weight(at, now) / self.mean;
        own.load().yields(relative(first), other.load(), relative(second), own.end.measure, now)
    }

    /// The one among these for the key of this hash.
    pub(super) fn by_key(&self, key: u64, among: &[usize], now: Time) -> Option<usize> {
        let place = |at: usize| (self.members[among[at]].end.hash, self.weight(among[at], now) / self.mean);
        rendezvous(key, among.len(), place).map(|at| among[at])
    }

    fn weight(&self, at: usize, now: Time) -> f64 {
        let endpoint = &self.members[at].end.endpoint;
        let ramp = match &self.slow_start {
            Some(slow_start) if now < self.slow_until => endpoint.ramp(slow_start, now),
            _ => 1.0,
        };
        f64::from(endpoint.weight()) * ramp
    }
}
