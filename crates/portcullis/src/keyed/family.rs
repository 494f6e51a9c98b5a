//! What all keys of a policy have in common, whatever kind of policy it is.

use std::sync::Arc;

use portcullis_core::{ConfigError, Mode};

use crate::event::Emitter;

/// The settings of a policy.
pub(crate) trait Settings: Clone + Send + Sync + 'static {
    /// Checks every field.
    fn check(&self) -> Result<(), ConfigError>;

    /// Whether what is decided is done.
    fn mode(&self) -> Mode;

    /// The same with another mode.
    fn with_mode(&self, mode: Mode) -> Self;
}

/// Makes the settings of a policy known as such.
macro_rules! settings {
    ($Config:ty) => {
        impl $crate::keyed::family::Settings for $Config {
            fn check(&self) -> Result<(), portcullis_core::ConfigError> {
                Self::check(self)
            }

            fn mode(&self) -> portcullis_core::Mode {
                self.mode
            }

            fn with_mode(&self, mode: portcullis_core::Mode) -> Self {
                Self { mode, ..self.clone() }
            }
        }
    };
}

pub(crate) use settings;

/// What all keys share.
pub(crate) trait Family: Send + Sync + 'static {
    type Config: Settings;

    /// The settings of all of them.
    fn config(&self) -> Arc<Self::Config>;

    /// The voice of them all, in their name.
    fn emitter(&self) -> &Emitter;

    /// Counts changes of the settings. To be read before them: who finds it changed after he has used them has used old
    /// ones.
    fn version(&self) -> u64;
}
