//! One endpoint, as calls see it.

use crate::{
    Name, Time,
    sync::atomic::{
        AtomicBool, AtomicU32, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use super::{SlowStart, counts::Counts};

/// One endpoint of a [`Fleet`](super::Fleet).
#[derive(Debug)]
pub struct Endpoint {
    name: Name,
    weight: AtomicU32,
    /// What it answered; all there is, unless failures without an answer are counted apart.
    pub(super) answers: Counts,
    /// Whether it answered.
    pub(super) local: Counts,
    ejected: AtomicBool,
    /// When it joined or returned last, in nanoseconds.
    since: AtomicU64,
}

/// That a call went to an endpoint, and when: not in time, but between which of its ejections and returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a result cannot be told without"]
pub struct Admitted(pub(super) u16);

impl Endpoint {
    pub(super) fn new(name: Name, weight: u32, now: Time) -> Self {
        Self {
            name,
            weight: AtomicU32::new(weight),
            answers: Counts::default(),
            local: Counts::default(),
            ejected: AtomicBool::new(false),
            since: AtomicU64::new(now.as_nanos()),
        }
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// What it weighs.
    pub fn weight(&self) -> u32 {
        self.weight.load(Relaxed)
    }

    pub(super) fn reweigh(&self, weight: u32) {
        self.weight.store(weight, Relaxed);
    }

    /// Whether calls should go to it, panic aside.
    #[inline]
    pub fn is_usable(&self) -> bool {
        !self.ejected.load(Acquire)
    }

    /// Says that a call goes to it.
    #[inline]
    pub fn admit(&self) -> Admitted {
        Admitted(self.answers.generation())
    }

    /// The share of its weight that it has at this time, above 0 and at most 1.
    pub fn ramp(&self, slow_start: &SlowStart, now: Time) -> f64 {
        slow_start.share(now.since(Time::from_nanos(self.since.load(Relaxed))))
    }

    /// When it joined or returned last.
    pub fn since(&self) -> Time {
        Time::from_nanos(self.since.load(Relaxed))
    }

    /// From now on it gets no calls.
    pub(super) fn eject(&self) {
        self.ejected.store(true, Release);
    }

    /// From now on it gets calls, as a new one.
    pub(super) fn restore(&self, now: Time) {
        self.since.store(now.as_nanos(), Relaxed);
        self.ejected.store(false, Release);
    }
}
