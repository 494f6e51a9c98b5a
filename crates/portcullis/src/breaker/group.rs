//! Breakers that stand in for each other.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicIsize, Ordering::Relaxed},
    },
};

use portcullis_core::{ConfigError, breaker::State, check_range};

use super::world::Dice;

/// Breakers of which one is enough, such as those of a service's replicas: when all of them are open, each
/// lets a share of its calls through, because refusing everything helps nobody.
///
/// A breaker that was isolated by hand counts as open, and lets nothing through.
///
/// ```
/// use portcullis::{Breaker, breaker::BreakerGroup};
///
/// let replicas = BreakerGroup::new(0.2)?;
/// let a = Breaker::builder("replica-a").group(&replicas).build()?;
/// let b = Breaker::builder("replica-b").group(&replicas).build()?;
///
/// a.trip();
/// assert!(a.is_refusing(), "b works");
/// b.trip();
/// let passed = (0..1000).filter(|_| a.try_admit().is_ok()).count();
/// assert!((100..300).contains(&passed), "{passed} of 1000, for 0.2");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct BreakerGroup(Arc<Shared>);

struct Shared {
    share: f64,
    members: AtomicIsize,
    broken: AtomicIsize,
}

impl BreakerGroup {
    /// A group without members, which lets this share through when all are open; 0 to 1.
    ///
    /// # Errors
    ///
    /// When the share is outside its range.
    pub fn new(share: f64) -> Result<Self, ConfigError> {
        check_range("breaker.group.share", share, 0.0..=1.0)?;
        let (members, broken) = (AtomicIsize::new(0), AtomicIsize::new(0));
        Ok(Self(Arc::new(Shared { share, members, broken })))
    }

    /// How many breakers belong to it.
    pub fn members(&self) -> usize {
        self.0.members.load(Relaxed).try_into().unwrap_or(0)
    }

    /// How many of them are open, half-open or isolated.
    pub fn broken(&self) -> usize {
        self.0.broken.load(Relaxed).try_into().unwrap_or(0)
    }

    /// Whether none of them works.
    pub fn is_broken(&self) -> bool {
        self.0.broken.load(Relaxed) >= self.0.members.load(Relaxed)
    }

    fn share(&self) -> f64 {
        self.0.share
    }

    /// Whether a call that would be refused passes, by the share.
    pub(super) fn waives(&self, dice: &Dice) -> bool {
        let drawn = dice.happens(self.share());
        self.is_broken() && drawn
    }

    /// A breaker in this state joins.
    pub(super) fn enter(&self, state: State) {
        self.0.members.fetch_add(1, Relaxed);
        self.0.broken.fetch_add(is_broken(state).into(), Relaxed);
    }

    /// A member's state changed, which may be told out of order: sums do not mind.
    pub(super) fn moved(&self, from: State, to: State) -> isize {
        let change = isize::from(is_broken(to)) - isize::from(is_broken(from));
        self.0.broken.fetch_add(change, Relaxed);
        change
    }

    /// A member in this state leaves.
    pub(super) fn leave(&self, state: State) {
        self.0.broken.fetch_sub(is_broken(state).into(), Relaxed);
        self.0.members.fetch_sub(1, Relaxed);
    }
}

/// A breaker's place in a group.
pub(super) struct Membership {
    pub(super) group: BreakerGroup,
    /// What this breaker adds to the broken ones, so that it can be taken back when the breaker is gone.
    broken: AtomicIsize,
}

impl Membership {
    pub(super) fn new(group: BreakerGroup) -> Self {
        group.enter(State::Closed);
        Self { group, broken: AtomicIsize::new(0) }
    }

    pub(super) fn moved(&self, from: State, to: State) {
        self.broken.fetch_add(self.group.moved(from, to), Relaxed);
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.group.0.broken.fetch_sub(self.broken.load(Relaxed), Relaxed);
        self.group.leave(State::Closed);
    }
}

fn is_broken(state: State) -> bool {
    matches!(state, State::Open | State::HalfOpen | State::Isolated)
}

impl fmt::Debug for BreakerGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerGroup")
            .field("share", &self.share())
            .field("members", &self.members())
            .field("broken", &self.broken())
            .finish()
    }
}
