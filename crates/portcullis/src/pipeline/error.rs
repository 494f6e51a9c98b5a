//! Why there is no pipeline.

use std::{error::Error, fmt};

use portcullis_core::{ConfigError, pipeline::Wrong};

/// Why a pipeline was not built.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PipelineError {
    /// Settings of a policy that are outside their range.
    Config(ConfigError),
    /// Policies that do not go together.
    Wrong(Wrong),
}

impl fmt::Display for PipelineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Wrong(wrong) => wrong.fmt(f),
        }
    }
}

impl Error for PipelineError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::Wrong(wrong) => Some(wrong),
        }
    }
}

impl From<ConfigError> for PipelineError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<Wrong> for PipelineError {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(wrong)
    }
}
