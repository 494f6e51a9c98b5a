//! What a check says when it can say something.

use std::{borrow::Cow, sync::Arc};

use portcullis_core::health::Level;

/// What a check says when it can say something. One that cannot fails, with an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// How well it is.
    pub level: Level,
    /// What people should know of it.
    pub message: Option<Arc<str>>,
}

impl Reading {
    /// A level, and what people should know of it.
    pub fn new(level: Level, message: impl Into<Arc<str>>) -> Self {
        Self { level, message: Some(message.into()) }
    }
}

/// All is well.
impl From<()> for Reading {
    fn from((): ()) -> Self {
        Self::default()
    }
}

impl From<Level> for Reading {
    fn from(level: Level) -> Self {
        Self { level, message: None }
    }
}

impl From<(Level, String)> for Reading {
    fn from((level, message): (Level, String)) -> Self {
        Self::new(level, message)
    }
}

impl From<(Level, &str)> for Reading {
    fn from((level, message): (Level, &str)) -> Self {
        Self::new(level, message)
    }
}

impl From<(Level, Cow<'_, str>)> for Reading {
    fn from((level, message): (Level, Cow<'_, str>)) -> Self {
        Self::new(level, message)
    }
}
