//! What all keys of an adaptive limit have in common; one without keys has it to itself.

use super::Config;
use crate::keyed::common;

pub(crate) type Common = common::Common<Config>;

common::settings!(Config);
