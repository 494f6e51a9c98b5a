//! What all keys of a throttle have in common; one without keys has it to itself.

use portcullis_core::{ConfigError, Mode};

use super::Config;
use crate::keyed::common;

pub(crate) type Common = common::Common<Config>;

impl common::Settings for Config {
    fn check(&self) -> Result<(), ConfigError> {
        Self::check(self)
    }

    fn mode(&self) -> Mode {
        self.mode
    }
}
