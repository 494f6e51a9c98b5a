//! Why calls are refused.

use std::{error::Error, fmt};

use crate::Overload;

/// In how many parts a measure is kept.
const PARTS: f64 = 1e6;

/// Why a call is refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Refused {
    /// What was over its limit.
    pub signal: Overload,
    /// What was measured; of a wait, in seconds.
    pub measured: f64,
    /// What is allowed.
    pub limit: f64,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, allowed is {}", self.signal.as_str(), self.measured, self.limit)
    }
}

impl Error for Refused {}

/// A [`Refused`] in one word, so that what is measured is never told beside another's limit: millionths of what
/// was measured, of the limit, which is at most a minute, and the signal.
pub(super) struct Cause;

impl Cause {
    pub(super) fn pack(refused: &Refused) -> u64 {
        let parts = |value: f64| u64::from((value * PARTS).round() as u32);
        let signal = match refused.signal {
            Overload::QueueDelay => 1,
            Overload::Pressure => 2,
            _ => 0,
        };
        parts(refused.measured) << 32 | (parts(refused.limit) << 2 & 0xffff_ffff) | signal
    }

    pub(super) fn unpack(word: u64) -> Refused {
        let value = |parts: u64| parts as f64 / PARTS;
        let signal = match word & 3 {
            1 => Overload::QueueDelay,
            2 => Overload::Pressure,
            _ => Overload::Priority,
        };
        Refused { signal, measured: value(word >> 32), limit: value((word & 0xffff_ffff) >> 2) }
    }
}
