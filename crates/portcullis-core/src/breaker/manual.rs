//! What is done by hand.

use std::time::Duration;

use super::{
    Env, Machine, Mode, State,
    state::Word,
    transition::{Why, open_time},
};
use crate::{
    ConfigError, Time,
    sync::{
        atomic::Ordering::{Relaxed, Release},
        lock,
    },
};

/// Enough against others who move the state, and an end against an open time that does so whenever asked.
const TRIES: u32 = 16;

impl Machine {
    /// Opens now, for the open time. One that is open stays open for the open time from now, and that is
    /// no new trip; one that is under an override stays so.
    pub fn trip(&self, env: &impl Env) {
        if self.word().is_open() && self.stay_open(env) {
            return;
        }
        let why = Why { by_hand: true, ..Why::default() };
        for _ in 0..TRIES {
            let guard = lock(&self.log);
            let word = self.word();
            let may_open = matches!(word.state(), State::Closed | State::HalfOpen | State::Recovering);
            // Again, when the state has moved while the configuration's own open time was asked for.
            if !may_open || self.open(guard, word, why, env.now(), env) {
                return;
            }
        }
    }

    /// Open => Open for the open time from now: the same epoch, and the same reason.
    fn stay_open(&self, env: &impl Env) -> bool {
        let (config, now) = (self.settings.config(), env.now());
        let opening = self.opening_again();
        let until = (now + open_time(&config, &opening, env)).as_millis();
        let _guard = lock(&self.log);
        let word = self.word();
        if word.is_open() {
            let until = until.max(word.time().as_millis());
            self.word.store(word.with_time(until).raw(), Release);
        }
        word.is_open()
    }

    /// Closes now with an empty window, and forgets how often it opened in a row; ends an override too.
    pub fn reset(&self, env: &impl Env) {
        let guard = lock(&self.log);
        let word = self.word();
        if let Some(trouble) = self.trouble.get() {
            trouble.in_a_row.store(0, Relaxed);
        }
        let rest = self.rest();
        if rest == State::Disabled && word.state() == rest {
            return;
        }
        self.trouble().evidence.clear();
        self.enter(guard, word, rest, 0, env.now(), env);
    }

    /// Closes an open, half-open or recovering breaker with an empty window; does nothing in other states.
    pub fn close(&self, env: &impl Env) {
        self.close_from(env, |state| matches!(state, State::Open | State::HalfOpen | State::Recovering));
    }

    /// Refuses every call until [`release`](Self::release) or [`reset`](Self::reset), or for a time.
    pub fn isolate(&self, time: Option<Duration>, env: &impl Env) {
        self.override_with(State::Isolated, time, env);
    }

    /// Puts an override in place until [`release`](Self::release) or [`reset`](Self::reset), or for a time;
    /// of another state, does nothing.
    pub fn override_with(&self, state: State, time: Option<Duration>, env: &impl Env) {
        if !state.is_override() {
            return;
        }
        let guard = lock(&self.log);
        let (word, now) = (self.word(), env.now());
        // Never 0, which stands for no end.
        let end = time.map_or(0, |time| (now + time).as_millis().max(1));
        if word.state() == state {
            self.word.store(word.with_time(end).raw(), Release);
            return;
        }
        self.trouble().evidence.clear();
        self.enter(guard, word, state, end, now, env);
    }

    /// Ends an override: closed, with an empty window. Does nothing in other states.
    pub fn release(&self, env: &impl Env) {
        self.close_from(env, State::is_override);
    }

    /// Says what happens to calls that are to be refused.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode, env: &impl Env) -> Result<(), ConfigError> {
        let before = self.settings.swap_mode(mode)?;
        self.follow_mode(before, env);
        Ok(())
    }

    /// The mode `Disabled` is a state, and another mode ends it: not one that was put in place by hand while
    /// the mode was another. For settings that are shared, of which `before` was the mode:
    /// [`set_mode`](Self::set_mode) and [`reconfigure`](Self::reconfigure) do it too.
    pub fn follow_mode(&self, before: Mode, env: &impl Env) {
        let mut is_followed = before == Mode::Disabled;
        loop {
            let (version, config) = self.settings.versioned();
            match config.mode {
                Mode::Disabled => {
                    self.override_with(State::Disabled, None, env);
                    is_followed = true;
                }
                _ if is_followed => self.close_from(env, |state| state == State::Disabled),
                _ => {}
            }
            // Who sets another mode meanwhile may have looked at the state before it was written here.
            if self.settings.version() == version {
                return;
            }
        }
    }

    fn close_from(&self, env: &impl Env, from: impl Fn(State) -> bool) {
        let guard = lock(&self.log);
        let (word, rest) = (self.word(), self.rest());
        if from(word.state()) && word.state() != rest {
            self.trouble().evidence.clear();
            self.enter(guard, word, rest, 0, env.now(), env);
        }
    }

    /// Override => Closed, when its time is over.
    pub(super) fn end_override(&self, from: Word, at: Time, env: &impl Env) {
        let guard = lock(&self.log);
        if self.is_still(from) && self.word().time() == from.time() {
            self.enter(guard, from, self.rest(), 0, at, env);
        }
    }

    /// Where an override leads back to: to what the mode says, and not past it. To be asked under the lock:
    /// who sets another mode looks at the state after that.
    fn rest(&self) -> State {
        match self.settings.config().mode {
            Mode::Disabled => State::Disabled,
            _ => State::Closed,
        }
    }
}
