//! What of a rate limit outlives its process.

use std::time::Duration;

use portcullis_core::rate::{Limiter, Memory};

use crate::{
    clock,
    restart::{Kept, Saved},
};

/// Writes down what was taken.
pub(super) fn save(limiter: &Limiter, into: &mut Saved) {
    let memory = limiter.memory(clock::now());
    if memory.debt > Duration::ZERO {
        into.time("debt", memory.debt);
    }
    if !memory.granted.is_empty() {
        into.pairs("granted", memory.granted.into_iter().map(|(ago, permits)| (ago, permits.into())));
    }
}

/// Takes it over; whether there was anything.
pub(super) fn resume(limiter: &Limiter, from: &Kept<'_>) -> bool {
    let mut memory = Memory::default();
    memory.debt = from.time("debt").unwrap_or_default();
    let narrow = |permits| u32::try_from(permits).unwrap_or(u32::MAX);
    memory.granted = from.pairs("granted").map(|(ago, permits)| (ago, narrow(permits))).collect();
    let is_any = memory != Memory::default();
    if is_any {
        limiter.resume(&memory, from.age(), clock::now());
    }
    is_any
}
