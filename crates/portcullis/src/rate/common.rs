//! What all keys of a rate limit have in common; one without keys has it to itself.

use std::sync::atomic::AtomicU64;

use super::Config;
use crate::keyed::{common, family::settings};

pub(crate) type Common = common::Common<Config, Waits>;

/// Calls that have waited.
#[derive(Default)]
pub(crate) struct Waits {
    pub(super) waited: AtomicU64,
}

settings!(Config);
