//! States as numbers.

use portcullis_core::breaker::State;

/// What [`BREAKER_STATE`](super::names::BREAKER_STATE) shows, by the state's word. The numbers never change, unlike those in memory.
pub const BREAKER_STATES: [(&str, u8); 8] = [
    ("closed", 0),
    ("open", 1),
    ("half_open", 2),
    ("recovering", 3),
    ("isolated", 4),
    ("disabled", 5),
    ("forced_closed", 6),
    ("metrics_only", 7),
];

/// The number that [`BREAKER_STATE`](super::names::BREAKER_STATE) shows for a state; 255 for one that has none.
pub fn breaker_state_number(state: State) -> u8 {
    let word = state.as_str();
    BREAKER_STATES.iter().find(|known| known.0 == word).map_or(u8::MAX, |known| known.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_number_of_its_own() {
        let numbers = State::ALL.map(breaker_state_number);
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(State::ALL.map(State::as_str), BREAKER_STATES.map(|(word, _)| word));
    }
}
