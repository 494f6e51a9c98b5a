//! What a breaker's machine asks of the world: the clock, the dice, the listeners.

use portcullis_core::{
    Name, PolicyKind, Reason, Rejection, Time,
    breaker::{Env, Refusal, State, Transition},
};

use super::{driver::Driver, group::Membership, policy::Shared};
pub(super) use crate::dice::Dice;
use crate::{clock, event::Emitter};

/// What surrounds a machine.
pub(super) struct Surroundings {
    pub(super) name: Name,
    pub(super) dice: Dice,
    pub(super) emitter: Emitter,
    pub(super) group: Option<Membership>,
    /// For automatic transitions.
    pub(super) driver: Driver<Shared>,
}

impl Surroundings {
    /// A refusal in this breaker's name.
    pub(super) fn rejection(&self, refusal: &Refusal) -> Rejection {
        if let (State::Isolated, Some(why)) = (refusal.evidence.state, self.emitter.why_stopped()) {
            return Rejection::new(self.name.clone(), Reason::Stopped { kind: PolicyKind::Breaker, why });
        }
        Rejection::new(self.name.clone(), Reason::Breaker(refusal.evidence))
            .with_retry_after(refusal.retry_after)
    }

    /// As a call sees them.
    #[inline]
    pub(super) fn world(&self) -> World<'_> {
        World { surroundings: self, retry: false, no_call: false }
    }

    /// As it is seen where no call is made: nobody is there to be refused.
    pub(super) fn world_of_none(&self) -> World<'_> {
        World { surroundings: self, retry: false, no_call: true }
    }

    /// Whether a refusal may be waived.
    pub(super) fn may_waive(&self) -> bool {
        self.group.as_ref().is_some_and(|member| member.group.is_broken())
    }

    /// As a further attempt of a call sees them.
    pub(super) fn world_of(&self, retry: bool) -> World<'_> {
        World { surroundings: self, retry, no_call: false }
    }
}

/// The surroundings, as one call sees them.
pub(super) struct World<'a> {
    surroundings: &'a Surroundings,
    retry: bool,
    no_call: bool,
}

impl Env for World<'_> {
    #[inline]
    fn now(&self) -> Time {
        clock::now()
    }

    #[inline]
    fn coarse(&self) -> Time {
        clock::coarse()
    }

    fn random(&self) -> u64 {
        // The lot falls on what happened in any case.
        if self.no_call { 0 } else { self.surroundings.dice.draw() }
    }

    fn is_retry(&self) -> bool {
        self.retry
    }

    fn waives(&self, _: State) -> bool {
        let Surroundings { group, dice, .. } = self.surroundings;
        self.no_call || group.as_ref().is_some_and(|member| member.group.waives(dice))
    }

    fn spared(&self, refusal: &Refusal) {
        let emitter = &self.surroundings.emitter;
        if emitter.is_heard() {
            emitter.rejected(&self.surroundings.rejection(refusal), false);
        }
    }

    fn moved(&self, transition: &Transition) {
        if let Some(member) = &self.surroundings.group {
            member.moved(transition.from, transition.to);
        }
        self.surroundings.driver.wake();
        // Last: a listener may do anything, and what it does comes after this.
        self.surroundings.emitter.state_change(transition);
    }
}
