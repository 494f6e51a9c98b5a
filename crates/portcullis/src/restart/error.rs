//! What can be wrong with a saved state.

use std::{error::Error, fmt, io, path::PathBuf};

/// Why a state could not be saved or restored.
#[derive(Debug)]
#[non_exhaustive]
pub enum RestartError {
    /// The file cannot be read or written.
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is in the file was not written so: it is damaged, or another file.
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where it is kept now; where it was, if it could not be moved.
        kept: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A later version wrote the file.
    Version {
        /// The file.
        path: PathBuf,
        /// Where it is kept now; where it was, if it could not be moved.
        kept: PathBuf,
        /// The version of the file.
        found: u64,
        /// The latest that is known here.
        known: u64,
    },
}

impl fmt::Display for RestartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, .. } => write!(f, "the state in {} cannot be read or written", path.display()),
            Self::Corrupt { path, kept, why } => {
                write!(f, "no state in {}: {why}; the file is kept as {}", path.display(), kept.display())
            }
            Self::Version { path, kept, found, known } => write!(
                f,
                "the state in {} is of version {found}, and {known} is the latest known; the file is kept as {}",
                path.display(),
                kept.display()
            ),
        }
    }
}

impl Error for RestartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
