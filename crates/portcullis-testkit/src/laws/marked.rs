use std::{error::Error, fmt};

/// The error of the inner service in every law, known by its number wherever it comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Marked(
    /// The number.
    pub u64,
);

impl Marked {
    /// The marked error that `error` is, or that is somewhere down its sources.
    #[must_use]
    pub fn find(error: &(dyn Error + 'static)) -> Option<Self> {
        std::iter::successors(Some(error), |error| (*error).source())
            .find_map(|error| error.downcast_ref::<Self>().copied())
    }
}

impl fmt::Display for Marked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "inner error number {}", self.0)
    }
}

impl Error for Marked {}
