//! What a breaker asks of the world around it.

use super::{Refusal, State, Transition};
use crate::Time;

/// The clock, the dice and the listeners of a breaker: all that it does not know by itself.
///
/// Any function that tells the time will do where nothing is left to chance:
///
/// ```
/// use portcullis_core::{Time, breaker::{Config, Machine}};
///
/// let machine = Machine::new(Config::default(), 1)?;
/// assert!(machine.admit(0, &|| Time::from_millis(7)).is_ok());
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
pub trait Env {
    /// The time now. It may be asked while a lock is held: it must not use the breaker.
    fn now(&self) -> Time;

    /// The time now, or up to 20 ms before it if that is cheaper to know.
    #[inline]
    fn coarse(&self) -> Time {
        self.now()
    }

    /// 64 random bits. They may be asked for while a lock is held, like the time.
    fn random(&self) -> u64 {
        0
    }

    /// Whether the call is a further attempt of one that failed.
    fn is_retry(&self) -> bool {
        false
    }

    /// Whether to let a call pass that would be refused in this state; what becomes of it is not recorded.
    fn waives(&self, state: State) -> bool {
        let _ = state;
        false
    }

    /// Told of each call that passes although it was to be refused, and why it was.
    fn spared(&self, refusal: &Refusal) {
        let _ = refusal;
    }

    /// Told after each transition, outside of every lock. It may use the breaker.
    fn moved(&self, transition: &Transition) {
        let _ = transition;
    }
}

impl<F: Fn() -> Time> Env for F {
    #[inline]
    fn now(&self) -> Time {
        self()
    }
}

/// Whether an event of this chance happens.
pub(crate) fn happens(chance: f64, random: u64) -> bool {
    // The 53 highest bits as a share of 1, so that a chance of 0 never happens and of 1 always does.
    let share = (random >> 11) as f64 / (1u64 << 53) as f64;
    share < chance
}
