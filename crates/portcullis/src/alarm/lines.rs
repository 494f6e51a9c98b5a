//! The lines of a policy.

use std::sync::{Arc, OnceLock};

use portcullis_core::Padded;

use super::Alarm;
use crate::shard;

/// Where calls wait that came on one thread's shard; made when the first of them has to.
#[derive(Default)]
pub(crate) struct Slot(OnceLock<Arc<Alarm>>);

impl Slot {
    /// The line, if anybody waited yet.
    #[inline]
    pub(super) fn get(&self) -> Option<&Alarm> {
        self.0.get().map(|alarm| &**alarm)
    }

    #[inline]
    pub(super) fn get_or_make(&self) -> &Alarm {
        self.0.get_or_init(Alarm::new)
    }
}

/// A slot for each shard, for policies of which there is one for each key: their calls wait together.
pub(crate) struct Lines(Box<[Padded<Slot>]>);

impl Lines {
    /// This thread's. A call may go on elsewhere, and keeps its own.
    #[inline]
    pub(crate) fn here() -> u32 {
        // Of at most a few dozen.
        shard::current() as u32
    }

    /// That of this number.
    #[inline]
    pub(crate) fn of(&self, line: u32) -> &Slot {
        // A power of two of them: the mask never leaves the slice.
        &self.0[line as usize & (self.0.len() - 1)]
    }
}

impl Default for Lines {
    fn default() -> Self {
        Self((0..shard::count()).map(|_| Padded::default()).collect())
    }
}
