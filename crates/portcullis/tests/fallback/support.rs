//! What the tests share.

use std::{io, time::Duration};

use portcullis::{BoxError, Fallback, Registry, fallback::FallbackBuilder};
use portcullis_testkit::script::{self, Handle, Step};

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// In a registry of its own.
pub(crate) fn fallback() -> FallbackBuilder {
    Fallback::builder("prices").registry(&Registry::new())
}

/// A dependency that answers by these steps, and then hangs.
pub(crate) fn dependency(
    steps: impl IntoIterator<Item = Step<u32, BoxError>>,
) -> (script::Scripted<u32, u32, BoxError>, Handle<u32, u32, BoxError>) {
    script::of(steps)
}

/// An error of this kind of io.
pub(crate) fn io(kind: io::ErrorKind) -> Step<u32, BoxError> {
    Step::err(io::Error::from(kind).into())
}
