//! The clock and the dice, as both sides see them.

use std::cell::{Cell, RefCell};

use crate::{
    Time,
    breaker::{Env, State, Transition},
};

/// What surrounds the calls of one step: each side has one of its own, which says the same.
#[derive(Clone, Debug)]
pub(super) struct World {
    now: Time,
    coarse: Time,
    dice: u64,
    drawn: Cell<u64>,
    retry: bool,
    waives: bool,
    told: RefCell<Vec<Transition>>,
}

/// What of the world is drawn for each step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Luck {
    pub(super) dice: u64,
    pub(super) retry: bool,
    pub(super) waives: bool,
}

impl World {
    /// The coarse clock shows whole `grain`s of nanoseconds.
    pub(super) fn new(now: Time, grain: u64, luck: Luck) -> Self {
        Self {
            now,
            coarse: Time::from_nanos(now.as_nanos() - now.as_nanos() % grain),
            dice: luck.dice,
            drawn: Cell::new(0),
            retry: luck.retry,
            waives: luck.waives,
            told: RefCell::default(),
        }
    }

    /// The same world once more, with the same dice.
    pub(super) fn again(&self) -> Self {
        Self { drawn: Cell::new(0), told: RefCell::default(), ..self.clone() }
    }

    /// A number below 1, as of the next 64 random bits.
    pub(super) fn draw(&self) -> f64 {
        (self.random() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(super) fn told(&self) -> Vec<Transition> {
        self.told.borrow().clone()
    }
}

impl Env for World {
    fn now(&self) -> Time {
        self.now
    }

    fn coarse(&self) -> Time {
        self.coarse
    }

    fn random(&self) -> u64 {
        let drawn = self.drawn.get();
        self.drawn.set(drawn + 1);
        // Every draw of a step another number, and the same ones on both sides.
        let mixed = (self.dice ^ drawn).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    }

    fn is_retry(&self) -> bool {
        self.retry
    }

    fn waives(&self, _: State) -> bool {
        self.waives
    }

    fn moved(&self, transition: &Transition) {
        self.told.borrow_mut().push(*transition);
    }
}
