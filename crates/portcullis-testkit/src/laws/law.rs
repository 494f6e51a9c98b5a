use std::{error::Error, fmt};

/// One clause of the tower contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Law {
    /// The inner instance that is called is one that was polled ready; a clone of it was not.
    SameInstance,
    /// Every inner call, so every attempt of a retry or hedge too, follows a readiness of its own.
    FreshReadiness,
    /// One permit, one call: no panic in the host, no more in flight than it permits, and its
    /// permits return.
    OnePermit,
    /// A call dropped at any await point releases everything it holds, and passes its turn on.
    Drop,
    /// Whoever waits has registered the waker it was last polled with, is woken, and is not polled
    /// for nothing.
    Wakers,
    /// An inner error, of a call or of readiness, comes back as the same value, directly or as a
    /// source.
    Errors,
    /// Services made by layering again, and clones, work side by side, and keep one limit if
    /// [`limited_to`](super::Laws::limited_to) says there is one.
    Shared,
    /// Every caller gets the response to its own request, unchanged.
    Response,
    /// Readiness that is never used is given back when its instance is dropped.
    Abandoned,
    /// The layer never refuses in `poll_ready`: tonic turns that into `Unknown` or a stream reset.
    Refusal,
}

impl Law {
    /// Every law, in the order they are checked.
    pub const ALL: [Self; 10] = [
        Self::SameInstance,
        Self::FreshReadiness,
        Self::OnePermit,
        Self::Drop,
        Self::Wakers,
        Self::Errors,
        Self::Shared,
        Self::Response,
        Self::Abandoned,
        Self::Refusal,
    ];

    /// The hosts over which the law says something: the others cannot show its breach.
    #[must_use]
    pub const fn hosts(self) -> &'static [HostKind] {
        use HostKind::{Buffer, ConcurrencyLimit, Mock, Strict};
        match self {
            Self::SameInstance | Self::FreshReadiness | Self::Shared | Self::Refusal => &[Strict],
            Self::OnePermit => &[Mock, ConcurrencyLimit, Buffer],
            Self::Drop | Self::Wakers | Self::Abandoned => &[Strict, ConcurrencyLimit, Buffer],
            Self::Errors | Self::Response => &[Strict, Mock, ConcurrencyLimit, Buffer],
        }
    }
}

/// What the layer under test is put around. All of them answer by a [script](crate::script).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HostKind {
    /// The scripted service itself, which records who called what and when.
    Strict,
    /// `tower_test::mock`, which panics when called unready.
    Mock,
    /// `tower::limit::ConcurrencyLimit` of one.
    ConcurrencyLimit,
    /// `tower::buffer::Buffer` with one slot, over a `ConcurrencyLimit` of one.
    Buffer,
}

/// A law that a layer breaks over a host, and how that showed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The law.
    pub law: Law,
    /// What the layer was put around.
    pub host: HostKind,
    /// What was seen.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "law {:?} is broken over {:?}: {}", self.law, self.host, self.detail)
    }
}

impl Error for Violation {}
