//! What all keys of a throttle have in common; one without keys has it to itself.

use super::Config;
use crate::keyed::common;

pub(crate) type Common = common::Common<Config>;

common::settings!(Config);
