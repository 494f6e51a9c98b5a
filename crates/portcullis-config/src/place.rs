//! Where a value was given.

use std::{fmt, path::Path, sync::Arc};

/// Where a value was given: in a line of a file, or in a variable of the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    source: Arc<Source>,
    line: usize,
    column: usize,
}

/// What settings come from.
#[derive(Debug, PartialEq, Eq)]
enum Source {
    File(Box<str>),
    Variable(Box<str>),
}

impl Place {
    /// The beginning of a file.
    pub(crate) fn file(path: &Path) -> Self {
        Self::start(Source::File(path.display().to_string().into()))
    }

    /// The beginning of a variable's text.
    pub(crate) fn variable(name: &str) -> Self {
        Self::start(Source::Variable(name.into()))
    }

    fn start(source: Source) -> Self {
        Self { source: Arc::new(source), line: 1, column: 1 }
    }

    /// Another place in the same source.
    pub(crate) fn at(&self, line: usize, column: usize) -> Self {
        Self { source: self.source.clone(), line, column }
    }

    /// The place of this byte of the source's text.
    pub(crate) fn at_byte(&self, text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&char| char != '\n').count() + 1;
        self.at(line, column)
    }

    /// The path of the file; `None` for a variable.
    pub fn path(&self) -> Option<&str> {
        match &*self.source {
            Source::File(path) => Some(path),
            Source::Variable(_) => None,
        }
    }

    /// The name of the variable; `None` for a file.
    pub fn variable_name(&self) -> Option<&str> {
        match &*self.source {
            Source::Variable(name) => Some(name),
            Source::File(_) => None,
        }
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column, in characters, from 1.
    pub fn column(&self) -> usize {
        self.column
    }
}

/// As compilers write it: `path:line:column`, or the variable's name.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.source {
            Source::File(path) => write!(f, "{path}:{}:{}", self.line, self.column),
            Source::Variable(name) => write!(f, "${name}"),
        }
    }
}
