//! What a call is to a limit.

use std::collections::BTreeSet;

use crate::FailureKind;

/// How a call ended, as far as a limit cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sample {
    /// It was answered: how long that took counts.
    Success,
    /// It met congestion: it timed out, or the dependency refused it.
    Congested,
    /// It failed in another way, which says nothing, unless it took longer than the ceiling.
    Failed,
    /// It says nothing about the dependency.
    Ignored,
    /// Its caller gave up. Congestion, if that was after the ceiling; without one, after ten times what is usual.
    /// Else it says nothing.
    Abandoned,
}

/// A bit for each of these kinds.
pub(super) fn bits(kinds: &BTreeSet<FailureKind>) -> u64 {
    kinds.iter().fold(0, |bits, kind| bits | bit(*kind))
}

fn bit(kind: FailureKind) -> u64 {
    1 << kind.index()
}

/// What a failure of this kind is, where these are congestion.
pub(super) fn of(kind: FailureKind, congestion: u64) -> Sample {
    if congestion & bit(kind) == 0 { Sample::Failed } else { Sample::Congested }
}

#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_what_it_is_said_to_be() {
        for some in FailureKind::ALL {
            let bits = bits(&BTreeSet::from([some]));
            for kind in FailureKind::ALL {
                let expected = if kind == some { Sample::Congested } else { Sample::Failed };
                assert_eq!(of(kind, bits), expected);
            }
        }
    }
}
