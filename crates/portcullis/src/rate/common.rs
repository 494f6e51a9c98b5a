//! What all keys of a rate limit have in common; one without keys has it to itself.

use std::sync::atomic::AtomicU64;

use super::Config;
use crate::keyed::common;

pub(crate) type Common = common::Common<Config, Waits>;

/// Calls that have waited.
#[derive(Default)]
pub(crate) struct Waits {
    pub(super) waited: AtomicU64,
}

common::settings!(Config);
