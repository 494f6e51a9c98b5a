//! What all keys of an adaptive limit have in common; one without keys has it to itself.

use super::Config;
use crate::keyed::{common, family::settings};

pub(crate) type Common = common::Common<Config>;

settings!(Config);
