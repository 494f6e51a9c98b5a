//! A keyed breaker at a moment.

use portcullis_core::breaker::{State, Status};

use crate::keyed::Evictions;

/// A keyed breaker at a moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct KeyedStatus {
    /// How many keys there are.
    pub keys: usize,
    /// How many there may be.
    pub max_keys: usize,
    /// How many are in each state, in the order of [`State::ALL`].
    pub(super) states: [u64; State::ALL.len()],
    /// How many were forgotten.
    pub evictions: Evictions,
    /// How often there was no room for a key.
    pub overflows: u64,
    /// The breaker of the keys without room.
    pub overflow: Status,
    /// Whether every call is refused by hand.
    pub isolated: bool,
    /// Calls that were refused in the name of a key, or of all.
    pub refused: u64,
    /// Calls that passed although they were to be refused.
    pub bypassed: u64,
}

/// The states, from the worst on.
const WORST_FIRST: [State; 7] = [
    State::Open,
    State::Isolated,
    State::HalfOpen,
    State::Recovering,
    State::MetricsOnly,
    State::ForcedClosed,
    State::Disabled,
];

impl KeyedStatus {
    /// How many keys are in this state, as it was left by their last call.
    pub fn in_state(&self, state: State) -> u64 {
        self.states[state as usize]
    }

    /// How many keys are not closed.
    pub fn abnormal(&self) -> u64 {
        WORST_FIRST.iter().map(|&state| self.in_state(state)).sum()
    }

    /// The worst state of any key, of which open is the worst; isolated, when all are by hand.
    pub fn worst(&self) -> State {
        if self.isolated {
            return State::Isolated;
        }
        WORST_FIRST.into_iter().find(|&state| self.in_state(state) > 0).unwrap_or(State::Closed)
    }
}
