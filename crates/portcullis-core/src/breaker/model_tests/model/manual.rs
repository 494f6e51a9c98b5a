//! What is done by hand.

use std::time::Duration;

use super::{Model, Scene, State, Why, kept};
use crate::{
    Time,
    breaker::{Env, Mode},
};

impl Model {
    pub(crate) fn trip(&mut self, scene: Scene<'_>) {
        let now = scene.world.now();
        match self.state {
            State::Open => {
                let again = self.open_time(Duration::ZERO, scene);
                self.time = self.time.max(kept(now + again));
            }
            State::Closed | State::HalfOpen | State::Recovering => self.open(Why::ByHand, now, scene),
            _ => {}
        }
    }

    pub(crate) fn reset(&mut self, scene: Scene<'_>) {
        self.in_a_row = 0;
        if (self.state, Self::rest(scene)) != (State::Disabled, State::Disabled) {
            self.close_by_hand(scene);
        }
    }

    pub(crate) fn close(&mut self, scene: Scene<'_>) {
        if matches!(self.state, State::Open | State::HalfOpen | State::Recovering) {
            self.close_by_hand(scene);
        }
    }

    pub(crate) fn release(&mut self, scene: Scene<'_>) {
        if self.state.is_override() && self.state != Self::rest(scene) {
            self.close_by_hand(scene);
        }
    }

    fn close_by_hand(&mut self, scene: Scene<'_>) {
        self.trip = None;
        self.go(Self::rest(scene), Time::ORIGIN, scene.world.now(), scene);
    }

    /// The mode `Disabled` is left by another mode alone.
    pub(super) fn rest(scene: Scene<'_>) -> State {
        if scene.live.config.mode == Mode::Disabled { State::Disabled } else { State::Closed }
    }

    pub(crate) fn override_with(&mut self, state: State, time: Option<Duration>, scene: Scene<'_>) {
        if !state.is_override() {
            return;
        }
        let now = scene.world.now();
        // An end of 0 is none.
        let end = time.map_or(Time::ORIGIN, |time| kept(now + time).max(Time::from_millis(1)));
        if self.state == state {
            self.time = end;
        } else {
            self.trip = None;
            self.go(state, end, now, scene);
        }
    }

    /// The mode `Disabled` is a state, which ends with the mode.
    pub(crate) fn follow_mode(&mut self, before: Mode, scene: Scene<'_>) {
        match (before, scene.live.config.mode) {
            (_, Mode::Disabled) => self.override_with(State::Disabled, None, scene),
            (Mode::Disabled, _) if self.state == State::Disabled => self.close_by_hand(scene),
            _ => {}
        }
    }
}
