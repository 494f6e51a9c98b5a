//! What a probe does with a breaker.

use portcullis_core::breaker::State;

use crate::Breaker;

/// What a probe does with a breaker.
#[derive(Clone, Debug, Default)]
pub(super) enum Linked {
    /// Nothing: it only watches.
    #[default]
    Nothing,
    /// Opens it, keeps it open, and closes it.
    Feed(Breaker),
    /// Keeps it open, once something else has opened it.
    Gate(Breaker),
}

impl Linked {
    /// A result has been taken into account: `changed` the judgement, which is `up` now.
    pub(super) fn tell(&self, changed: Option<bool>, up: bool, success: Option<bool>) {
        let failed_while_down = !up && success == Some(false);
        match self {
            Self::Feed(breaker) if changed == Some(true) => breaker.close(),
            // Every further failure while down keeps it open.
            Self::Feed(breaker) if failed_while_down => breaker.trip(),
            Self::Gate(breaker) if failed_while_down && is_to_recover(breaker.state()) => breaker.trip(),
            _ => {}
        }
    }
}

/// It has opened by itself, and would try calls now or soon.
fn is_to_recover(state: State) -> bool {
    matches!(state, State::Open | State::HalfOpen | State::Recovering)
}
